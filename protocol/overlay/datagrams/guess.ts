// GUESS server: an ultrapeer answers queries by UDP that carry its query key, which proves the sender's address.
import { Type } from '../../constants.ts';
import { LazyMap } from '../../lazy-map.ts';
import type { Random } from '../../ports.ts';
import { KeyedRateLimit, RateLimit } from '../../rate-limit.ts';
import type { Searchable } from '../../search/shared-file.ts';
import type { Endpoint } from '../../wire/endpoint.ts';
import type { Frame } from '../../wire/frame-reader.ts';
import { type GgepItem, ggepPayload } from '../../wire/ggep.ts';
import { guidKey } from '../../wire/guid.ts';
import { addressInGuid } from '../../wire/guid-address.ts';
import { encodeDescriptor } from '../../wire/header.ts';
import { parseQuery, type Query, QueryFlag, queryFlags, queryWithout } from '../../wire/query.ts';
import type { Identity } from '../identity.ts';
import { hitDatagrams, xmlFor } from '../queries/own-hits.ts';
import { isOutOfReach } from '../queries/stream-mark.ts';
import { AddressKeys } from './address-keys.ts';
import type { Deliveries } from './deliveries.ts';

/** Version 0.2, as pongs name it. */
export const GUESS_VERSION = 0x02;
/** gtk-gnutella changes its keys daily and takes those of the day before. */
const KEY_MS = 86_400_000;
/** Hits of leaves find back so long (gtk-gnutella). */
const ROUTE_MS = 180_000;
/** Oldest first; the oldest gives way. */
const ROUTES_MAX = 4_096;
/** A hit of a leaf that came by TCP and is too long for a datagram is dropped. */
const HIT_BYTES_MAX = 1_400;
/** Queries from one address, and from all together: each may wake many leaves. */
const QUERY_LIMIT = new RateLimit(1_000, 10);
const ALL_LIMIT = new RateLimit(10, 100);
/** New keys for bad ones: LimeWire gives one each half second to all together. */
const NEW_KEY_LIMIT = new RateLimit(10_000, 2);
const ADDRESSES_MAX = 8_192;
const HITS_MAX = 50;

export interface GuessCore {
  /** Passes a query on to the leaves that may have hits; false when it has been here before. */
  receiveDatagramQuery(query: Buffer, now: number): boolean;
}

export interface GuessParts {
  readonly identity: Identity;
  readonly library: Searchable;
  readonly core: GuessCore;
  readonly deliveries: Deliveries;
  readonly random: Random;
  /** Sends a pong for this GUID that names us as a GUESS servent; with hosts, with a query key. */
  readonly pong: (
    guid: Buffer,
    to: Endpoint,
    requestBytes: number,
    hosts: boolean,
    ggep: readonly GgepItem[],
    now: number,
  ) => void;
  readonly addressKey: (endpoint: Endpoint) => string;
  readonly now: number;
}

export class Guess {
  readonly #parts: GuessParts;
  readonly #keys: AddressKeys;
  readonly #rates = new KeyedRateLimit(QUERY_LIMIT, ADDRESSES_MAX);
  readonly #newKeys = new KeyedRateLimit(NEW_KEY_LIMIT, ADDRESSES_MAX);
  #allDue = 0;
  readonly #routes = new LazyMap<string, { to: Endpoint; since: number }>();
  /** Queries answered; refused for their key; more than the rate allows, or been here. */
  served = 0;
  badKeys = 0;
  dropped = 0;
  hitsRouted = 0;

  constructor(parts: GuessParts) {
    this.#parts = parts;
    this.#keys = new AddressKeys(parts.random, KEY_MS, parts.now);
  }

  /** Whether we serve at all. */
  get open(): boolean {
    return this.#parts.identity.ultrapeer;
  }

  keyOf(endpoint: Endpoint, now: number): Buffer {
    return this.#keys.keyOf(endpoint, now);
  }

