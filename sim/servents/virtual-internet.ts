// Whole servents in one process: wires, datagrams, dials and time are virtual, everything else is the servent's own code.

import { GwebCache, PRIVATE_CACHE_RULES } from '../../protocol/bootstrap/gwebcache.ts';
import { PRIVATE_UDP_CACHE_RULES, UdpHostCache } from '../../protocol/bootstrap/udp-host-cache.ts';
import type { Profile } from '../../protocol/network-rules.ts';
import { type Endpoint, formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { EventQueue } from '../event-queue.ts';
import { SeededRandom } from '../seeded-random.ts';
import { TraceHash } from '../trace-hash.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { type ConditionOptions, Conditions } from './conditions.ts';
import type { Observer } from './medium.ts';
import { type HostOptions, VirtualHost } from './virtual-host.ts';

const SECOND_MS = 1_000;
const CACHE_LATENCY_MS = 10;
/** Of a datagram: GUID, type, TTL and hops. */
const TRACED_BYTES = 19;

export class VirtualInternet {
  readonly clock = new VirtualClock();
  readonly trace = new TraceHash();
  readonly random: SeededRandom;
  readonly conditions: Conditions;
  /** By number; a host that is down keeps its place. */
  readonly hosts: VirtualHost[] = [];
  readonly events = new EventQueue();
  readonly observers: Observer[] = [];
  readonly #byAddress = new Map<string, VirtualHost>();
  readonly #hostCaches = new Map<string, UdpHostCache>();

  constructor(seed = 1, conditions: ConditionOptions = {}) {
    this.random = new SeededRandom(seed);
    this.conditions = new Conditions(conditions, this.random.fork());
  }

  /** On 127.0.0.1 in `local`, in 10.0.0.0/8 in `lan`, in networks of their own in `public`. */
  add(options: HostOptions = {}): VirtualHost {
    const number = this.hosts.length;
    const host = new VirtualHost(this, number, addressOf(number + 1, options.profile ?? 'local'), options);
    this.hosts.push(host);
    this.#byAddress.set(formatEndpoint(host.endpoint), host);
    return host;
  }

  /** A UDP host cache on 127.0.0.1, HOST:PORT; it lists hosts that answer it. */
  addHostCache(): { readonly address: string; readonly machine: UdpHostCache } {
    const own: Endpoint = { host: '127.0.0.1', port: 9001 + this.#hostCaches.size };
    const address = formatEndpoint(own);
    const cache = new GwebCache({ ...PRIVATE_CACHE_RULES, network: 'gnutella', name: 'a cache' });
    const machine = new UdpHostCache({ cache, own, rules: PRIVATE_UDP_CACHE_RULES, random: this.random });
    this.#hostCaches.set(address, machine);
    return { address, machine };
  }

  /** Brings a datagram of a host, which must not change it, after the latency to the host or the cache at `to`; to nobody otherwise. */
  deliver(bytes: Buffer, from: VirtualHost, to: Endpoint): void {
    const address = formatEndpoint(to);
    const cache = this.#hostCaches.get(address);
    if (cache !== undefined) {
      this.later(CACHE_LATENCY_MS, () => this.#askCache(cache, bytes, from, to));
      return;
    }
    const target = this.#byAddress.get(address);
    if (target === undefined || !this.conditions.carries(from.number, target.number)) return;
    this.later(this.conditions.latencyMs(from.number, target.number), () => {
      if (!target.takesDatagramsOf(from.endpoint)) return;
      this.trace.add(target.number);
      this.trace.addBytes(bytes, TRACED_BYTES);
      for (const observer of this.observers) observer.onDatagram?.(target, bytes);
      target.receiveDatagram(bytes, from.endpoint);
    });
  }

  #askCache(cache: UdpHostCache, datagram: Buffer, from: VirtualHost, at: Endpoint): void {
    for (const answer of cache.receive(datagram, from.endpoint, this.clock.ms))
      this.later(CACHE_LATENCY_MS, () => this.at(answer.to)?.receiveDatagram(answer.bytes, at));
  }

  /** Null where nobody listens. */
  at(endpoint: Endpoint): VirtualHost | null {
    const host = this.#byAddress.get(formatEndpoint(endpoint)) ?? null;
    return host?.up === true ? host : null;
  }

  later(ms: number, run: () => void): void {
    this.events.add(this.clock.ms + ms, run);
  }

  /** Tells those who watch that a second has passed, from now on each second. */
  watch(...observers: readonly Observer[]): void {
    const isFirst = this.observers.length === 0;
    this.observers.push(...observers);
    if (!isFirst) return;
    const tell = (): void => {
      for (const observer of this.observers) observer.onSecond?.(this);
      this.later(SECOND_MS, tell);
    };
    this.later(SECOND_MS, tell);
  }

  /** Lets time pass: what happens at one moment, in its order, then the servents whose deadline it is. */
  run(ms: number, until: () => boolean = () => false): boolean {
    const end = this.clock.ms + ms;
    const { events, clock } = this;
    while (!until()) {
      const next = events.nextAt;
      if (next > end) {
        clock.ms = end;
        return false;
      }
      clock.ms = Math.max(clock.ms, next);
      while (events.nextAt <= clock.ms) events.take()?.();
    }
    return true;
  }
}

/** In `public` each host is in a /24 of its own, from 5.0.1.1 on; ranges that are not public are left out. */
function addressOf(n: number, profile: Profile): Endpoint {
  switch (profile) {
    case 'local':
      return { host: '127.0.0.1', port: 7000 + n };
    case 'lan':
      return { host: `10.${(n >> 8) & 255}.${n & 255}.1`, port: 6346 + (n >> 16) };
    case 'public':
      return { host: `${5 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}.1`, port: 6346 };
  }
}
