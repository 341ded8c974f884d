// What is known to be bad from any source: contents on a list that a person keeps, and servents that sent wrong bytes.
import { LazyMap } from '../../lazy-map.ts';
import { type Endpoint, ownerOf } from '../../wire/endpoint.ts';
import type { FoundContent } from './found-content.ts';
import type { SpamMark } from './spam-mark.ts';

export const BAD_CONTENTS_MAX = 10_000;
/** The one charged longest ago is forgotten first. */
const SENDERS_MAX = 4_096;

export interface BadContent {
  /** Why, in the words of who added it. */
  readonly note: string | null;
  /** Milliseconds since 1970. */
  readonly addedAt: number;
}

export class KnownSpam {
  /** By SHA-1 as latin1; in the order of adding, at most BAD_CONTENTS_MAX. */
  readonly #contents = new LazyMap<string, BadContent>();
  /** How often each is charged, by `ownerOf`. */
  readonly #senders = new LazyMap<string, number>();
  /** Changes with everything that changes marks. */
  revision = 0;

  get size(): number {
    return this.#contents.size;
  }

  get senders(): number {
    return this.#senders.size;
  }

  /** False: the list is full. */
  add(sha1: Buffer, bad: BadContent): boolean {
    const key = sha1.toString('latin1');
    if (!this.#contents.has(key) && this.#contents.size >= BAD_CONTENTS_MAX) return false;
    this.#contents.set(key, bad);
    this.revision++;
    return true;
  }

  /** False: it was not on the list. */
  remove(sha1: Buffer): boolean {
    const known = this.#contents.delete(sha1.toString('latin1'));
    if (known) this.revision++;
    return known;
  }

  get(sha1: Buffer): BadContent | null {
    return this.#contents.get(sha1.toString('latin1')) ?? null;
  }

  /** In the order of adding. */
  list(): { sha1: Buffer; bad: BadContent }[] {
    return [...this.#contents].map(([key, bad]) => ({ sha1: Buffer.from(key, 'latin1'), bad }));
  }

  /** Bytes of this servent had the wrong hash. */
  charge(endpoint: Endpoint): void {
    const key = ownerOf(endpoint);
    const times = this.#senders.get(key) ?? 0;
    this.#senders.delete(key);
    this.#senders.set(key, times + 1);
    this.revision++;
    if (this.#senders.size <= SENDERS_MAX) return;
    const [oldest = ''] = this.#senders.keys();
    this.#senders.delete(oldest);
  }

  /** One charge was false. */
  pardon(endpoint: Endpoint): void {
    const key = ownerOf(endpoint);
    const times = this.#senders.get(key) ?? 0;
    if (times > 1) this.#senders.set(key, times - 1);
    else if (this.#senders.delete(key)) this.revision++;
  }

  marksOf({ sha1, sources }: Pick<FoundContent, 'sha1' | 'sources'>): SpamMark[] {
    const marks: SpamMark[] = [];
    const bad = sha1 === null ? null : this.get(sha1);
    if (bad !== null) marks.push({ reason: 'known_bad', text: bad.note ?? 'on the list of bad contents' });
    if (this.#senders.size > 0 && sources.every(({ endpoint }) => this.#senders.has(ownerOf(endpoint))))
      marks.push({ reason: 'wrong_bytes', text: 'every source has sent wrong bytes before' });
    return marks;
  }
}