  /** Throws what parseQuery() throws. */
  onQuery(frame: Frame, from: Endpoint, now: number): void {
    if (!this.open) {
      this.dropped++;
      return;
    }
    const query = parseQuery(frame.payload());
    const key = ggepPayload(query.ggep, 'QK');
    const requestBytes = frame.end - frame.start;
    const guid = Buffer.from(frame.guid());
    const address = this.#parts.addressKey(from);
    if (key === null || !this.#keys.holds(from, key, now)) {
      this.badKeys++;
      // without a key the sender does not support GUESS; a bad one may be expired
      if (key === null || !this.#newKeys.admit(address, now)) return;
      this.#parts.pong(guid, from, requestBytes, false, [{ id: 'QK', payload: this.#keys.keyOf(from, now) }], now);
      return;
    }
    const due = this.#rates.admit(address, now) ? ALL_LIMIT.admit(this.#allDue, now) : -1;
    if (due < 0 || !this.#parts.core.receiveDatagramQuery(strippedQuery(guid, frame.payload(), from), now)) {
      this.dropped++;
      return;
    }
    this.#allDue = due;
    this.served++;
    this.#remember(guidKey(guid), from, now);
    this.#parts.pong(guid, from, requestBytes, ggepPayload(query.ggep, 'SCP') !== null, [], now);
    this.#answer(guid, query, from, now);
  }

  #answer(guid: Buffer, query: Query, from: Endpoint, now: number): void {
    const { identity, library, deliveries } = this.#parts;
    if (isOutOfReach(query, identity, now)) return;
    const files = library.match(query, query.maxHits === 0 ? HITS_MAX : Math.min(query.maxHits, HITS_MAX));
    if (files.length > 0)
      deliveries.add(from, hitDatagrams(identity, files, guid, [], now, xmlFor(query, library)), now);
  }

  #remember(key: string, to: Endpoint, now: number): void {
    this.#routes.set(key, { to, since: now });
    if (this.#routes.size <= ROUTES_MAX) return;
    const [oldest] = this.#routes.keys();
    if (oldest !== undefined) this.#routes.delete(oldest);
  }

  /** A leaf's hit for such a query: where it goes, or why it does not, is our matter alone. */
  onHit(frame: Frame, now: number): void {
    const route = this.#routes.get(guidKey(frame.bytes, frame.start));
    if (route === undefined || now - route.since > ROUTE_MS || frame.end - frame.start > HIT_BYTES_MAX) {
      this.dropped++;
      return;
    }
    const copy = frame.copy();
    copy[17] = 1;
    copy[18] = frame.hops + 1;
    this.hitsRouted++;
    this.#parts.deliveries.add(route.to, [copy], now);
  }

  /** Forgets old routes; when there are more to forget. */
  tick(now: number): number {
    for (const [key, { since }] of this.#routes) {
      if (now - since <= ROUTE_MS) return since + ROUTE_MS + 1; // oldest first
      this.#routes.delete(key);
    }
    return Number.POSITIVE_INFINITY;
  }

  /** For tests and metrics. */
  get routes(): number {
    return this.#routes.size;
  }
}

/** Between the searcher and us. */
const FOR_US: ReadonlySet<string> = new Set(['QK', 'SCP', 'Z']);
const FOR_US_OR_OUT_OF_BAND: ReadonlySet<string> = new Set([...FOR_US, 'SO']);

/**
 * The query for leaves: without GUESS items, and without the out-of-band flag unless the address in the GUID is the sender's
 * (gtk-gnutella).
 */
function strippedQuery(guid: Buffer, payload: Buffer, from: Endpoint): Buffer {
  const { host, port } = addressInGuid(guid);
  const own = host === from.host && port > 0;
  const stripped = queryWithout(payload, own ? FOR_US : FOR_US_OR_OUT_OF_BAND);
  if (!own && (queryFlags(stripped) & QueryFlag.OutOfBand) !== 0) {
    stripped.writeUInt16BE(stripped.readUInt16BE(0) & ~QueryFlag.OutOfBand);
  }
  return encodeDescriptor(guid, Type.Query, 1, 0, stripped);
}
