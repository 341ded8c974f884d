// Has hits for the queries of leaves sent to us by UDP, for leaves that datagrams do not reach: the query travels under a GUID with our
// address, and its hits go on to the leaf under the leaf's own.
import { HEADER_BYTES } from '../../constants.ts';
import { LazyMap } from '../../lazy-map.ts';
import { ReasonCounts } from '../../reason-counts.ts';
import { isIpv6 } from '../../wire/endpoint.ts';
import type { Frame } from '../../wire/frame-reader.ts';
import { ggepPayload } from '../../wire/ggep.ts';
import { guidKey } from '../../wire/guid.ts';
import { addressGuid } from '../../wire/guid-address.ts';
import { parseQuery, QueryFlag, queryFlags, queryWith, wantsOutOfBand } from '../../wire/query.ts';
import type { Identity } from '../identity.ts';
import type { Link } from '../links/link.ts';
import { LinkState } from '../links/link.ts';
import { Priority } from '../links/send-queue.ts';

/** Longer than a dynamic query lasts (gtk-gnutella). */
const PROXIED_MS = 660_000;
const PROXIED_MAX = 4_096;
/** Of one leaf; its oldest gives way. */
const PER_LEAF_MAX = 32;
/** Hits that are fetched for one query by UDP: what a leaf shows of a search. */
const HITS_MAX = 250;
/** Offers are not taken while so much waits for the leaf. */
const QUEUED_BYTES_MAX = 32_768;
/** The hits of a query go to a leaf with TTL 1, and came from at least one hop away. */
const TTL = 1;

export const PROXY_OUTCOMES = [
  'proxied',
  /** The leaf, or the query itself, does not want it. */
  'vetoed',
  /** The query has such a GUID already. */
  'known',
] as const;

/** A query of a leaf that travels under another GUID. */
export interface ProxiedQuery {
  readonly leaf: Link;
  readonly leafGuid: Buffer;
  /** With our address: under this it travels. */
  readonly guid: Buffer;
  /** What travels: it asks for hits by UDP. */
  readonly payload: Buffer;
  /** Hits that were asked for. */
  hits: number;
  readonly hitsMax: number;
  readonly until: number;
  onClaimed(hits: number): void;
}

export class OutOfBandProxy {
  readonly outcomes = new ReasonCounts<(typeof PROXY_OUTCOMES)[number]>(PROXY_OUTCOMES);
  /** Hits that went on to leaves, by datagram. */
  hitsPassed = 0;
  readonly #identity: Identity;
  /** By the key of the GUID with our address, oldest first. */
  readonly #proxied = new LazyMap<string, ProxiedQuery>();
  readonly #perLeaf = new LazyMap<Link, number>();

  constructor(identity: Identity) {
    this.#identity = identity;
  }

  get size(): number {
    return this.#proxied.size;
  }

  /** A leaf's query that is new. Null: it travels as it is. `isKnown`: whether a GUID is in use. */
  start(leaf: Link, frame: Frame, isKnown: (guid: Buffer) => boolean, now: number): ProxiedQuery | null {
    const own = this.#identity.outOfBand?.(now) ?? null;
    if (own === null || isIpv6(own.host)) return null;
    const payload = Buffer.from(frame.payload());
    if ((queryFlags(payload) & QueryFlag.Marked) === 0 || wantsOutOfBand(payload)) return null;
    if (leaf.vetoesProxy || (payload.includes('NP') && ggepPayload(parseQuery(payload).ggep, 'NP') !== null)) {
      this.outcomes.count('vetoed');
      return null;
    }
    const leafGuid = Buffer.from(frame.guid());
    const guid = addressGuid(Buffer.from(leafGuid), own);
    if (isKnown(guid)) {
      this.outcomes.count('known');
      return null;
    }
    payload.writeUInt16BE(payload.readUInt16BE(0) | QueryFlag.OutOfBand, 0);
    // answers have to repeat a token of ours, which proves their address
    const secured = queryWith(payload, [{ id: 'SO', payload: Buffer.alloc(0) }]);
    this.#makeRoom(leaf);
    const proxied: ProxiedQuery = {
      ...{ leaf, leafGuid, guid, payload: secured, hits: 0, hitsMax: HITS_MAX, until: now + PROXIED_MS },
      onClaimed: wanted => {
        proxied.hits += wanted;
      },
    };
    this.#proxied.set(guidKey(guid), proxied);
    this.#perLeaf.set(leaf, (this.#perLeaf.get(leaf) ?? 0) + 1);
    this.outcomes.count('proxied');
    return proxied;
  }

  /** The query whose GUID, with our address, stands at `start`. */
  find(bytes: Buffer, start: number): ProxiedQuery | null {
    return this.#proxied.size === 0 ? null : (this.#proxied.get(guidKey(bytes, start)) ?? null);
  }

  /** The same for an offer of hits: null as well when the leaf is gone, or cannot take more. */
  inNeed(bytes: Buffer, start: number): ProxiedQuery | null {
    const proxied = this.find(bytes, start);
    if (proxied === null) return null;
    const { leaf, hits, hitsMax } = proxied;
    const takes = leaf.state === LinkState.Open && leaf.queue.bytes < QUEUED_BYTES_MAX && hits < hitsMax;
    return takes ? proxied : null;
  }

  /** A hit that came by datagram goes on to the leaf. */
  pass({ leaf, leafGuid }: ProxiedQuery, frame: Frame): void {
    const copy = frame.copy();
    leafGuid.copy(copy, 0);
    copy[17] = TTL;
    copy[18] = Math.min(frame.hops + 1, 0xff);
    this.hitsPassed += frame.bytes.readUInt8(frame.start + HEADER_BYTES);
    leaf.queue.enqueue(copy, Priority.Hit);
  }

  /** The leaf is gone. */
  forget(leaf: Link): void {
    if (!this.#perLeaf.delete(leaf)) return;
    for (const [key, proxied] of this.#proxied) if (proxied.leaf === leaf) this.#proxied.delete(key);
  }

  #makeRoom(leaf: Link): void {
    const isFull = this.#proxied.size >= PROXIED_MAX;
    if (!isFull && (this.#perLeaf.get(leaf) ?? 0) < PER_LEAF_MAX) return;
    for (const proxied of this.#proxied.values()) {
      if (!isFull && proxied.leaf !== leaf) continue;
      this.#end(proxied);
      return;
    }
  }

  #end({ guid, leaf }: ProxiedQuery): void {
    this.#proxied.delete(guidKey(guid));
    const left = (this.#perLeaf.get(leaf) ?? 1) - 1;
    if (left > 0) this.#perLeaf.set(leaf, left);
    else this.#perLeaf.delete(leaf);
  }

  /** Forgets what is over; when there is more to forget. */
  tick(now: number): number {
    for (const proxied of this.#proxied.values()) {
      if (now < proxied.until) return proxied.until; // in order of their start
      this.#end(proxied);
    }
    return Number.POSITIVE_INFINITY;
  }
}
