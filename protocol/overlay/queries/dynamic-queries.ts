// The running dynamic queries, our own and those of our leaves: starts them, sends what they decide, feeds them results.
import { HEADER_BYTES, Type } from '../../constants.ts';
import { LazyMap } from '../../lazy-map.ts';
import { LazySet } from '../../lazy-set.ts';
import type { Random } from '../../ports.ts';
import type { QueryHashes } from '../../qrp/hash.ts';
import { SortedList } from '../../sorted-list.ts';
import type { Frame } from '../../wire/frame-reader.ts';
import { guidKey } from '../../wire/guid.ts';
import { encodeDescriptor } from '../../wire/header.ts';
import { isWhatsNewText, QueryFlag, queryFlags, queryTextEnd } from '../../wire/query.ts';
import { encodeQueryStatusRequest, QUERY_STATUS_STOP } from '../../wire/vendor/leaf-guidance.ts';
import type { OverlayLimits } from '../limits.ts';
import type { OverlayCounters } from '../links/counters.ts';
import type { Link } from '../links/link.ts';
import type { Links } from '../links/links.ts';
import { Priority } from '../links/send-queue.ts';
import type { AnswerPace } from './answer-pace.ts';
import { type Ask, DynamicQuery, NextStep, type Prospect } from './dynamic-query.ts';
import type { NeighbourTables } from './neighbour-tables.ts';
import type { ProxiedQuery } from './oob-proxy.ts';
import { hashesOf } from './query-router.ts';
import type { Search } from './search.ts';

/** What LimeWire takes a peer for that does not say. */
const DEGREE_DEFAULT = 6;

interface Running {
  readonly query: DynamicQuery;
  /** They are stepped in the order in which they began. */
  readonly order: number;
  /** When its next step is, as the timetable has it. */
  due: number;
  /** guidKey of `guid`. */
  readonly key: string;
  /** As the leaf knows it, or our search has it. */
  readonly guid: Buffer;
  /** Under which it travels. */
  readonly sent: Buffer;
  readonly payload: Buffer;
  readonly hashes: QueryHashes;
  readonly whatsNew: boolean;
  /** Most TTL that it is sent with. */
  readonly ttlMax: number;
  /** The leaf that asks, or our own search: one of the two. */
  readonly leaf: Link | null;
  readonly search: Search | null;
  /** Leaves that were chosen for a search of ours; a table that comes later adds to them. */
  readonly leaves: Set<number>;
  /** Ids of links that it went to and when; one that was asked twice has ASKED_AGAIN, as its answers are of either time. */
  readonly asked: Map<number, number>;
  exhausted: boolean;
}

export interface DynamicQueriesParts {
  readonly links: Links;
  readonly tables: NeighbourTables;
  readonly pace: AnswerPace;
  readonly counters: OverlayCounters;
  readonly limits: OverlayLimits;
  readonly random: Random;
}

export class DynamicQueries {
  readonly #parts: DynamicQueriesParts;
  /** By guidKey, oldest first. At most searchesMax of ours and ofLeavesMax of leaves. */
  readonly #running = new LazyMap<string, Running>();
  /** Queries running for a leaf; no entry for none. */
  readonly #perLeaf = new LazyMap<Link, number>();
  /** By when they are due: a busy ultrapeer runs a thousand, of which a tick has to step a few. */
  readonly #timetable = new SortedList(byDue);
  /** Those that are over, until the next tick. */
  readonly #over = new LazySet<Running>();
  /** Those of our own searches, which count their hits themselves. */
  readonly #own = new LazySet<Running>();
  #ofLeaves = 0;
  #begun = 0;
  /** Scratch of one step. */
  readonly #asks: Ask[] = [];

  constructor(parts: DynamicQueriesParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#running.size;
  }

  /** A search of ours, as an ultrapeer; without any link it waits for one. */
  startOwn(search: Search, now: number): void {
    const { ownGoal, urnShare } = this.#parts.limits.dynamicQuery;
    const goal = Math.max(1, Math.round(search.urns.length > 0 ? ownGoal * urnShare : ownGoal));
    this.#step(this.#create(search, goal, null, search, now), now);
  }

