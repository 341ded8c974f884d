// A network of whole DHT nodes on virtual time: every message is encoded, travels with the latency of its path, and is parsed.
import type { Dht } from '../../protocol/dht/dht.ts';
import type { DhtRules } from '../../protocol/dht/dht-rules.ts';
import { PUBLIC_DHT } from '../../protocol/dht/dht-rules.ts';
import { compareDistance } from '../../protocol/dht/kuid.ts';
import type { LookupResult } from '../../protocol/dht/lookup-result.ts';
import { type Endpoint, writeIpv4 } from '../../protocol/wire/endpoint.ts';
import { Network } from '../network.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { DhtHost, type DhtMedium } from './dht-host.ts';

/** Not from 0, so that a time that was forgotten shows. */
const START_MS = 1_000_000;
/** Contacts that a node begins with. */
const SEEDS = 3;
const LOOKUP_MS = 180_000;
const STEP_MS = 500;

export interface DhtNetworkOptions {
  /** Hosts there can be. */
  readonly hosts: number;
  readonly random: SeededRandom;
  readonly rules?: DhtRules;
  /** Share of datagrams that are lost. */
  readonly loss?: number;
}

/** A lookup that a host starts: of nodes when the type is null, else of values. */
export interface Quest {
  readonly host: DhtHost;
  readonly target: Buffer;
  readonly type: string | null;
}

export class DhtNetwork implements DhtMedium {
  readonly network: Network<Buffer>;
  readonly hosts: DhtHost[] = [];
  readonly random: SeededRandom;
  readonly rules: DhtRules;

  constructor({ hosts, random, rules = PUBLIC_DHT, loss = 0 }: DhtNetworkOptions) {
    this.random = random;
    this.rules = rules;
    this.network = new Network<Buffer>({ nodes: hosts, random: random.fork(), loss });
    this.network.now = START_MS;
    this.network.onMessage = (to, bytes, from) =>
      this.hosts[to]?.receive(bytes, (this.hosts[from] as DhtHost).endpoint);
  }

  get now(): number {
    return this.network.now;
  }

  /** A host whose node is off until it is started. */
  add(): DhtHost {
    const host = new DhtHost(this, this.hosts.length, endpointOf(this.hosts.length));
    this.hosts.push(host);
    return host;
  }

  /** A host that is up now, or null. */
  anyUp(except: DhtHost | null = null): DhtHost | null {
    for (let tries = 0; tries < 100 && this.hosts.length > 0; tries++) {
      const host = this.random.pick(this.hosts);
      if (host !== except && host.isUp) return host;
    }
    return null;
  }

  /** Starts the node of a host with the addresses of a few that are up. */
  start(host: DhtHost): Dht {
    const seeds: Endpoint[] = [];
    for (let i = 0; i < SEEDS; i++) {
      const seed = this.anyUp(host);
      if (seed !== null) seeds.push(seed.endpoint);
    }
    return host.start(seeds);
  }

  run(ms: number): void {
    this.network.run(this.now + ms);
  }

  deliver(from: number, bytes: Buffer, to: Endpoint): void {
    const number = numberOf(to);
    if (number < this.hosts.length) this.network.send(from, number, bytes, bytes.length);
  }

  /** KUIDs of the `count` running nodes nearest to the target, without that of `except`. */
  trulyNearest(target: Buffer, count: number, except: DhtHost): Buffer[] {
    return this.hosts
      .filter(host => host.isUp && host !== except)
      .map(host => host.dht.kuid)
      .sort((a, b) => compareDistance(target, a, b))
      .slice(0, count);
  }

  /** Lets time pass until the lookup of a node has ended; null: it has not within three minutes. */
  lookUp(host: DhtHost, target: Buffer, type: string | null = null): LookupResult | null {
    return this.lookUpAll([{ host, target, type }])[0] ?? null;
  }

  /** Lookups that begin at the same time. */
  lookUpAll(quests: readonly Quest[]): (LookupResult | null)[] {
    const results: (LookupResult | null)[] = quests.map(() => null);
    let left = quests.length;
    for (const [i, { host, target, type }] of quests.entries()) {
      const onEnd = (result: LookupResult): void => {
        results[i] = result;
        left--;
      };
      if (type === null) host.dht.findNode(target, this.now, onEnd);
      else host.dht.findValue(target, type, this.now, onEnd);
      host.wake();
    }
    for (let ms = 0; ms < LOOKUP_MS && left > 0; ms += STEP_MS) this.run(STEP_MS);
    return results;
  }
}

const address = Buffer.alloc(4);

/** Each in a /24 of its own, public addresses only. */
function endpointOf(number: number): Endpoint {
  return { host: `${11 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}.1`, port: 6346 };
}

function numberOf({ host }: Endpoint): number {
  writeIpv4(address, host, 0);
  return address.readUIntBE(0, 3) - (11 << 16);
}
