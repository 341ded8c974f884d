// Decides, of results that workers give, which are true: a unit is accepted when enough different workers gave the same document. A worker
// that gave another one is a liar, and nothing that it gave counts.

export interface VoteOptions {
  readonly units: number;
  /** Different workers that must agree on a unit. */
  readonly replicas: number;
}

/** Beyond the replicas: workers that may disagree, or fail, before a unit is given up. */
const EXTRA_MAX = 3;
/** Times that a unit is given out, whatever comes back; for workers that claim to be many. */
const GIVEN_MAX = 50;
/** Units whose replicas are given out side by side, before those of the next. */
const BLOCK = 16;

interface Poll {
  /** By worker; the text of its document. Liars have none. */
  readonly ballots: Map<string, string>;
  readonly failures: string[];
  given: number;
  underWay: number;
  /** In the queue, not given out yet. */
  waiting: number;
  accepted: string | null;
  error: string | null;
}

export class Vote {
  readonly #replicas: number;
  readonly #polls: readonly Poll[];
  readonly #liars = new Set<string>();
  /** Units to be given out; one entry a replica. */
  #queue: number[] = [];
  #next = 0;
  #settled = 0;

  constructor({ units, replicas }: VoteOptions) {
    this.#replicas = replicas;
    this.#polls = Array.from({ length: units }, () => ({
      ...{ ballots: new Map(), failures: [], given: 0, underWay: 0, waiting: replicas, accepted: null, error: null },
    }));
    for (let from = 0; from < units; from += BLOCK)
      for (let replica = 0; replica < replicas; replica++)
        for (let unit = from; unit < Math.min(units, from + BLOCK); unit++) this.#queue.push(unit);
  }

  get liars(): readonly string[] {
    return [...this.#liars].sort();
  }

  /** Units that are accepted or given up. */
  get settled(): number {
    return this.#settled;
  }

  get isOver(): boolean {
    return this.#settled === this.#polls.length;
  }

  /** The document of a unit; null while it is open, and when it was given up. */
  accepted(unit: number): string | null {
    return this.#polls[unit]?.accepted ?? null;
  }

  /** Why a unit was given up; null: it was not. */
  error(unit: number): string | null {
    return this.#polls[unit]?.error ?? null;
  }

  /** The next unit to be given to a worker; null: none for now. */
  give(): number | null {
    for (;;) {
      const unit = this.#queue[this.#next];
      if (unit === undefined) return null;
      this.#next++;
      if (this.#next > 1_000 && 2 * this.#next > this.#queue.length) {
        this.#queue = this.#queue.slice(this.#next);
        this.#next = 0;
      }
      const poll = this.#polls[unit];
      if (poll === undefined) continue;
      poll.waiting--;
      if (isSettled(poll)) continue;
      poll.given++;
      poll.underWay++;
      return unit;
    }
  }

  /** A worker gave a result of a unit that was given out. A second one of the same worker is ignored. */
  count(unit: number, worker: string, document: string): void {
    const poll = this.#ended(unit);
    if (poll === null) return;
    if (!this.#liars.has(worker) && !poll.ballots.has(worker)) poll.ballots.set(worker, document);
    this.#decide(unit, poll);
  }

  /** A unit that was given out came to nothing: its worker ended it, or it did not fit there. */
  fail(unit: number, reason: string): void {
    const poll = this.#ended(unit);
    if (poll === null) return;
    poll.failures.push(reason);
    this.#decide(unit, poll);
  }

  #ended(unit: number): Poll | null {
    const poll = this.#polls[unit];
    if (poll === undefined || poll.underWay === 0) return null;
    poll.underWay--;
    return poll;
  }

  #decide(unit: number, poll: Poll): void {
    // what comes late is compared with what is accepted
    const [leader, votes] = leaderOf(poll);
    if (poll.accepted === null && votes >= this.#replicas) this.#settle(poll, leader, null);
    const liars = poll.accepted === null ? [] : [...poll.ballots].filter(([, document]) => document !== poll.accepted);
    for (const [liar] of liars) this.#expose(liar);
    this.#ask(unit, poll);
  }

  /** Nothing that a liar gave counts: units that have too few results without it are open again. */
  #expose(liar: string): void {
    if (this.#liars.has(liar)) return;
    this.#liars.add(liar);
    this.#polls.forEach((poll, unit) => {
      if (!poll.ballots.delete(liar)) return;
      if (poll.accepted !== null && leaderOf(poll)[1] < this.#replicas) this.#settle(poll, null, null);
      this.#ask(unit, poll);
    });
  }

  /** As many more replicas as are missing for the document that leads; gives the unit up when too many came to nothing. */
  #ask(unit: number, poll: Poll): void {
    if (isSettled(poll)) return;
    const missing = this.#replicas - leaderOf(poll)[1] - poll.underWay - poll.waiting;
    if (missing <= 0) return;
    const tried = poll.ballots.size + poll.failures.length;
    if (tried + missing > this.#replicas + EXTRA_MAX || poll.given + missing > GIVEN_MAX) {
      this.#settle(poll, null, this.#reason(poll));
      return;
    }
    poll.waiting += missing;
    for (let i = 0; i < missing; i++) this.#queue.push(unit);
  }

  #settle(poll: Poll, accepted: string | null, error: string | null): void {
    if (isSettled(poll)) this.#settled--;
    poll.accepted = accepted;
    poll.error = error;
    if (isSettled(poll)) this.#settled++;
  }

  #reason({ ballots, failures, given }: Poll): string {
    const last = failures.at(-1);
    if (last !== undefined && failures.length > EXTRA_MAX) return last;
    const documents = new Set(ballots.values()).size;
    if (documents > 1)
      return `${ballots.size} workers gave ${documents} different results (${[...ballots.keys()].sort().join(', ')})`;
    return last ?? `given out ${given} times without ${this.#replicas} results that agree`;
  }
}

const isSettled = ({ accepted, error }: Poll): boolean => accepted !== null || error !== null;

/** The document that most workers gave, and how many these are; of two with as many, the one that came first. */
function leaderOf({ ballots }: Poll): [document: string | null, votes: number] {
  const votes = new Map<string, number>();
  for (const document of ballots.values()) votes.set(document, (votes.get(document) ?? 0) + 1);
  let leader: string | null = null;
  for (const [document, count] of votes) if (leader === null || count > (votes.get(leader) ?? 0)) leader = document;
  return [leader, leader === null ? 0 : (votes.get(leader) ?? 0)];
}
