// Counts how often an address is sent the same file within an hour. Bounded: what was sent longest ago is forgotten first.

const WITHIN_MS = 3_600_000;
/** Several people may share an address, and a broken download is begun anew. */
const FREE_COPIES = 3;

interface Sent {
  copies: number;
  readonly since: number;
}

export class Copies {
  readonly #max: number;
  /** By address and content; the latest touched last. */
  readonly #sent = new Map<string, Sent>();

  constructor(max = 4096) {
    this.#max = max;
  }

  get size(): number {
    return this.#sent.size;
  }

  /** `share`: of the file, from 0 to 1. Returns the number of copies above the free ones when another is complete, else 0. */
  add(subject: string, content: string, share: number, now: number): number {
    const key = `${subject} ${content}`;
    const known = this.#sent.get(key);
    this.#sent.delete(key);
    const sent = known === undefined || now - known.since > WITHIN_MS ? { copies: 0, since: now } : known;
    const before = Math.floor(sent.copies);
    sent.copies += share;
    if (this.#sent.size >= this.#max) this.#forgetOldest();
    this.#sent.set(key, sent);
    const complete = Math.floor(sent.copies);
    return complete > before ? Math.max(0, complete - FREE_COPIES) : 0;
  }

  #forgetOldest(): void {
    for (const key of this.#sent.keys()) {
      this.#sent.delete(key);
      return;
    }
  }
}
