// A project of volunteers (Anderson, "BOINC: a system for public-resource computing and storage", 2004, section 4): a server gives each work unit
// to several of them, believes the result that a quorum agrees on, and gives it out again when there is none by the deadline.
import { hashed } from '../keys/identifiers.ts';
import { Network } from '../network.ts';
import type { SeededRandom } from '../seeded-random.ts';

type Message =
  | { readonly kind: 'ask' }
  | { readonly kind: 'work'; readonly unit: number }
  | { readonly kind: 'result'; readonly unit: number; readonly value: number };

/** `collude`: all who lie give the same wrong result. `vanish`: the unit is never answered. */
export type Conduct = 'honest' | 'lie' | 'collude' | 'vanish';

interface WorkUnit {
  /** Volunteers that were given it, each with when; what each has answered. */
  readonly given: Map<number, number>;
  readonly results: Map<number, number>;
  /** What is believed. */
  value: number | null;
}

export interface ProjectOptions {
  readonly volunteers: number;
  readonly units: number;
  /** Copies of each unit that are given out at first, and results that have to agree. */
  readonly copies: number;
  readonly quorum: number;
  readonly conductOf: (volunteer: number) => Conduct;
  readonly random: SeededRandom;
}

const SERVER = 0;
const COMPUTE_MS = 3_600_000;
/** A unit that is not answered by then is given to somebody else. */
const DEADLINE_MS = 7 * 24 * 3_600_000;
const ASK_AGAIN_MS = 4 * 3_600_000;
/** More copies of one unit: it is given up. */
const COPIES_MOST = 20;

const trueValue = (unit: number): number => hashed(unit, 1);

/** The server 0 and volunteers 1 to n, each with a speed of its own. */
export class Project {
  readonly network: Network<Message>;
  readonly units: readonly WorkUnit[];
  /** Volunteers with a result that a quorum contradicted. */
  readonly caught = new Set<number>();
  copies = 0;
  /** When the last unit was settled. */
  doneAt = 0;
  readonly #options: ProjectOptions;
  readonly #slowness: readonly number[];
  readonly #busy = new Set<number>();
  #open: number[];

  constructor(options: ProjectOptions) {
    const { volunteers, units, random } = options;
    this.#options = options;
    this.network = new Network({ nodes: volunteers + 1, random: random.fork() });
    this.units = Array.from({ length: units }, () => ({ given: new Map(), results: new Map(), value: null }));
    this.#slowness = Array.from({ length: volunteers + 1 }, () => random.logNormal(1, 0.5));
    this.#open = random.shuffle([...this.units.keys()]);
    this.network.onMessage = (to, message, from) => this.#receive(to, message, from);
    for (let volunteer = 1; volunteer <= volunteers; volunteer++)
      this.network.every(volunteer, ASK_AGAIN_MS, () => this.#askWhenIdle(volunteer));
  }

  #askWhenIdle(volunteer: number): boolean {
    if (!this.#busy.has(volunteer)) this.network.send(volunteer, SERVER, { kind: 'ask' });
    return this.#open.length > 0;
  }

  #receive(to: number, message: Message, from: number): void {
    if (message.kind === 'ask') this.#give(from);
    else if (message.kind === 'work') this.#compute(to, message.unit);
    else this.#onResult(message.unit, from, message.value);
  }

  /** Copies that are with somebody in time, or answered. */
  #outstanding({ given, results }: WorkUnit): number {
    let count = results.size;
    for (const [volunteer, at] of given) if (!results.has(volunteer) && this.network.now - at < DEADLINE_MS) count++;
    return count;
  }

  /** As many as agree most, and on what. */
  static agreement({ results }: WorkUnit): { value: number; count: number } {
    const counts = new Map<number, number>();
    for (const value of results.values()) counts.set(value, (counts.get(value) ?? 0) + 1);
    return [...counts].reduce((best, [value, count]) => (count > best.count ? { value, count } : best), {
      value: 0,
      count: 0,
    });
  }

  #give(volunteer: number): void {
    const { copies, quorum } = this.#options;
    for (const number of this.#open) {
      const unit = this.units[number] as WorkUnit;
      // one more for each result that the largest agreement lacks, beyond the first copies
      const wanted = Math.max(copies, unit.results.size + quorum - Project.agreement(unit).count);
      if (unit.given.has(volunteer) || this.#outstanding(unit) >= wanted) continue;
      unit.given.set(volunteer, this.network.now);
      this.copies++;
      this.network.send(SERVER, volunteer, { kind: 'work', unit: number });
      return;
    }
  }

  #compute(volunteer: number, unit: number): void {
    const conduct = this.#options.conductOf(volunteer);
    this.#busy.add(volunteer);
    if (conduct === 'vanish') {
      this.network.fail(volunteer);
      return;
    }
    const value =
      conduct === 'honest'
        ? trueValue(unit)
        : conduct === 'collude'
          ? trueValue(unit) ^ 1
          : hashed(unit, volunteer + 2);
    this.network.after(COMPUTE_MS * (this.#slowness[volunteer] ?? 1), () => {
      this.#busy.delete(volunteer);
      this.network.send(volunteer, SERVER, { kind: 'result', unit, value });
      this.network.send(volunteer, SERVER, { kind: 'ask' });
    });
  }

  #onResult(number: number, from: number, value: number): void {
    const unit = this.units[number] as WorkUnit;
    unit.results.set(from, value);
    const agreed = Project.agreement(unit);
    if (unit.value === null && agreed.count >= this.#options.quorum) {
      unit.value = agreed.value;
      this.doneAt = this.network.now;
    }
    if (unit.value !== null)
      for (const [volunteer, theirs] of unit.results) if (theirs !== unit.value) this.caught.add(volunteer);
    if (unit.value !== null || unit.given.size >= COPIES_MOST) this.#open = this.#open.filter(open => open !== number);
  }

  /** Shares of the units: believed and true, believed and false. */
  get believed(): { right: number; wrong: number } {
    const right = this.units.filter(({ value }, unit) => value === trueValue(unit)).length;
    const settled = this.units.filter(({ value }) => value !== null).length;
    return { right: right / this.units.length, wrong: (settled - right) / this.units.length };
  }
}
