// Out-of-band hits, by UDP: the responder offers (LIME/12), the searcher claims (LIME/11), the hits follow. In version 3 each
// carries the searcher's token, so that nobody else can send hits.
import { LazyMap } from '../../lazy-map.ts';
import type { Random } from '../../ports.ts';
import { RateLimit } from '../../rate-limit.ts';
import type { SharedFile } from '../../search/shared-file.ts';
import { TimedKeys } from '../../timed-keys.ts';
import { type Endpoint, formatEndpoint, type Reach, reachOf } from '../../wire/endpoint.ts';
import type { Frame } from '../../wire/frame-reader.ts';
import { ggepPayload } from '../../wire/ggep.ts';
import { guidKey } from '../../wire/guid.ts';
import { addressInGuid } from '../../wire/guid-address.ts';
import { type Query, QueryFlag, wantsXml } from '../../wire/query.ts';
import type { QueryHit } from '../../wire/query-hit.ts';
import {
  encodeOutOfBandAck,
  encodeOutOfBandOffer,
  OUT_OF_BAND_ALL,
  type OutOfBandAck,
  type OutOfBandOffer,
} from '../../wire/vendor/out-of-band.ts';
import type { Identity } from '../identity.ts';
import type { HitTransport } from '../queries/answerer.ts';
import { hitDatagrams, type XmlOf } from '../queries/own-hits.ts';
import { AddressKeys } from './address-keys.ts';
import type { Deliveries } from './deliveries.ts';

/** Offers that wait for a claim; the oldest gives way. */
const OFFERS_MAX = 1_024;
/** gtk-gnutella waits so long for the claim. */
const OFFER_MS = 80_000;
/** An address that lets so many offers within a minute go unclaimed gets none for ten (gtk-gnutella). */
const UNCLAIMED_MAX = 25;
const UNCLAIMED_MS = 60_000;
const BAN_MS = 600_000;
const ADDRESSES_MAX = 2_048;
/** Offers to everybody together; what is more goes over the links. */
const OFFER_LIMIT = new RateLimit(20, 200);

interface Offer {
  readonly to: Endpoint;
  readonly files: readonly SharedFile[];
  readonly wantsXml: boolean;
  readonly secure: boolean;
  readonly madeAt: number;
}

export interface OutOfBandRepliesParts {
  readonly identity: Identity;
  /** XML of the library's metadata for hits that are asked to carry it. */
  readonly xmlOf: XmlOf;
  readonly reaches: readonly Reach[];
  readonly deliveries: Deliveries;
  /** Sends a vendor message under this GUID. */
  readonly send: (payload: Buffer, guid: Buffer, to: Endpoint, now: number) => void;
  /** Key by which an address is limited: the host, with the port where many servents share an address. */
  readonly addressKey: (endpoint: Endpoint) => string;
  /** Whether datagrams that we did not ask for reach us. */
  readonly takesUnsolicited: (now: number) => boolean;
}

/** Our own hits for queries of others. */
export class OutOfBandReplies implements HitTransport {
  readonly #parts: OutOfBandRepliesParts;
  /** By GUID of the query, oldest first; at most OFFERS_MAX. */
  readonly #offers = new LazyMap<string, Offer>();
  /** Unclaimed offers by addressKey() within this minute; at most ADDRESSES_MAX. */
  readonly #unclaimed = new LazyMap<string, number>();
  #unclaimedSince: number;
  #offersDue = 0;
  readonly #banned: TimedKeys;
  offered = 0;
  claimed = 0;
  /** Claims for nothing, from elsewhere, or without the token. */
  refused = 0;

  constructor(parts: OutOfBandRepliesParts, now: number) {
    this.#parts = parts;
    this.#unclaimedSince = now;
    this.#banned = new TimedKeys(BAN_MS, ADDRESSES_MAX, now);
  }

  get waiting(): number {
    return this.#offers.size;
  }

