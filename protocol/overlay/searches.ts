// Our own searches: what they ask, and which of them a hit belongs to.
import type { Random } from '../ports.ts';
import type { Endpoint } from '../wire/endpoint.ts';
import type { GgepItem } from '../wire/ggep.ts';
import { guidKey } from '../wire/guid.ts';
import { encodeQuery, QueryFlag } from '../wire/query.ts';
import { addressGuid } from './out-of-band.ts';
import { Search, type SearchSpec } from './search.ts';

/** Beyond 256 bytes of payload gtk-gnutella drops a query: room for flags, GGEP and one URN is left. */
const TEXT_BYTES_MAX = 180;
const URNS_MAX = 4;

/** Signs that make LimeWire drop a query, those that look like them, line ends, and operators of other servents. */
const REFUSED = /[\p{C}\p{Z}_#!|?<>^():;/\\[\]{}"*+-]+/gu;

/** The words as other servents take them: single blanks between, no operators, cut to whole words that fit. */
export function queryText(text: string): string {
  let taken = text.slice(0, 1000).normalize('NFKC').replace(REFUSED, ' ').trim();
  while (Buffer.byteLength(taken) > TEXT_BYTES_MAX) {
    const blank = taken.lastIndexOf(' ');
    taken = blank > 0 ? taken.slice(0, blank) : Array.from(taken).slice(0, -1).join('');
  }
  return taken;
}

export class Searches {
  readonly #open = new Map<string, Search>(); // in order of start, so the first is the oldest
  readonly #random: Random;
  readonly #searchesMax: number;

  constructor(random: Random, searchesMax: number) {
    this.#random = random;
    this.#searchesMax = searchesMax;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Oldest first. */
  values(): Iterable<Search> {
    return this.#open.values();
  }

  /**
   * Cancels the oldest when there are too many. `outOfBand`: where hits may be sent by UDP. Throws RangeError when
   * there is nothing to look for.
   */
  start(spec: SearchSpec, firewalled: boolean, now: number, outOfBand: Endpoint | null = null): Search {
    const text = queryText(spec.text);
    const urns = (spec.urns ?? []).slice(0, URNS_MAX);
    if (text === '' && urns.length === 0) throw new RangeError('a search without words or URNs');
    let flags = QueryFlag.Marked | QueryFlag.GgepH | (firewalled ? QueryFlag.Firewalled : 0);
    const guid = this.#random.guid();
    const ggep: GgepItem[] = [];
    if (outOfBand !== null) {
      flags |= QueryFlag.OutOfBand;
      addressGuid(guid, outOfBand);
      ggep.push({ id: 'SO', payload: Buffer.alloc(0) });
    }
    const search = new Search(guid, spec, encodeQuery({ text, urns, flags, ggep }), now);
    for (const oldest of this.#open.values()) {
      if (this.#open.size < this.#searchesMax) break;
      this.cancel(oldest);
    }
    this.#open.set(guidKey(search.guid), search);
    return search;
  }

  /** The running search whose GUID stands at `start`. */
  find(bytes: Buffer, start: number): Search | null {
    return this.#open.get(guidKey(bytes, start)) ?? null;
  }

  /** Hits that are still on their way are dropped from now on. */
  cancel(search: Search): void {
    search.open = false;
    this.#open.delete(guidKey(search.guid));
  }
}
