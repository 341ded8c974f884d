// What will happen on a virtual clock, earliest first. Many events share a moment, so that only the moments are in a heap.

type Run = () => void;
/** Of the events of one moment those of rank 0 happen first. */
export type Rank = 0 | 1;

/** First come, first served. */
class Line {
  readonly #runs: Run[] = [];
  #taken = 0;

  add(run: Run): void {
    this.#runs.push(run);
  }

  take(): Run | null {
    return this.#taken < this.#runs.length ? (this.#runs[this.#taken++] ?? null) : null;
  }

  get isEmpty(): boolean {
    return this.#taken === this.#runs.length;
  }
}

/** The events of one time, in a line for each rank. */
class Moment {
  readonly at: number;
  readonly #first = new Line();
  #last: Line | null = null;

  constructor(at: number) {
    this.at = at;
  }

  add(run: Run, rank: Rank): void {
    if (rank === 1) this.#last ??= new Line();
    (rank === 1 ? this.#last : this.#first)?.add(run);
  }

  take(): Run | null {
    return this.#first.take() ?? this.#last?.take() ?? null;
  }

  get isOver(): boolean {
    return this.#first.isEmpty && this.#last?.isEmpty !== false;
  }
}

export class EventQueue {
  /** The moments to come. Each time is no later than the two at twice its index, plus one and plus two. */
  readonly #times: number[] = [];
  readonly #moments = new Map<number, Moment>();
  /** The one at #times[0], as of the last look; it may be over. */
  #next: Moment | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** When the next one happens; Infinity without any. */
  get nextAt(): number {
    return this.#nextMoment()?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Those of one moment and rank happen in the order in which they were added. */
  add(at: number, run: Run, rank: Rank = 0): void {
    let moment = this.#moments.get(at);
    if (moment === undefined) {
      moment = new Moment(at);
      this.#moments.set(at, moment);
      this.#rise(at);
      if (this.#times[0] === at) this.#next = moment;
    }
    moment.add(run, rank);
    this.#size++;
  }

  /** Takes the next one out; null without any. */
  take(): Run | null {
    const run = this.#nextMoment()?.take() ?? null;
    if (run !== null) this.#size--;
    return run;
  }

  /** The first one that is not over. A moment stays until then, since what happens in it often adds to it. */
  #nextMoment(): Moment | null {
    while (this.#next?.isOver === true) {
      this.#moments.delete(this.#next.at);
      this.#sink();
      const [at] = this.#times;
      this.#next = at === undefined ? null : (this.#moments.get(at) ?? null);
    }
    return this.#next;
  }

  #rise(at: number): void {
    const times = this.#times;
    let index = times.length;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = times[above] ?? 0;
      if (parent < at) break;
      times[index] = parent;
      index = above;
    }
    times[index] = at;
  }

  /** Takes the first time out, and moves earlier ones up. */
  #sink(): void {
    const times = this.#times;
    const last = times.pop();
    if (last === undefined || times.length === 0) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      if (left >= times.length) break;
      const right = left + 1;
      const child = right < times.length && (times[right] ?? 0) < (times[left] ?? 0) ? right : left;
      const earlier = times[child] ?? 0;
      if (last < earlier) break;
      times[index] = earlier;
      index = child;
    }
    times[index] = last;
  }
}
