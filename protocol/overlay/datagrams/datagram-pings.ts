// Pings and pongs by UDP, matched by GUID: sends pings to hosts and UDP host caches, encodes pongs for pings received.
import { HEADER_BYTES, Type } from '../../constants.ts';
import { CONTACTS_ID, dhtContactItems, dhtModeItems } from '../../dht/dht-items.ts';
import { LazyMap } from '../../lazy-map.ts';
import type { Random } from '../../ports.ts';
import type { Searchable } from '../../search/shared-file.ts';
import {
  type Endpoint,
  isIpv6,
  PACKED_IPV4_BYTES,
  PACKED_IPV6_BYTES,
  packEndpoint,
  unpackEndpoints,
} from '../../wire/endpoint.ts';
import type { Frame } from '../../wire/frame-reader.ts';
import { type GgepItem, ggepPayload } from '../../wire/ggep.ts';
import { guidKey } from '../../wire/guid.ts';
import { encodeDescriptor } from '../../wire/header.ts';
import { encodePing, type Ping, ScpFlag } from '../../wire/ping.ts';
import { encodePong, PLAIN_PONG, type Pong, parsePong } from '../../wire/pong.ts';
import type { Identity } from '../identity.ts';
import { GUESS_VERSION } from './guess.ts';

/** gtk-gnutella packs as many. */
const HOSTS_MAX = 30;
/** Our pings that wait for a pong; the oldest gives way. */
const ASKED_MAX = 1_024;
/** gtk-gnutella waits so long for a host cache. */
const ANSWER_MS = 20_000;
/** Names of other host caches read from one pong. */
const CACHES_MAX = 32;
const NOTHING = Buffer.alloc(0);

export interface PingQuestion {
  /** Hosts with free slots of this kind; null: none wanted. */
  readonly hosts: 'ultrapeer' | 'leaf' | null;
  /** Tell us our address. */
  readonly address: boolean;
  /** Nodes of the DHT. */
  readonly nodes?: boolean;
}

/** What a ping asks for besides a pong. */
export interface PingWishes {
  /** Other servents, or nodes of the DHT. */
  readonly hosts: boolean;
  /** A GUESS query key. */
  readonly key: boolean;
}

export function wishesOf(ping: Ping): PingWishes {
  const nodes = ggepPayload(ping.ggep, CONTACTS_ID) !== null;
  return { hosts: nodes || ping.supportsCachedPongs !== null, key: ggepPayload(ping.ggep, 'QK') !== null };
}

export interface PingAnswer {
  readonly pong: Pong;
  readonly from: Endpoint;
  readonly rttMs: number;
  /** Our own as the peer sees it, when asked for. */
  readonly seen: Endpoint | null;
  /** `host[:port]` of UDP host caches that it knows. */
  readonly caches: readonly string[];
}

/** Called once: with the first pong, or null when none came in time. */
export type PingDone = (answer: PingAnswer | null, now: number) => void;

interface Asked {
  readonly sentAt: number;
  readonly done: PingDone;
}

export interface DatagramPingsParts {
  readonly identity: Identity;
  readonly library: Searchable;
  readonly random: Random;
  readonly send: (bytes: Buffer, to: Endpoint, now: number) => void;
  /** Hosts with such slots, best first, more or fewer than wanted. */
  readonly hosts: (count: number, slots: 'ultrapeer' | 'leaf') => readonly Endpoint[];
  /** Nodes of the DHT, when we are one. */
  readonly nodes: () => readonly Endpoint[];
  readonly queryKey: ((endpoint: Endpoint, now: number) => Buffer) | null;
}

export class DatagramPings {
  readonly #parts: DatagramPingsParts;
  /** By GUID, oldest first. */
  readonly #asked = new LazyMap<string, Asked>();

  constructor(parts: DatagramPingsParts) {
    this.#parts = parts;
  }

  get waiting(): number {
    return this.#asked.size;
  }

