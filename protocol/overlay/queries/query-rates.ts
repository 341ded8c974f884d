// Judges whether a query comes too soon after others of its link, or of the leaves at its address. Reads the rates at each query.

import { KeyedRateLimit, RateLimit } from '../../rate-limit.ts';
import type { ServentSettings } from '../../servent-settings.ts';
import { Drop } from '../links/drops.ts';
import type { Link } from '../links/link.ts';

export type QueryRateSettings = Pick<ServentSettings, 'queriesPerSecond' | 'leafQueriesPerSecond'>;

/** 0 queries a second: no limit, and nothing is said of a burst. */
export interface QueryRate {
  readonly perSecond: number;
  /** Most that may come at once after a pause. */
  readonly burst: number;
}

/** Bursts in seconds' worth: a relay passes on what others send at once, and a person who returns asks several times. */
const ULTRAPEER_BURST_SECONDS = 10;
const LEAF_BURST_SECONDS = 20;
const ADDRESS_BURST_SECONDS = 15;
/** Queries let through above a burst, so that rounding of times costs none. */
const ROUNDING = 0.01;
/** Addresses remembered; the longest silent ones are forgotten, and may send a burst again. */
const ADDRESSES_MAX = 16_384;

/** A rate that may change between two queries. Links keep only the time until which they have used it up, which a new rate takes over. */
class ChangingRate {
  readonly #burstSeconds: number;
  #perSecond = 0;
  #limit: RateLimit | null = null;

  constructor(burstSeconds: number) {
    this.#burstSeconds = burstSeconds;
  }

  /** The limit at so many a second; null: none. */
  at(perSecond: number): RateLimit | null {
    if (perSecond !== this.#perSecond) {
      this.#perSecond = perSecond;
      this.#limit = perSecond === 0 ? null : new RateLimit(1_000 / perSecond, this.burst(perSecond) + ROUNDING);
    }
    return this.#limit;
  }

  burst(perSecond: number): number {
    return perSecond * this.#burstSeconds;
  }
}

export class QueryRates {
  readonly #settings: QueryRateSettings;
  /** All leaves at one address together may send so many times what one may. 0: no limit. */
  readonly #leavesOfAddress: number;
  readonly #ultrapeer = new ChangingRate(ULTRAPEER_BURST_SECONDS);
  readonly #leaf = new ChangingRate(LEAF_BURST_SECONDS);
  readonly #address = new ChangingRate(ADDRESS_BURST_SECONDS);
  #addresses: KeyedRateLimit | null = null;

  constructor(settings: QueryRateSettings, leavesOfAddress: number) {
    this.#settings = settings;
    this.#leavesOfAddress = leavesOfAddress;
  }

  /** For a query that is no duplicate: why it is dropped, or null. Peers of 0.4 count as ultrapeers. */
  judge(link: Link, now: number): Drop | null {
    if (link.role !== 'leaf') {
      const limit = this.#ultrapeer.at(this.#settings.queriesPerSecond);
      return limit === null || takes(limit, link, now) ? null : Drop.QueryTooSoon;
    }
    const { leafQueriesPerSecond } = this.#settings;
    const limit = this.#leaf.at(leafQueriesPerSecond);
    if (limit !== null && !takes(limit, link, now)) return Drop.QueryTooSoon;
    const ofAddress = this.#address.at(leafQueriesPerSecond * this.#leavesOfAddress);
    if (ofAddress === null) return null;
    this.#addresses ??= new KeyedRateLimit(ofAddress, ADDRESSES_MAX);
    this.#addresses.limit = ofAddress;
    return this.#addresses.admit(link.endpoint.host, now) ? null : Drop.QueryTooSoonOfAddress;
  }

  /** The rate that holds for this link now. */
  ofLink(link: Link): QueryRate {
    const leaf = link.role === 'leaf';
    const perSecond = leaf ? this.#settings.leafQueriesPerSecond : this.#settings.queriesPerSecond;
    return { perSecond, burst: (leaf ? this.#leaf : this.#ultrapeer).burst(perSecond) };
  }

  /** The rate that holds now for all leaves at one address together. */
  ofAddress(): QueryRate {
    const perSecond = this.#settings.leafQueriesPerSecond * this.#leavesOfAddress;
    return { perSecond, burst: this.#address.burst(perSecond) };
  }
}

function takes(limit: RateLimit, link: Link, now: number): boolean {
  const due = limit.admit(link.queryDue, now);
  if (due < 0) return false;
  link.queryDue = due;
  return true;
}
