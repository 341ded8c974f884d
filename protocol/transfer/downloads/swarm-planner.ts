// Decides for one download which sources to connect to, which bytes to ask of whom, and whom to leave. Pure: it is told what happens,
// and says what to do.
import type { QueueStatus } from '../queue-status.ts';
import type { ByteRange } from '../range-set.ts';
import type { ChunkMap } from './chunk-map.ts';
import type { HostLimits } from './host-limits.ts';
import { OrderBook } from './order-book.ts';
import { chooseRange, REQUEST_BYTES_MIN } from './range-choice.ts';
import { chooseTheft, preyCount } from './range-theft.ts';
import { Rarity } from './rarity.ts';
import type { Source } from './source.ts';
import { SourceDemand } from './source-demand.ts';
import { drop, RETRY_TIMES, type RetryTimes, SourceRetry, wait } from './source-retry.ts';
import { SourceTrust } from './source-trust.ts';
import { SWARM_LIMITS, type SwarmCommand, type SwarmLimits, type SwarmPlannerParts } from './swarm-command.ts';
import { compareSources, type Order, type SwarmSource, type SwarmSourceState } from './swarm-source.ts';
import { addressOf, SwarmSources } from './swarm-sources.ts';
import { chooseRace, isSilent, UNTOLD_CONNECTIONS, UNTOLD_NEXT_MS } from './untold-size.ts';

/** A range that takes longer is worth a connection to another source. */
const PREY_SECONDS_MIN = 5;
/** How often ranges to take over are looked for, while a source has nothing to do. */
const LOOK_MS = 1000;
/** From a cut to the next connect. */
const RECONNECT_MS = 1000;
/** States in which the queue of a source may call us. */
const CALLED_STATES: ReadonlySet<SwarmSourceState> = new Set(['idle', 'connecting', 'queued', 'waiting']);
const NOTHING_TO_ASK = 'has none of the bytes that are missing';

export class SwarmPlanner implements Iterable<SwarmSource> {
  readonly #map: ChunkMap;
  readonly #limits: SwarmLimits;
  readonly #times: RetryTimes;
  readonly #retry: SourceRetry;
  readonly #hosts: HostLimits | null;
  readonly #sources: SwarmSources;
  /** Keys of sources that sent wrong bytes: they are not added again. */
  readonly corrupt: Set<string>;
  readonly #orders: OrderBook;
  readonly #demand: SourceDemand;
  #rarity: Rarity | null = null;
  readonly trust = new SourceTrust();
  #position: number | null = null;
  /** When a source was asked last. */
  #askedAt = 0;
  /** Something happened since the last decision. */
  #changed = true;
  /** Of the file, when the last decision was made. */
  #sizeSeen: number | null = null;
  /** When to decide without that. */
  #wakeAt: number | null = null;
  #wasted = 0;

  constructor({ map, random, limits = SWARM_LIMITS, times = RETRY_TIMES, hosts, onCharge }: SwarmPlannerParts) {
    this.#map = map;
    this.#limits = limits;
    this.#times = times;
    this.#retry = new SourceRetry(random, times);
    this.#hosts = hosts;
    this.#sources = new SwarmSources(onCharge);
    this.corrupt = this.#sources.corrupt;
    this.#demand = new SourceDemand(limits);
    this.#orders = new OrderBook(map, (start, end) => this.onSpace(start, end));
  }

  [Symbol.iterator](): Iterator<SwarmSource> {
    return this.#sources[Symbol.iterator]();
  }

  get size(): number {
    return this.#sources.size;
  }

  /** Bytes that came twice, or were wrong. */
  get wasted(): number {
    return this.#wasted;
  }

  get(number: number): SwarmSource | null {
    return this.#sources.get(number);
  }

  /** A player reads along: what it needs next is fetched first. */
  get inOrder(): boolean {
    return this.#position !== null;
  }