  ask(to: Endpoint, question: PingQuestion, done: PingDone, now: number): void {
    const guid = this.#parts.random.guid();
    const { hosts, address } = question;
    const ggep: GgepItem[] = [{ id: 'VC', payload: this.#vendorCode() }];
    if (address) ggep.push({ id: 'IP', payload: NOTHING });
    if (question.nodes === true) ggep.push({ id: CONTACTS_ID, payload: NOTHING });
    let flags: number | null = null;
    if (hosts !== null) flags = hosts === 'ultrapeer' ? ScpFlag.Ultrapeer : 0;
    if (this.#asked.size >= ASKED_MAX) this.#giveUp(now);
    this.#asked.set(guidKey(guid), { sentAt: now, done });
    const payload = encodePing({ supportsCachedPongs: flags, ggep });
    this.#parts.send(encodeDescriptor(guid, Type.Ping, 1, 0, payload), to, now);
  }

  #vendorCode(): Buffer {
    return Buffer.concat([Buffer.from(this.#parts.identity.vendor, 'latin1'), Buffer.of(1)]);
  }

  #giveUp(now: number): void {
    const [oldest] = this.#asked;
    if (oldest === undefined) return;
    this.#asked.delete(oldest[0]);
    oldest[1].done(null, now);
  }

  /** False: nobody had asked for it. Throws what parsePong() throws, and then waits on. */
  onPong(frame: Frame, from: Endpoint, now: number): boolean {
    const key = guidKey(frame.bytes, frame.start);
    const asked = this.#asked.get(key);
    if (asked === undefined) return false;
    const pong = parsePong(Buffer.from(frame.payload()));
    this.#asked.delete(key);
    const seen = ggepPayload(pong.ggep, 'IP');
    const rttMs = now - asked.sentAt;
    asked.done({ pong, from, rttMs, seen: seen === null ? null : endpointIn(seen), caches: cachesIn(pong) }, now);
    return true;
  }

  /** The pong for a ping with what of its wishes is granted, at most `bytesMax` long with its header. */
  answer(guid: Buffer, ping: Ping, granted: PingWishes, from: Endpoint, bytesMax: number, now: number): Buffer {
    const items: GgepItem[] = [];
    const { queryKey, identity } = this.#parts;
    // each at most once, however often it was asked for: a block holds 32 items
    if (ggepPayload(ping.ggep, 'IP') !== null) items.push({ id: 'IP', payload: packEndpoint(from) });
    if (queryKey !== null && identity.ultrapeer && granted.key) items.push({ id: 'QK', payload: queryKey(from, now) });
    if (granted.hosts && ggepPayload(ping.ggep, CONTACTS_ID) !== null)
      items.push(
        ...dhtContactItems(this.#parts.nodes().filter(({ host, port }) => host !== from.host || port !== from.port)),
      );
    return this.pong(guid, from, granted.hosts ? ping.supportsCachedPongs : null, items, bytesMax);
  }

  /** `wishes`: ScpFlag bits, null for no hosts. */
  pong(guid: Buffer, to: Endpoint, wishes: number | null, items: readonly GgepItem[], bytesMax: number): Buffer {
    const { identity, library } = this.#parts;
    const { ultrapeer, vendor, dailyUptimeSeconds, leafSlotsFree, ultrapeerSlotsFree } = identity;
    const plain: Pong = {
      ...PLAIN_PONG,
      endpoint: identity.listen(),
      ipv6: identity.ipv6?.() ?? null,
      files: library.files,
      kibibytes: Math.floor(library.bytes / 1024),
      ultrapeer,
      vendor,
      vendorVersion: 1,
      guess: ultrapeer && this.#parts.queryKey !== null ? GUESS_VERSION : null,
      slots: ultrapeer ? { leaf: leafSlotsFree, ultrapeer: ultrapeerSlotsFree } : null,
      dailyUptimeS: dailyUptimeSeconds,
      tls: identity.tls ?? false,
      ggep: [...dhtModeItems(identity.dhtMode ?? 'off'), ...items],
    };
    const bare = encodePong(plain);
    if (wishes === null) return encodeDescriptor(guid, Type.Pong, 1, 0, bare);
    const room = bytesMax - HEADER_BYTES - bare.length - LIST_HEADS_BYTES;
    const hosts = this.#hostsFor(to, wishes, room);
    const payload = encodePong({ ...plain, hosts, udpHostCache: ultrapeer ? '' : null });
    return encodeDescriptor(guid, Type.Pong, 1, 0, payload);
  }

  #hostsFor(asker: Endpoint, wishes: number, room: number): Endpoint[] {
    const wantsIpv6 = (wishes & ScpFlag.Ipv6) !== 0;
    const wantsIpv4 = (wishes & ScpFlag.NoIpv4) === 0;
    const own = this.#parts.identity.listen();
    const taken: Endpoint[] = [];
    let left = room;
    const slots = (wishes & ScpFlag.Ultrapeer) === 0 ? 'leaf' : 'ultrapeer';
    for (const host of this.#parts.hosts(HOSTS_MAX, slots)) {
      const ipv6 = isIpv6(host.host);
      const bytes = ipv6 ? PACKED_IPV6_BYTES : PACKED_IPV4_BYTES;
      if (bytes > left || !(ipv6 ? wantsIpv6 : wantsIpv4)) continue;
      if (host.host === asker.host && host.port === asker.port) continue;
      if (host.host === own.host && host.port === own.port) continue;
      taken.push(host);
      left -= bytes;
      if (taken.length === HOSTS_MAX) break;
    }
    return taken;
  }

  /** Gives up on those that did not answer in time; when it is time for the next. */
  tick(now: number): number {
    for (const { sentAt } of this.#asked.values()) {
      if (now < sentAt + ANSWER_MS) return sentAt + ANSWER_MS;
      this.#giveUp(now);
    }
    return Number.POSITIVE_INFINITY;
  }
}

/** GGEP ids and lengths of IPP, IPP6 and UDPHC, and the magic byte. */
const LIST_HEADS_BYTES = 24;

function endpointIn(payload: Buffer): Endpoint | null {
  if (payload.length !== PACKED_IPV4_BYTES && payload.length !== PACKED_IPV6_BYTES) return null;
  return unpackEndpoints(payload, payload.length === PACKED_IPV4_BYTES ? 4 : 16, 1)[0] ?? null;
}

/** PHC: lines of `host[:port][&attributes]`. */
function cachesIn(pong: Pong): string[] {
  const lines = (ggepPayload(pong.ggep, 'PHC') ?? NOTHING).toString('latin1').split('\n', CACHES_MAX);
  const caches = lines.map(line => line.split('&', 1)[0]?.trim() ?? '');
  return caches.filter(name => /^[\w.-]{1,253}(:\d{1,5})?$/.test(name));
}
