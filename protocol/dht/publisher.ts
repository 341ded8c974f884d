// Publishes our values: looks the nodes nearest to the key up, stores the value there, and again before it expires, until it is withdrawn.
import type { DhtContact } from './dht-contact.ts';
import type { DhtCounters } from './dht-counters.ts';
import type { DhtValue } from './dht-value.ts';
import { kuidKey } from './kuid.ts';
import type { Candidate } from './lookup.ts';
import type { LookupResult } from './lookup-result.ts';
import type { Lookups } from './lookups.ts';
import { Removals } from './removals.ts';
import type { Requests } from './requests.ts';
import { StoreCode } from './store-status.ts';
import { ValueDelivery } from './value-delivery.ts';

const MINUTE_MS = 60_000;
/** Life of a value at other nodes minus a margin. */
const REPUBLISH_MS = 55 * MINUTE_MS;
const REPUBLISH_MIN_MS = 5 * MINUTE_MS;
/** A key that so many nodes have no room for is popular: it can do without us for long, and each time for twice as long. */
const POPULAR_REFUSALS = 3;
const POPULAR_MS = 180 * MINUTE_MS;
const POPULAR_MAX_MS = 7 * 24 * 60 * MINUTE_MS;
export const PUBLICATIONS_MAX = 4_096;
/** Publications under way at one time. */
const RUNNING_MAX = 4;
/** Values of one publication on their way. */
const DELIVERIES_AT_ONCE = 5;

export interface Publishable {
  readonly key: Buffer;
  readonly type: string;
  readonly version: number;
  readonly data: Buffer;
  /** The data to publish, asked for before each time. Null: it is to be published no more, and expires where it is stored. Absent: `data`. */
  readonly renew?: (now: number) => Buffer | null;
}

export interface PublicationView extends Publishable {
  /** Nodes that keep it. */
  readonly storedAt: number;
  /** When it is published next; Infinity: it is under way. */
  readonly dueAt: number;
  readonly published: number;
  /** So many nodes had no room for it that it waits for hours. */
  readonly popular: boolean;
}

interface Publication {
  wish: Publishable;
  dueAt: number;
  published: number;
  popularMs: number;
  deliveries: ValueDelivery[];
  running: boolean;
  /** It has ended: `forgotten` leaves the values where they are, `removed` has them removed. */
  end: 'forgotten' | 'removed' | null;
}

export interface PublisherPorts {
  readonly lookups: Lookups;
  readonly requests: Requests;
  readonly counters: DhtCounters;
  /** Our contact as the creator. */
  readonly creator: () => DhtContact;
}

export class Publisher {
  readonly #ports: PublisherPorts;
  readonly #publications = new Map<string, Publication>();
  /** Of publications that have ended. */
  readonly removals: Removals;
  /** Deliveries that are tried again later. */
  readonly #retries = new Set<ValueDelivery>();
  #running = 0;
  #nextAt = Number.POSITIVE_INFINITY;
  /** STOREs that were answered with OK, and with anything else or nothing. */
  stored = 0;
  refused = 0;

  constructor(ports: PublisherPorts) {
    this.#ports = ports;
    this.removals = new Removals(ports.requests, ports.counters.removals);
  }

