// Decides who is charged when a slice of the file does not fit its hash tree, and when the tree is the liar.
//
// A source that brought all of a wrong slice is charged for certain. Of several that brought parts of it each is under suspicion, and
// charged with the second such slice, unless another of them has more. Once one of them is charged for certain, it answers for the slices that
// it shared: the others are suspected of them no more. A tree whose root the user did not give is outvoted when sources that share no address bring the
// same wrong bytes, and doubted when too much is wrong before anybody's bytes fitted. Then all charges are taken back.

/** What a source brought of a slice. `source` and `voter` (its address): null for bytes from before a restart. */
export interface Contribution {
  readonly source: number | null;
  readonly voter: string | null;
  readonly bytes: number;
}

export interface Charge {
  readonly source: number;
  /** Of the wrong slice. */
  readonly bytes: number;
  /** It is used no more. */
  readonly isDropped: boolean;
}

export interface Blame {
  readonly charges: readonly Charge[];
  /** `outvoted`: two addresses agree against the tree. `doubted`: nothing fits it. Charges of it were taken back. */
  readonly tree: 'believed' | 'outvoted' | 'doubted';
  /** Sources to be used again: a tree that is given up dropped them, or slices that they shared with one that answers for them now. */
  readonly pardoned: readonly number[];
}

interface Attempt {
  readonly digest: string;
  readonly voters: readonly (string | null)[];
}

/** Wrong slices with parts of a source, and bad trees of it, after which it is dropped. */
const MARKS_MAX = 2;
/** Of a slice, after which a tree that nobody's bytes fitted is doubted. */
const ATTEMPTS_MAX = 4;
/** Of the file's size: wrong bytes after which such a tree is doubted, as LimeWire does. */
const DOUBT_SHARE = 0.1;
/** ... and so many slices at least, as files may have few. */
const DOUBT_SLICES = 4;
/** ... from so many addresses: one alone may be a liar. */
const DOUBT_VOTERS = 2;
const PARDONS_MAX = 8;
/** Of slices whose liar is not known; then the oldest is forgotten. */
const UNSOLVED_MAX = 100;

export class Suspects {
  /** Slices that did not fit the present tree and whose liar is not known: the sources of each. At most UNSOLVED_MAX. */
  readonly #unsolved = new Set<readonly number[]>();
  /** Sources that brought all of a wrong slice. One entry for each that was suspected, as in the next one. */
  readonly #proven = new Set<number>();
  /** By source: for bad trees. These are not taken back. */
  readonly #treeMarks = new Map<number, number>();
  /** By start of the slice: what was wrong; at most ATTEMPTS_MAX each. Forgotten when the slice is right. */
  readonly #attempts = new Map<number, Attempt[]>();
  #wrongBytes = 0;
  #wrongSlices = 0;
  #pardons = 0;
  /** Addresses that brought wrong bytes; no more than there are sources. */
  readonly #wrongVoters = new Set<string | null>();

  /** Bytes that did not fit the tree. */
  get wrongBytes(): number {
    return this.#wrongBytes;
  }