  set inOrder(inOrder: boolean) {
    this.#position = inOrder ? (this.#position ?? 0) : null;
  }

  /** Where the player reads. */
  priorityRange(start: number): void {
    this.#position = start;
  }

  /** A source is asked for the hash tree. Null: it did not send it. */
  set treeAskedAt(at: number | null) {
    this.trust.treeAskedAt = at;
    this.#changed = true;
  }

  /** False: known already (a dropped one stays dropped), sent wrong bytes before, or no room. */
  add(key: string, source: Source, hearsay = false): boolean {
    if (this.#sources.add(key, source, hearsay) === null) return false;
    this.#rarity?.forgetDropped();
    this.#changed = true;
    this.#demand.onAdded();
    return true;
  }

  /** What to do now, in this order. */
  next(now: number): SwarmCommand[] {
    const { size } = this.#map;
    const isDue = this.#wakeAt !== null && now >= this.#wakeAt;
    if (!this.#changed && !isDue && size === this.#sizeSeen) return [];
    this.#changed = false;
    this.#sizeSeen = size;
    this.#wakeAt = null;
    const commands: SwarmCommand[] = [];
    this.#wakeWaiting(now);
    this.#giveBackStalled(now);
    if (size === null) this.#leaveSilent(commands, now);
    for (const source of this.#orders.needless())
      this.#cut(source, 'others have brought the rest of its range', commands, now);
    if (this.#map.complete) return commands;
    this.#leaveLongQueues(commands, now);
    this.#countRarity();
    this.#askReady(commands, now);
    this.#connect(commands, now);
    this.#judgeDemand(commands, now);
    return commands;
  }

  /** When to call `next` if nothing happens; null: never. */
  nextAt(now: number): number | null {
    return this.#changed ? now : this.#wakeAt;
  }

  /**
   * The queue in which this place is calls: its source is connected to next. A connection on which we wait, or that is being made, is of no
   * use any more: the caller ends it. Null: no source has such a place, or it serves us.
   */
  onCalled(id: string): SwarmSource | null {
    for (const each of this.#sources) {
      if (each.place?.id.toLowerCase() !== id || !CALLED_STATES.has(each.state)) continue;
      if (each.state === 'waiting') each.state = 'idle';
      each.called = true;
      this.#changed = true;
      return each;
    }
    return null;
  }

  /** It is connected, or its answer is over and the connection stays. */
  onReady(source: SwarmSource, now: number): void {
    if (!source.isConnected) return;
    this.#endOrder(source, now);
    source.state = 'ready';
  }

  /** Bytes of a body came. Gives the parts that are new, to be kept. */
  onBytes(source: SwarmSource, start: number, end: number, now: number): ByteRange[] {
    const { order } = source;
    if (order?.came === 0) this.#hosts?.onAnswer(addressOf(source), now);
    if (order !== null && this.#orders.advance(order, start, end, now)) this.#changed = true;
    const kept = this.#map.receive(start, end, source.number);
    const bytes = kept.reduce((sum, part) => sum + (part.end - part.start), 0);
    source.bytes += bytes;
    this.#waste(source, end - start - bytes);
    source.rate.add(end - start, now);
    if (this.#orders.overlaps(start, end)) this.#changed = true;
    return kept;
  }

  /** Its answer is over, and was good. */
  onAnswered(source: SwarmSource, now: number): void {
    this.#sources.onAnswer(source);
    source.failures = 0;
    source.cuts = 0;
    source.error = null;
    source.answeredAt = now;
    source.rate.stop(now);
    this.#changed = true;
  }

  /** It answered, but closes the connection. */
  onClosing(source: SwarmSource, spacingMs: number, now: number): void {
    source.closes = true;
    this.#leave(source, now);
    wait(source, source.error, spacingMs, now);
  }

  /** The connection ended without a failure of the source. */
  onReleased(source: SwarmSource, now: number): void {
    if (!source.isConnected) return;
    this.#leave(source, now);
    source.state = 'idle';
  }

  /** The connection failed or ended early. */
  onFailed(source: SwarmSource, reason: string, now: number): void {
    const came = source.order?.came ?? 0;
    this.#leave(source, now);
    this.#retry.onFailed(source, reason, came, now);
  }

  onBusy(source: SwarmSource, reason: string, retrySeconds: number | null, now: number): void {
    this.#hosts?.onAnswer(addressOf(source), now);
    this.#leave(source, now);
    this.#retry.onBusy(source, reason, retrySeconds, now);
  }

  onForbidden(source: SwarmSource, reason: string, retrySeconds: number | null, now: number): void {
    this.#leave(source, now);
    this.#retry.onForbidden(source, reason, retrySeconds, now);
  }

  onUnavailable(source: SwarmSource, reason: string, retrySeconds: number | null, now: number): void {
    this.#hosts?.onAnswer(addressOf(source), now);
    this.#leave(source, now);
    this.#retry.onUnavailable(source, reason, retrySeconds, now);
  }

  onDropped(source: SwarmSource, reason: string, now: number): void {
    this.#leave(source, now);
    drop(source, reason);
  }

  /** It keeps the connection while we wait in its queue. Null: not any more. */
  onQueued(source: SwarmSource, status: QueueStatus | null, now: number): void {
    if (status === null || !source.isConnected) {
      source.queue = null;
      return;
    }
    this.#hosts?.onAnswer(addressOf(source), now);
    const { position, length, etaSeconds, id } = status;
    this.#endOrder(source, now);
    source.state = 'queued';
    source.queue = { position, length, eta: etaSeconds, id };
    source.error = `queued at place ${position}`;
  }

  /** A slice in which it had a part fits the hash tree. */
  onRight(number: number, bytes: number): void {
    const source = this.#sources.get(number);
    if (source === null) return;
    source.verified += bytes;
    if (source.state === 'ready') this.#changed = true; // others are asked when their answers are over
  }

  /** Bytes of it were wrong. */
  onWrong(number: number, bytes: number): void {
    const source = this.#sources.get(number);
    if (source !== null) source.bytes = Math.max(0, source.bytes - bytes);
    this.#waste(source, bytes);
  }

  /** It is charged with wrong bytes: dropped and remembered. */
  onCorrupt(source: SwarmSource, reason: string, now: number): void {
    this.onDropped(source, reason, now);
    this.#sources.charge(source);
  }

  /** The charge was false. */
  onPardoned(source: SwarmSource): void {
    if (!source.corrupt) return;
    source.state = 'idle';
    source.error = null;
    this.#sources.pardon(source);
    this.#demand.onRevived();
    this.#changed = true;
  }

  /** Bytes became missing again, as they were wrong. */
  onSpace(start = 0, end = this.#map.size ?? 0): void {
    this.#rarity?.reopen(start, end);
    this.#changed = true;
  }

  /** Makes all sources but corrupt ones eligible at once, at a user's request. */
  reset(): void {
    for (const each of this.#sources) {
      if (each.isConnected || each.corrupt) continue;
      each.state = 'idle';
      each.failures = 0;
      each.cuts = 0;
    }
    this.#demand.onRevived();
    this.#changed = true;
  }

  #wakeWaiting(now: number): void {
    for (const each of this.#sources) {
      if (each.state !== 'waiting') continue;
      if (each.until > now) {
        this.#wake(each.until);
        continue;
      }
      each.state = 'idle';
      if (this.#lacksAll(each)) each.available = null; // it may have more by now
    }
  }

  /** Ranges of silent sources are for others, where there are any. The connection stays: it may go on. */
  #giveBackStalled(now: number): void {
    for (const order of this.#orders) {
      if (order.stalled) continue;
      const at = order.lastAt + this.#limits.stallMs;
      if (at > now) this.#wake(at);
      else if (this.#couldServe(order)) this.#orders.stall(order);
      else this.#wake(now + LOOK_MS);
    }
  }

  /** While the size is unknown nobody may hold up the others. */
  #leaveSilent(commands: SwarmCommand[], now: number): void {
    for (const order of [...this.#orders]) {
      if (!isSilent(order, now) || !this.#couldServe(order)) continue;
      const { source, came } = order;
      this.#cut(source, 'sends nothing', commands, now);
      this.#retry.onFailed(source, 'sent nothing for too long', came, now);
      this.#wake(source.until);
    }
  }

  #couldServe({ source, start, end }: Order): boolean {
    for (const each of this.#sources) {
      const able = each.state === 'idle' || each.state === 'ready' || (each.state === 'asking' && !each.order?.stalled);
      if (each !== source && able && each.has(start, end)) return true;
    }
    return false;
  }

  /** Connections that only wait are bounded too: the last in their queues come back by themselves. */
  #leaveLongQueues(commands: SwarmCommand[], now: number): void {
    const queued = this.#sources.in('queued');
    if (queued.length <= this.#limits.connections) return;
    queued.sort((a, b) => (a.queue?.position ?? 0) - (b.queue?.position ?? 0));
    for (const source of queued.slice(this.#limits.connections)) {
      this.#cut(source, 'its queue is longer than those of others', commands, now);
      this.#retry.onBusy(source, `${source.error}, and waits without a connection`, null, now);
      this.#wake(source.until);
    }
  }

  #countRarity(): void {
    const { size } = this.#map;
    if (size === null) return;
    if (this.#rarity?.size !== size) this.#rarity = new Rarity(size);
    for (const each of this.#sources) this.#rarity?.update(each);
  }

  #askReady(commands: SwarmCommand[], now: number): void {
    const ready = this.#sources.in('ready');
    if (ready.length === 0) return;
    ready.sort((a, b) => compareSources(a, b, now));
    for (const source of ready) {
      if (this.#map.size === null && this.#orders.active > 0 && this.#isLater(this.#askedAt + UNTOLD_NEXT_MS, now))
        return;
      if (this.#isLater(this.trust.mayAskAt(source), now)) continue;
      const race = this.#map.size === null ? chooseRace(source, this.#orders) : null;
      if (race !== null) {
        this.#ask(source, { start: race.start, end: race.end }, race, commands, now);
        continue;
      }
      const range = this.#choose(source, now);
      if (range !== null) {
        this.#ask(source, range, null, commands, now);
        continue;
      }
      const theft = chooseTheft(source, [...this.#orders], this.#map, now);
      if (theft !== null) this.#ask(source, theft.range, theft.prey, commands, now);
      else if (this.#lacksAll(source)) {
        this.#cut(source, NOTHING_TO_ASK, commands, now);
        this.#retry.onUnavailable(source, NOTHING_TO_ASK, null, now);
        if (source.state === 'waiting') this.#wake(source.until);
      } else if (this.#orders.size > 0) this.#wake(now + LOOK_MS);
    }
  }

  #isLater(at: number, now: number): boolean {
    if (at > now) this.#wake(at);
    return at > now;
  }

  #choose(source: SwarmSource, now: number): ByteRange | null {
    const share = this.#sources.shareOf(source, now);
    const context = {
      map: this.#map,
      rarity: this.#rarity,
      position: this.#position,
      trust: this.trust,
      share,
      now,
    };
    const range = chooseRange(source, context);
    if (range !== null || source.barred === null || this.#sources.othersAreLeft(source)) return range;
    source.barred = null;
    return chooseRange(source, context);
  }

  /** A partial source that has nothing of what is not here yet. */
  #lacksAll(source: SwarmSource): boolean {
    for (const { start, end } of source.offers(this.#map.size ?? Number.MAX_SAFE_INTEGER))
      if (this.#map.gap(start, end, 'missing', 'assigned') !== null) return false;
    return true;
  }

  #ask(source: SwarmSource, range: ByteRange, prey: Order | null, commands: SwarmCommand[], now: number): void {
    this.#orders.open(source, range, prey, now);
    source.state = 'asking';
    this.#askedAt = now;
    this.#wake(now + this.#limits.stallMs);
    commands.push({ kind: 'ask', source, range });
  }

  #connect(commands: SwarmCommand[], now: number): void {
    const missing = Math.ceil(this.#map.bytes('missing') / REQUEST_BYTES_MIN);
    const wanted = missing > 0 ? missing : preyCount([...this.#orders], PREY_SECONDS_MIN, now);
    const limit = this.#map.size === null ? UNTOLD_CONNECTIONS : this.#limits.connections;
    let { active, connecting } = this.#sources.connections();
    for (;;) {
      const useless =
        missing > 0 && active >= limit && this.#map.size !== null ? (this.#sources.in('ready')[0] ?? null) : null;
      const source = this.#nextToConnect(wanted > connecting && (active < limit || useless !== null), now);
      if (source === null) break;
      if (!source.called && useless !== null) {
        this.#leaveUseless(useless, commands, now);
        active--;
      }
      if (!source.called) this.#sources.onDial(source);
      this.#hosts?.onConnect(addressOf(source), !source.called, now);
      source.called = false;
      source.state = 'connecting';
      source.error = null;
      active++;
      connecting++;
      commands.push({ kind: 'connect', source });
    }
    if (missing === 0 && this.#orders.size > 0) this.#wake(now + LOOK_MS);
  }

  /** The best of those that may be connected to now; `isWanted`: not only one whose queue called. */
  #nextToConnect(isWanted: boolean, now: number): SwarmSource | null {
    let best: SwarmSource | null = null;
    for (const each of this.#sources) {
      if (each.state !== 'idle' || (!each.called && (!isWanted || this.#sources.isWornOut(each)))) continue;
      const at = each.called ? now : (this.#hosts?.readyAt(addressOf(each), each.hearsay, now) ?? now);
      if (at > now) this.#wake(at);
      else if (best === null || compareSources(each, best, now) < 0) best = each;
    }
    return best;
  }

  /** Bytes are missing, and a source that is connected has none of them: another gets its connection. */
  #leaveUseless(source: SwarmSource, commands: SwarmCommand[], now: number): void {
    this.#cut(source, NOTHING_TO_ASK, commands, now);
    wait(source, NOTHING_TO_ASK, this.#times.busyMs, now);
    this.#wake(source.until);
  }

  #judgeDemand(commands: SwarmCommand[], now: number): void {
    const left = this.#sources.usable;
    const demand = this.#demand.judge(this.#sources, left, now);
    if (demand !== null) commands.push(demand);
    const at = this.#demand.searchAt(left, now);
    if (at !== null) this.#wake(at);
  }

  #endOrder(source: SwarmSource, now: number): void {
    this.#orders.close(source, now);
    this.#changed = true;
  }

  /** The connection is over. */
  #leave(source: SwarmSource, now: number): void {
    if (!source.isConnected) return;
    this.#endOrder(source, now);
    source.queue = null;
    this.#hosts?.onClose(addressOf(source));
    source.state = 'idle';
  }

  #cut(source: SwarmSource, reason: string, commands: SwarmCommand[], now: number): void {
    this.#leave(source, now);
    wait(source, source.error, RECONNECT_MS, now);
    this.#wake(source.until);
    commands.push({ kind: 'cut', source, reason });
  }

  #waste(source: SwarmSource | null, bytes: number): void {
    if (source !== null) source.wasted += bytes;
    this.#wasted += bytes;
  }

  #wake(at: number): void {
    if (this.#wakeAt === null || at < this.#wakeAt) this.#wakeAt = at;
  }
}