  /**
   * A leaf's query, for which we had `ownHits` records. It goes on with the TTL that it came with at most, as with
   * gtk-gnutella. The leaf's oldest gives way to it. `proxied`: it travels under another GUID.
   */
  startOfLeaf(leaf: Link, frame: Frame, ownHits: number, now: number, proxied: ProxiedQuery | null = null): void {
    const { leafGoal, urnShare, perLeafMax, ofLeavesMax } = this.#parts.limits.dynamicQuery;
    if ((this.#perLeaf.get(leaf) ?? 0) >= perLeafMax) this.#endOldest(leaf);
    if (this.#ofLeaves >= ofLeavesMax) this.#endOldest(null);
    const payload = Buffer.from(frame.payload());
    const byUrn = hashesOf(payload).urns.length > 0;
    const goal = Math.max(1, Math.round(byUrn ? leafGoal * urnShare : leafGoal));
    const flags = queryFlags(payload);
    const asked = { guid: Buffer.from(frame.guid()), payload, ttlMax: frame.ttl };
    const running = this.#create(asked, goal, leaf, null, now, proxied);
    running.query.seen = ownHits;
    running.query.guided = leaf.guided || (flags & QueryFlag.LeafGuided) !== 0;
    running.query.unseen = (flags & QueryFlag.OutOfBand) !== 0; // of what the leaf itself wants
    this.#step(running, now);
    this.#perLeaf.set(leaf, (this.#perLeaf.get(leaf) ?? 0) + 1);
    this.#ofLeaves++;
  }

  #create(
    { guid, payload, ttlMax }: Pick<Running, 'guid' | 'payload' | 'ttlMax'>,
    goal: number,
    leaf: Link | null,
    search: Search | null,
    now: number,
    proxied: ProxiedQuery | null = null,
  ): Running {
    const hashes = hashesOf(payload);
    const targets: Link[] = [];
    const whatsNew = isWhatsNewText(payload, 2, queryTextEnd(payload));
    if (whatsNew) this.#parts.tables.sharersOfNews(targets);
    else this.#parts.tables.leavesFor(hashes, targets);
    const hops = search === null ? 1 : 0;
    const ids = targets.filter(target => target !== leaf && hops < target.queryHopsMax).map(({ id }) => id);
    this.#shuffle(ids);
    const query = new DynamicQuery(this.#parts.limits.dynamicQuery, goal, ids, now);
    const leaves = new Set(search === null ? [] : ids);
    const key = guidKey(guid);
    const running: Running = {
      query,
      order: this.#begun++,
      due: Number.POSITIVE_INFINITY,
      key,
      guid,
      sent: proxied?.guid ?? guid,
      payload: proxied?.payload ?? payload,
      hashes,
      whatsNew,
      ttlMax,
      leaf,
      search,
      leaves,
      asked: new Map<number, number>(),
      exhausted: false,
    };
    const before = this.#running.get(key);
    if (before !== undefined) this.#end(before);
    this.#running.set(key, running);
    if (search !== null) this.#own.add(running);
    return running;
  }

  #endOldest(leaf: Link | null): void {
    for (const running of this.#running.values()) {
      if (running.leaf === null || (leaf !== null && running.leaf !== leaf)) continue;
      this.#end(running);
      return;
    }
  }

  #end(running: Running): void {
    const { key, leaf } = running;
    if (this.#running.get(key) !== running) return;
    this.#running.delete(key);
    this.#timetable.remove(running);
    this.#over.delete(running);
    this.#own.delete(running);
    if (leaf === null) return;
    this.#ofLeaves--;
    const left = (this.#perLeaf.get(leaf) ?? 1) - 1;
    if (left > 0) this.#perLeaf.set(leaf, left);
    else this.#perLeaf.delete(leaf);
  }

  /** A hit came over `link`, for a search of ours or routed to a leaf, of the query that begins `guid`: its records count, and how long it took. */
  onHit(link: Link, frame: Frame, guid: Buffer, now: number): void {
    const running = this.#running.get(guidKey(guid));
    if (running === undefined) return;
    if (running.search === null) this.#onRecords(running, recordsOf(frame), now); // ours counts its hits itself
    const askedAt = running.asked.get(link.id) ?? ASKED_AGAIN;
    if (askedAt !== ASKED_AGAIN) this.#parts.pace.note((now - askedAt) / (frame.hops + 1));
  }

  /** Hits for a leaf's query came by datagram. */
  onProxiedHits(guid: Buffer, records: number, now: number): void {
    const running = this.#running.get(guidKey(guid));
    if (running !== undefined) this.#onRecords(running, records, now);
  }

  #onRecords(running: Running, records: number, now: number): void {
    running.query.seen += records;
    this.#judge(running, now);
  }

  #judge(running: Running, now: number): void {
    if (running.query.isDone(now)) this.#over.add(running);
  }

  /** A leaf says how many hits its query has kept. */
  onStatus(leaf: Link, guid: Buffer, kept: number, now: number): void {
    const running = this.#running.get(guidKey(guid));
    if (running === undefined || running.leaf !== leaf) return; // nobody steers another's query
    if (kept === QUERY_STATUS_STOP) running.query.stop();
    else running.query.onStatus(kept, now);
    this.#judge(running, now);
    this.#schedule(running);
  }

  /** A search of ours is over. */
  cancel(search: Search): void {
    const running = this.#running.get(guidKey(search.guid));
    if (running !== undefined) this.#end(running);
  }

  /** Searches that have asked everybody go on with the new link. */
  onLinked(now: number): void {
    for (const running of this.#running.values()) {
      if (!running.exhausted) continue;
      running.query.nextAt = now;
      this.#schedule(running);
    }
  }

  /** A leaf of ours has a new table: searches of ours that it matches now go there too. */
  onLeafTable(leaf: Link, now: number): void {
    if (leaf.queryHopsMax === 0) return;
    for (const running of this.#running.values()) {
      if (running.search === null || running.leaves.has(leaf.id)) continue;
      if (!this.#parts.tables.leafMayMatch(leaf, running.hashes)) continue;
      running.leaves.add(leaf.id);
      this.#send(running, leaf, 1, now);
    }
  }

  /** The link is gone. */
  forget(link: Link): void {
    if (!this.#perLeaf.has(link)) return;
    for (const running of this.#running.values()) if (running.leaf === link) this.#end(running);
  }

  /** Takes the steps that are due; when the next one is. */
  tick(now: number): number {
    for (const running of this.#own) this.#followSearch(running, now);
    for (const running of this.#over) {
      if (running.query.isDone(now)) this.#end(running);
      else this.#over.delete(running); // its leaf has kept less than came
    }
    for (const running of this.#due(now)) {
      const verdict = this.#step(running, now);
      if (verdict === NextStep.Done || (verdict === NextStep.Exhausted && running.search === null)) this.#end(running);
    }
    return this.#timetable.at(0)?.due ?? Number.POSITIVE_INFINITY;
  }

  #due(now: number): readonly Running[] {
    const due: Running[] = [];
    for (const running of this.#timetable) {
      if (running.due > now) break;
      due.push(running);
    }
    return due.sort((a, b) => a.order - b.order);
  }

  #schedule(running: Running): void {
    this.#timetable.remove(running);
    running.due = running.query.nextAt;
    this.#timetable.add(running);
  }

  #followSearch(running: Running, now: number): void {
    const { query, search } = running;
    if (search === null) return;
    query.seen = search.hits;
    if (!search.open) query.stop();
    this.#judge(running, now);
  }

  #step(running: Running, now: number): NextStep {
    const { query } = running;
    this.#followSearch(running, now);
    const asks = this.#asks;
    query.answerMs = this.#parts.pace.waitMs;
    const verdict = query.step(now, this.#prospects(running), asks);
    this.#judge(running, now);
    this.#schedule(running);
    running.exhausted = verdict === NextStep.Exhausted;
    if (verdict === NextStep.AskStatus) this.#askStatus(running);
    for (const { id, ttl } of asks) {
      const link = this.#parts.links.get(id);
      if (link !== null) this.#send(running, link, ttl, now);
    }
    asks.length = 0;
    return verdict;
  }

  #prospects({ leaf, search, hashes, whatsNew, ttlMax }: Running): Prospect[] {
    const { limits } = this.#parts;
    const hops = search === null ? 1 : 0;
    const prospects: Prospect[] = [];
    for (const link of this.#parts.links.relays) {
      if (link === leaf || link.ourRole === 'leaf' || hops >= link.queryHopsMax) continue;
      if (whatsNew && !link.whatsNew) continue;
      const { capabilities, routeTable } = link;
      const most =
        link.role === 'legacy' ? limits.legacyTtlMax : Math.min(limits.ttlMax, capabilities.maxTtl ?? limits.ttlMax);
      prospects.push({
        id: link.id,
        degree: Math.max(2, capabilities.degree ?? DEGREE_DEFAULT),
        ttlMax: whatsNew ? 1 : Math.max(1, Math.min(most - hops, ttlMax)), // one link further everybody stops it
        matches: whatsNew || (routeTable === null ? null : routeTable.mayMatch(hashes)),
        again: capabilities.extProbes,
        queuedBytes: link.queue.bytes,
      });
    }
    this.#shuffle(prospects);
    return prospects;
  }

  #send({ sent, payload, search, asked }: Running, link: Link, ttl: number, now: number): void {
    const hops = search === null ? 1 : 0;
    link.queue.enqueue(encodeDescriptor(sent, Type.Query, ttl, hops, payload), Priority.Query);
    if (search === null) this.#parts.counters.queriesRelayed++;
    else if (!asked.has(link.id)) search.noteAsked(now);
    asked.set(link.id, asked.has(link.id) ? ASKED_AGAIN : now);
  }

  #askStatus({ guid, leaf }: Running): void {
    leaf?.queue.enqueue(encodeDescriptor(guid, Type.Vendor, 1, 0, encodeQueryStatusRequest()), Priority.Control);
  }

  /** Puts prospects in random order, so that no neighbour is asked first by every query. */
  #shuffle<T>(list: T[]): void {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.#parts.random.below(i + 1);
      [list[i], list[j]] = [list[j] as T, list[i] as T];
    }
  }
}

const ASKED_AGAIN = -1;

const byDue = (a: Running, b: Running): number => a.due - b.due || a.order - b.order;

/** Records of the query hit in `frame`, whose payload is known to have its first byte. */
export function recordsOf(frame: Frame): number {
  return frame.bytes.readUInt8(frame.start + HEADER_BYTES);
}