  /**
   * The bytes of a slice have another digest than the leaf. `isAsked`: the user gave the root of the tree. `isFirm`: others' bytes
   * fitted it.
   */
  onWrong(
    start: number,
    digest: Buffer,
    contributions: readonly Contribution[],
    { size, isAsked, isFirm }: { size: number; isAsked: boolean; isFirm: boolean },
  ): Blame {
    const attempt: Attempt = { digest: digest.toString('latin1'), voters: contributions.map(({ voter }) => voter) };
    const before = this.#attempts.get(start) ?? [];
    const bytes = contributions.reduce((sum, each) => sum + each.bytes, 0);
    this.#wrongBytes += bytes;
    this.#wrongSlices++;
    for (const voter of attempt.voters) this.#wrongVoters.add(voter);
    if (!isAsked && before.some(other => other.digest === attempt.digest && areApart(other, attempt)))
      return { charges: [], tree: 'outvoted', pardoned: this.#pardon() };
    if (!isFirm && (before.length + 1 >= ATTEMPTS_MAX || this.#isMuchOf(size)))
      return { charges: [], tree: 'doubted', pardoned: this.#pardon() };
    this.#attempts.set(start, [...before, attempt].slice(-ATTEMPTS_MAX));
    const pardoned = this.#suspect(contributions);
    return { charges: this.#chargesOf(contributions), tree: 'believed', pardoned };
  }

  /** The slice fits the tree now. */
  onRight(start: number): void {
    this.#attempts.delete(start);
  }

  /** The source sent a tree that is none, or that was refuted. `isProven`: SHA-1 refuted it. Gives whether it is dropped. */
  onBadTree(source: number, isProven: boolean): boolean {
    return mark(this.#treeMarks, source, isProven ? MARKS_MAX : 1);
  }

  /** The tree by which slices were judged is given up: gives the sources to be used again. */
  onTreeGone(): number[] {
    return this.#pardon();
  }

  /**
   * No source is left, or none that answers: gives those to be used again that only ever had a part in wrong slices. An honest one that
   * shares all wrong slices of a liar is dropped with it. A few times only.
   */
  onNoneLeft(): number[] {
    if (this.#pardons++ >= PARDONS_MAX) return [];
    const pardoned = [...this.#suspected()].filter(source => this.#isOver(source) && !this.#isGuilty(source));
    this.#unsolved.clear();
    return pardoned;
  }

  /** Gives sources to be used again, as another is now known, or more likely, to have lied. */
  #suspect(contributions: readonly Contribution[]): number[] {
    const sources = contributions.flatMap(({ source }) => source ?? []);
    const [sole] = sources;
    const over = [...this.#suspected()].filter(source => this.#isOver(source));
    if (contributions.length === 1 && sole !== undefined) this.#prove(sole);
    else if (sole !== undefined && !sources.some(source => this.#proven.has(source))) this.#unsolved.add(sources);
    const [oldest] = this.#unsolved;
    if (oldest !== undefined && this.#unsolved.size > UNSOLVED_MAX) this.#unsolved.delete(oldest);
    return over.filter(source => !this.#isOver(source) && !this.#isGuilty(source));
  }

  #prove(liar: number): void {
    this.#proven.add(liar);
    for (const sources of this.#unsolved) if (sources.includes(liar)) this.#unsolved.delete(sources);
  }

  #chargesOf(contributions: readonly Contribution[]): Charge[] {
    return contributions.flatMap(({ source, bytes }) =>
      source === null ? [] : [{ source, bytes, isDropped: this.#isOver(source) }],
    );
  }

  #suspected(): Set<number> {
    return new Set([...this.#unsolved].flat());
  }

  /** It is to be dropped for wrong slices. Of those that shared one the source with the most wrong slices answers for it. */
  #isOver(source: number): boolean {
    if (this.#proven.has(source)) return true;
    const own = this.#marksOf(source);
    if (own < MARKS_MAX) return false;
    let marks = 0;
    for (const sources of this.#unsolved)
      if (sources.includes(source) && sources.every(each => this.#marksOf(each) <= own)) marks++;
    return marks >= MARKS_MAX;
  }

  #marksOf(source: number): number {
    let marks = 0;
    for (const sources of this.#unsolved) if (sources.includes(source)) marks++;
    return marks;
  }

  #isMuchOf(size: number): boolean {
    if (this.#wrongSlices < DOUBT_SLICES || this.#wrongVoters.size < DOUBT_VOTERS) return false;
    return this.#wrongBytes > DOUBT_SHARE * size;
  }

  #pardon(): number[] {
    const suspected = new Set([...this.#proven, ...this.#suspected()]);
    const pardoned = [...suspected].filter(source => this.#isOver(source) && !isOver(this.#treeMarks, source));
    this.#unsolved.clear();
    this.#proven.clear();
    this.#attempts.clear();
    this.#wrongVoters.clear();
    this.#wrongBytes = 0;
    this.#wrongSlices = 0;
    return pardoned;
  }

  #isGuilty(source: number): boolean {
    return this.#proven.has(source) || isOver(this.#treeMarks, source);
  }
}

function isOver(marks: ReadonlyMap<number, number>, source: number): boolean {
  return (marks.get(source) ?? 0) >= MARKS_MAX;
}

function mark(all: Map<number, number>, source: number, marks: number): boolean {
  all.set(source, (all.get(source) ?? 0) + marks);
  return isOver(all, source);
}

/** They share no address, and all of both are known. */
function areApart(one: Attempt, other: Attempt): boolean {
  return (
    [...one.voters, ...other.voters].every(voter => voter !== null) &&
    !one.voters.some(voter => other.voters.includes(voter))
  );
}