  /** When tick() has something to do; no later than that. */
  get nextAt(): number {
    return Math.min(this.#nextAt, this.removals.nextAt);
  }

  get size(): number {
    return this.#publications.size;
  }

  /** Publishes at once and for as long as it is not withdrawn; the same key and type again replaces the data. False: too many. */
  publish(wish: Publishable, now: number): boolean {
    const name = nameOf(wish);
    const before = this.#publications.get(name);
    if (before === undefined && this.size >= PUBLICATIONS_MAX) return false;
    this.#wake(now);
    this.removals.cancel(name);
    const kept = { ...wish, key: Buffer.from(wish.key), data: Buffer.from(wish.data) };
    if (before === undefined) {
      const fresh = { dueAt: now, published: 0, popularMs: 0, deliveries: [], running: false, end: null };
      this.#publications.set(name, { wish: kept, ...fresh });
    } else if (!before.wish.data.equals(kept.data) || before.wish.version !== kept.version) {
      before.wish = kept;
      before.dueAt = now;
    }
    return true;
  }

  has(key: Buffer, type: string): boolean {
    return this.#publications.has(nameOf({ key, type }));
  }

  /** Every publication of a type is due: what it says, or our address, has changed. */
  hasten(type: string, now: number): void {
    for (const publication of this.#publications.values()) if (publication.wish.type === type) publication.dueAt = now;
    this.#wake(now);
  }

  /** Ends a publication; the value expires where it is stored. */
  forget(key: Buffer, type: string): void {
    const name = nameOf({ key, type });
    const publication = this.#publications.get(name);
    if (publication === undefined) return;
    this.#publications.delete(name);
    publication.end = 'forgotten';
    for (const delivery of publication.deliveries) this.#retries.delete(delivery);
  }

  /** Ends a publication and removes the value where it is stored. False: there was none. */
  unpublish(key: Buffer, type: string, now: number): boolean {
    const name = nameOf({ key, type });
    const publication = this.#publications.get(name);
    if (publication === undefined) return false;
    this.#publications.delete(name);
    publication.end = 'removed';
    for (const delivery of publication.deliveries) this.#retries.delete(delivery);
    this.#remove(
      publication.deliveries.filter(({ isStored }) => isStored),
      now,
    );
    return true;
  }

  /** Of one publication that has ended, unless the same is published again meanwhile. */
  #remove(deliveries: readonly ValueDelivery[], now: number): void {
    const [first] = deliveries;
    if (first === undefined) return;
    const name = nameOf(first.value);
    if (!this.#publications.has(name)) this.removals.add(name, first.value, deliveries, now);
  }

  views(): PublicationView[] {
    return [...this.#publications.values()].map(({ wish, deliveries, dueAt, published, running, popularMs }) => ({
      ...wish,
      popular: popularMs > 0,
      storedAt: deliveries.filter(({ isStored }) => isStored).length,
      dueAt: running ? Number.POSITIVE_INFINITY : dueAt,
      published,
    }));
  }

  tick(now: number): void {
    this.removals.tick(now);
    if (now < this.#nextAt) return;
    for (const delivery of [...this.#retries]) if (delivery.dueAt <= now) this.#deliver(delivery, now);
    for (let next = this.#next(now); next !== null && this.#running < RUNNING_MAX; next = this.#next(now))
      this.#start(next, now);
    this.#nextAt = Number.POSITIVE_INFINITY;
    for (const { dueAt } of this.#retries) this.#wake(dueAt);
    // the end of a publication wakes the next one
    if (this.#running >= RUNNING_MAX) return;
    for (const { dueAt, running } of this.#publications.values()) if (!running) this.#wake(dueAt);
  }

  /** The one that has been due for the longest. */
  #next(now: number): Publication | null {
    let next: Publication | null = null;
    for (const publication of this.#publications.values()) {
      const { running, dueAt } = publication;
      if (!running && dueAt <= now && (next === null || dueAt < next.dueAt)) next = publication;
    }
    return next;
  }

  #wake(at: number): void {
    this.#nextAt = Math.min(this.#nextAt, at);
  }

  #start(publication: Publication, now: number): void {
    const { key, type, renew } = publication.wish;
    const data = renew === undefined ? publication.wish.data : renew(now);
    if (data === null) {
      this.forget(key, type);
      return;
    }
    publication.wish = { ...publication.wish, data };
    publication.running = true;
    publication.dueAt = Number.POSITIVE_INFINITY;
    this.#running++;
    this.#ports.lookups.start({ target: key, type: null, ofNode: false, kind: 'publish' }, now, (result, at) =>
      this.#store(publication, result, at),
    );
  }

  #store(publication: Publication, { nearest }: LookupResult, now: number): void {
    if (publication.end !== null) {
      this.#end(publication, now);
      return;
    }
    for (const delivery of publication.deliveries) this.#retries.delete(delivery);
    const value: DhtValue = { ...publication.wish, creator: this.#ports.creator() };
    const deliveries = nearest.map(
      ({ contact, token }: Candidate) =>
        new ValueDelivery(contact, token, value, this.#ports.requests, (delivery, at) => {
          this.#count(delivery);
          if (publication.end === null) this.#retryLater(delivery);
          else if (publication.end === 'removed' && delivery.isStored) this.#remove([delivery], at); // it was on its way
          this.#proceed(publication, waiting, at);
        }),
    );
    const waiting = [...deliveries];
    publication.deliveries = deliveries;
    if (deliveries.length === 0) this.#end(publication, now);
    for (let i = 0; i < DELIVERIES_AT_ONCE; i++) waiting.shift()?.start(now);
  }

  #proceed(publication: Publication, waiting: ValueDelivery[], now: number): void {
    if (!publication.running) return; // a later try
    if (publication.end !== null) waiting.length = 0;
    waiting.shift()?.start(now);
    if (publication.end !== null || publication.deliveries.every(({ settled }) => settled)) this.#end(publication, now);
  }

  #end(publication: Publication, now: number): void {
    if (!publication.running) return;
    publication.running = false;
    this.#running--;
    publication.published++;
    this.#wake(now);
    const { deliveries } = publication;
    // data that were replaced meanwhile are due at once
    if (publication.dueAt <= now || publication.end !== null) return;
    const full = deliveries.filter(({ code }) => code === StoreCode.Full || code === StoreCode.FullAndLoaded).length;
    if (full >= POPULAR_REFUSALS) {
      publication.popularMs = Math.min(POPULAR_MAX_MS, Math.max(POPULAR_MS, 2 * publication.popularMs));
      publication.dueAt = now + publication.popularMs;
      return;
    }
    publication.popularMs = 0;
    const share = deliveries.length === 0 ? 0 : deliveries.filter(d => d.isStored).length / deliveries.length;
    publication.dueAt = now + Math.max(REPUBLISH_MIN_MS, REPUBLISH_MS * share);
  }

  #count(delivery: ValueDelivery): void {
    if (delivery.isStored) this.stored++;
    else this.refused++;
  }

  #deliver(delivery: ValueDelivery, now: number): void {
    this.#retries.delete(delivery);
    delivery.start(now);
  }

  #retryLater(delivery: ValueDelivery): void {
    if (delivery.dueAt === Number.POSITIVE_INFINITY) return;
    this.#retries.add(delivery);
    this.#wake(delivery.dueAt);
  }
}

function nameOf({ key, type }: { readonly key: Buffer; readonly type: string }): string {
  return kuidKey(key) + type;
}
