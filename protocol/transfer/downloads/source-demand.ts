// Whether a download has sources enough, none at all, or should have more looked for.

export interface DemandLimits {
  /** With fewer sources the network is asked for more. */
  readonly sourcesWanted: number;
  /** From one search to the next ... */
  readonly searchMs: number;
  /** ... when sources were added meanwhile. */
  readonly searchAgainMs: number;
}

/** What is known of a source here. */
interface Servant {
  readonly error: string | null;
}

export type Demand = { readonly kind: 'search' } | { readonly kind: 'giveUp'; readonly reason: string };

export class SourceDemand {
  readonly #limits: DemandLimits;
  #searchedAt: number | null = null;
  #addedSince = false;
  #gaveUp = false;

  constructor(limits: DemandLimits) {
    this.#limits = limits;
  }

  onAdded(): void {
    this.#addedSince = true;
    this.#gaveUp = false;
  }

  /** Sources that were dropped are not any more. */
  onRevived(): void {
    this.#gaveUp = false;
  }

  /** `left`: those that may still serve. Says each thing once. */
  judge(all: Iterable<Servant> & { readonly size: number }, left: number, now: number): Demand | null {
    if (left === 0 && all.size > 0) {
      if (this.#gaveUp) return null;
      this.#gaveUp = true;
      const reasons = [...new Set([...all].flatMap(({ error }) => error ?? []))].slice(0, 3).join('; ');
      const advice = 'resume the download to try them again, or add sources';
      return { kind: 'giveUp', reason: `no source is left (${reasons}): ${advice}` };
    }
    if ((this.searchAt(left, now) ?? now + 1) > now) return null;
    this.#searchedAt = now;
    this.#addedSince = false;
    return { kind: 'search' };
  }

  /** When the next search is due; null: none is. */
  searchAt(left: number, now: number): number | null {
    const { sourcesWanted, searchMs, searchAgainMs } = this.#limits;
    if (left >= sourcesWanted || this.#gaveUp) return null;
    return this.#searchedAt === null ? now : this.#searchedAt + (this.#addedSince ? searchAgainMs : searchMs);
  }
}