  /** Offers the hits if the searcher takes them so and is farther than its neighbours. */
  offer(frame: Frame, query: Query, files: readonly SharedFile[], now: number): boolean {
    if (frame.hops < 1) return false; // straight from the searcher: the link is as short as any way
    const secure = ggepPayload(query.ggep, 'SO') !== null;
    if (!secure && (query.flags & QueryFlag.OutOfBand) === 0) return false;
    const { identity, reaches, send, takesUnsolicited } = this.#parts;
    const to = addressInGuid(frame.bytes, frame.start);
    const own = identity.listen();
    if (to.port === 0 || !reaches.includes(reachOf(to.host)) || (to.host === own.host && to.port === own.port))
      return false;
    const target = this.#parts.addressKey(to);
    if (this.#banned.has(target, now)) return false;
    const due = OFFER_LIMIT.admit(this.#offersDue, now);
    if (due < 0) return false;
    this.#offersDue = due;
    const guid = Buffer.from(frame.guid());
    this.#makeRoom();
    this.#offers.set(guidKey(guid), { to, files: [...files], wantsXml: wantsXml(query), secure, madeAt: now });
    this.#note(target, now);
    this.offered++;
    const unsolicited = takesUnsolicited(now);
    send(encodeOutOfBandOffer({ hits: files.length, unsolicited, secure }), guid, to, now);
    return true;
  }

  #makeRoom(): void {
    if (this.#offers.size < OFFERS_MAX) return;
    const [oldest] = this.#offers.keys();
    if (oldest !== undefined) this.#offers.delete(oldest);
  }

  #note(target: string, now: number): void {
    if (now - this.#unclaimedSince >= UNCLAIMED_MS || this.#unclaimed.size >= ADDRESSES_MAX) {
      this.#unclaimed.clear();
      this.#unclaimedSince = now;
    }
    const count = (this.#unclaimed.get(target) ?? 0) + 1;
    this.#unclaimed.set(target, count);
    if (count <= UNCLAIMED_MAX) return;
    this.#banned.add(target, now);
    this.#unclaimed.delete(target);
  }

  /** LIME/11: sends the hits, to the address that the claim came from. */
  onClaim(guid: Buffer, ack: OutOfBandAck, from: Endpoint, now: number): void {
    const key = guidKey(guid);
    const offer = this.#offers.get(key);
    // a router may change the port, never the host
    if (offer === undefined || offer.to.host !== from.host || now - offer.madeAt > OFFER_MS) {
      this.refused++;
      return;
    }
    if (offer.secure && ack.token === null) {
      this.refused++;
      return;
    }
    this.#offers.delete(key);
    const target = this.#parts.addressKey(offer.to);
    this.#unclaimed.set(target, Math.max(0, (this.#unclaimed.get(target) ?? 0) - 1));
    this.claimed++;
    const files = ack.wanted === OUT_OF_BAND_ALL ? offer.files : offer.files.slice(0, ack.wanted);
    const xmlOf = offer.wantsXml ? this.#parts.xmlOf : undefined;
    const ggep = ack.token === null ? [] : [{ id: 'SO', payload: Buffer.from(ack.token) }];
    this.#parts.deliveries.add(from, hitDatagrams(this.#parts.identity, files, guid, ggep, now, xmlOf), now);
  }

  /** Forgets offers that nobody claimed; when there are more to forget. */
  tick(now: number): number {
    for (const [key, { madeAt }] of this.#offers) {
      if (now - madeAt <= OFFER_MS) return madeAt + OFFER_MS + 1; // in order of their making
      this.#offers.delete(key);
    }
    return Number.POSITIVE_INFINITY;
  }
}

/** gtk-gnutella's tokens live as long. */
const TOKEN_MS = 900_000;
/** Claims without a token; LimeWire's sessions end after two minutes. */
const CLAIM_MS = 120_000;
const CLAIMS_MAX = 2_048;
/** More than anybody looks at. */
const HITS_ENOUGH = 1_000;

/** What a search of ours is to this file. */
export interface SearchInNeed {
  readonly hits: number;
  /** Fewer than for searches of ours; then what was claimed counts at once. */
  readonly hitsMax?: number;
  onClaimed?(hits: number): void;
}

/** Others' hits for our own queries. */
export class OutOfBandClaims {
  readonly #tokens: AddressKeys;
  /** Guid and address of claims that needed no token. */
  readonly #claims: TimedKeys;
  readonly #send: (payload: Buffer, guid: Buffer, to: Endpoint, now: number) => void;
  claimed = 0;

  constructor(random: Random, send: OutOfBandRepliesParts['send'], now: number) {
    this.#tokens = new AddressKeys(random, TOKEN_MS, now);
    this.#claims = new TimedKeys(CLAIM_MS, CLAIMS_MAX, now);
    this.#send = send;
  }

  /** LIME/12 for a search that runs. */
  onOffer(search: SearchInNeed, guid: Buffer, offer: OutOfBandOffer, from: Endpoint, now: number): void {
    const wanted = Math.min(offer.hits, (search.hitsMax ?? HITS_ENOUGH) - search.hits);
    if (wanted <= 0) return;
    search.onClaimed?.(wanted);
    this.claimed++;
    const token = offer.secure ? this.#tokens.keyOf(from, now) : null;
    if (token === null) this.#claims.add(claimKey(guid, from), now);
    this.#send(encodeOutOfBandAck({ wanted: wanted >= 255 ? OUT_OF_BAND_ALL : wanted, token }), guid, from, now);
  }

  /** Whether we claimed this hit from this address. */
  claimedFrom(hit: QueryHit, guid: Buffer, from: Endpoint, now: number): boolean {
    const token = ggepPayload(hit.ggep, 'SO');
    if (token !== null) return this.#tokens.holds(from, token, now);
    return this.#claims.has(claimKey(guid, from), now);
  }
}

function claimKey(guid: Buffer, from: Endpoint): string {
  return `${guidKey(guid)}${formatEndpoint(from)}`;
}
