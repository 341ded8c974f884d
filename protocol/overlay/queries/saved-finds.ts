// What a saved search has found: which contents it knows, so that each is told once, and the latest finds. Bounded.
import { createHash } from 'node:crypto';
import type { FoundContent } from './found-content.ts';

/** More than one run can find, so that no run pushes out what it found itself. */
const SEEN_MAX = 6_000;
const FINDS_MAX = 200;
/** 48 bits: among 6,000 contents two are taken for one with a chance below one in ten million. */
const KEY_CHARACTERS = 8;

/** What was done with it; `known`: it was in the library or the downloads already. */
export const FIND_OUTCOMES = ['told', 'downloaded', 'known', 'failed'] as const;
export type FindOutcome = (typeof FIND_OUTCOMES)[number];

export interface Find {
  readonly name: string;
  readonly size: number;
  /** 40 hex digits. */
  readonly sha1: string | null;
  readonly sources: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly outcome: FindOutcome;
  readonly download: string | null;
  readonly error: string | null;
}

export interface FindsRecord {
  readonly finds: readonly Find[];
  /** Keys one behind the other, the one seen longest ago first. */
  readonly seen: string;
}

export class SavedFinds {
  readonly #seen = new Set<string>();
  #finds: Find[] = [];

  /** False: it is known; from now on it is. */
  see(content: Pick<FoundContent, 'sha1' | 'name' | 'size'>): boolean {
    const key = keyOf(content);
    const isNew = !this.#seen.delete(key);
    this.#seen.add(key);
    if (this.#seen.size > SEEN_MAX) {
      const [oldest = ''] = this.#seen;
      this.#seen.delete(oldest);
    }
    return isNew;
  }

  /** What was to be done with it failed: it is new again when it is found once more. */
  forget(content: Pick<FoundContent, 'sha1' | 'name' | 'size'>): void {
    this.#seen.delete(keyOf(content));
  }

  /** An earlier failure with the same content gives way. False: the outcome is the same failure once more. */
  add(find: Find): boolean {
    const failed = this.#finds.findIndex(
      ({ sha1, outcome }) => outcome === 'failed' && sha1 !== null && sha1 === find.sha1,
    );
    if (failed !== -1) this.#finds.splice(failed, 1);
    this.#finds.push(find);
    if (this.#finds.length > FINDS_MAX) this.#finds = this.#finds.slice(-FINDS_MAX);
    return failed === -1 || find.outcome !== 'failed';
  }

  newestFirst(): Find[] {
    return [...this.#finds].reverse();
  }

  get seen(): number {
    return this.#seen.size;
  }

  record(): FindsRecord {
    return { finds: this.#finds, seen: [...this.#seen].join('') };
  }

  /** What an earlier version or a damaged store left is skipped. */
  static restore(record: Partial<FindsRecord> | undefined): SavedFinds {
    const restored = new SavedFinds();
    const { finds, seen } = record ?? {};
    if (Array.isArray(finds)) restored.#finds = finds.filter(isFind).slice(-FINDS_MAX);
    if (typeof seen === 'string')
      for (let at = 0; at + KEY_CHARACTERS <= seen.length && restored.#seen.size < SEEN_MAX; at += KEY_CHARACTERS)
        restored.#seen.add(seen.slice(at, at + KEY_CHARACTERS));
    return restored;
  }
}

/** Of the SHA-1, or without one of name and size. */
function keyOf({ sha1, name, size }: Pick<FoundContent, 'sha1' | 'name' | 'size'>): string {
  const digest = sha1 ?? createHash('sha1').update(`${size} ${name}`).digest();
  return digest.toString('base64url').slice(0, KEY_CHARACTERS);
}

function isFind(given: unknown): given is Find {
  if (typeof given !== 'object' || given === null) return false;
  const { name, size, at, sources, outcome } = given as Record<keyof Find, unknown>;
  return (
    typeof name === 'string' &&
    [size, at, sources].every(Number.isSafeInteger) &&
    FIND_OUTCOMES.includes(outcome as FindOutcome)
  );
}
