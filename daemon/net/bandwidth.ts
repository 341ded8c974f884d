// Hands out bandwidth: transfers and links that are limited ask for bytes, and get them in rounds as the scheduler decides.
import {
  DIRECTION_OF,
  type Flow,
  type LimitName,
  PARTS,
  type Part,
  Scheduler,
} from '../../protocol/bandwidth/scheduler.ts';

/** While bytes are short, a round comes so often: many small rounds would only cost time. */
const ROUND_MS = 25;
/** A limit that changes is noticed within this time. */
const WAIT_MS_MAX = 1000;

export interface Moved {
  in: number;
  out: number;
}

/** What one transfer or link uses. */
export class Usage {
  readonly flow: Flow;
  readonly part: Part;
  readonly #bandwidth: Bandwidth;
  /** Called once with the bytes granted; null: nothing is asked for. */
  onGrant: ((bytes: number) => void) | null = null;

  constructor(bandwidth: Bandwidth, part: Part, group: string | null) {
    this.#bandwidth = bandwidth;
    this.part = part;
    this.flow = bandwidth.scheduler.flow(part, group);
  }

  /** Whether bytes have to be asked for. It may change at any time. */
  get limited(): boolean {
    return this.flow.limited;
  }

  /** Resolves with how many of `bytes` may move now: at least one; 0 after close(). */
  ask(bytes: number): Promise<number> {
    return new Promise(resolve => this.want(bytes, resolve));
  }

  /** `onGrant` is called in a later turn, with at least one byte. One request at a time. */
  want(bytes: number, onGrant: (bytes: number) => void): void {
    this.flow.want = bytes;
    this.onGrant = onGrant;
    this.#bandwidth.enqueue(this);
  }

  /** Counts bytes that have moved. */
  moved(bytes: number): void {
    this.#bandwidth.moved[this.part] += bytes;
  }

  /** Bytes moved without a grant; negative: granted, but not used. `debtMs`: longest time that others wait for it. */
  charge(bytes: number, debtMs?: number): void {
    this.#bandwidth.scheduler.charge(this.flow, bytes, debtMs);
  }

  /** Ends a wait for bytes; the usage is over. */
  close(): void {
    this.#bandwidth.drop(this);
    this.#bandwidth.slots.delete(this);
  }
}

export class Bandwidth {
  readonly scheduler = new Scheduler();
  /** Bytes moved since the start. */
  readonly moved: Record<Part, number> = { upload: 0, download: 0, overlay: 0, udp: 0 };
  /** Bytes received that no limit holds for. */
  readonly received = { overlay: 0, udp: 0 };
  /** Uploads that are open, each limited as `slot`. */
  readonly slots = new Set<Usage>();
  readonly #now: () => number;
  #slotRate = 0;
  /** Names of all groups so far. */
  readonly #groups: Record<'upload' | 'download', ReadonlySet<string>> = { upload: new Set(), download: new Set() };
  readonly #waiting = new Set<Usage>();
  #timer: NodeJS.Timeout | null = null;
  #timerAt = 0;
  /** Of the last round after which somebody still waited. */
  #shortAt = Number.NEGATIVE_INFINITY;

  /** `now` in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  usage(part: Part, group: string | null = null): Usage {
    const usage = new Usage(this, part, group);
    if (part === 'upload') {
      this.slots.add(usage);
      usage.flow.bucket.limit(this.#slotRate, this.#now());
    }
    return usage;
  }

  /** Sets a limit in bytes per second; 0: none. It holds at once. */
  limit(name: LimitName, bytesPerSecond: number): void {
    const now = this.#now();
    if (name !== 'slot') this.scheduler.limit(name, bytesPerSecond, now);
    else {
      this.#slotRate = bytesPerSecond;
      for (const { flow } of this.slots) flow.bucket.limit(bytesPerSecond, now);
    }
    if (this.#waiting.size > 0) this.#wake(0);
  }

  /** Limits the transfers of each group together; other groups have no limit any more. Transfers belong to a group that is known when they begin. */
  limitGroups(
    groups: readonly { readonly name: string; readonly limit?: number }[],
    part: 'upload' | 'download' = 'upload',
  ): void {
    const rates = new Map([...this.#groups[part]].map(name => [name, 0]));
    for (const { name, limit = 0 } of groups) rates.set(name, limit);
    for (const [name, rate] of rates) this.scheduler.limitGroup(part, name, rate, this.#now());
    this.#groups[part] = new Set(rates.keys());
    if (this.#waiting.size > 0) this.#wake(0);
  }

  /** All bytes of both directions. */
  get total(): Moved {
    const total = { in: this.received.overlay + this.received.udp, out: 0 };
    for (const part of PARTS) total[DIRECTION_OF[part]] += this.moved[part];
    return total;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  enqueue(usage: Usage): void {
    this.#waiting.add(usage);
    this.#wake(Math.max(0, this.#shortAt + ROUND_MS - this.#now()));
  }

  drop(usage: Usage): void {
    if (!this.#waiting.delete(usage)) return;
    const { onGrant } = usage;
    usage.onGrant = null;
    onGrant?.(0);
  }

  /** Everybody who waits gets nothing. */
  stop(): void {
    for (const usage of [...this.#waiting]) this.drop(usage);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #wake(ms: number): void {
    const at = this.#now() + ms;
    if (this.#timer !== null) {
      if (this.#timerAt <= at) return;
      clearTimeout(this.#timer);
    }
    this.#timerAt = at;
    this.#timer = setTimeout(this.#round, Math.ceil(ms));
  }

  readonly #round = (): void => {
    this.#timer = null;
    const now = this.#now();
    const asked = [...this.#waiting];
    const flows = asked.map(({ flow }) => flow);
    this.scheduler.grant(now, flows);
    const waitMs = this.scheduler.waitMs(now, flows);
    for (const usage of asked) {
      const { granted } = usage.flow;
      if (granted === 0) continue;
      this.#waiting.delete(usage);
      const { onGrant } = usage;
      usage.onGrant = null;
      onGrant?.(granted);
    }
    if (waitMs < Number.POSITIVE_INFINITY) this.#shortAt = now;
    if (this.#waiting.size > 0) this.#wake(Math.min(Math.max(ROUND_MS, waitMs), WAIT_MS_MAX));
  };
}
