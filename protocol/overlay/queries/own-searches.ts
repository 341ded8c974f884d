// Our own searches: encodes their queries and finds the search of a hit.
import { LazyMap } from '../../lazy-map.ts';
import type { Random } from '../../ports.ts';
import { RELAY_GGEP } from '../../relay/relay-line.ts';
import type { Endpoint } from '../../wire/endpoint.ts';
import type { GgepItem } from '../../wire/ggep.ts';
import { guidKey } from '../../wire/guid.ts';
import { addressGuid } from '../../wire/guid-address.ts';
import { mediaGgep } from '../../wire/media-type.ts';
import { encodeQuery, QueryFlag } from '../../wire/query.ts';
import { PastSearches } from './past-searches.ts';
import type { SearchSpec } from './question.ts';
import { questionOf, textToAsk } from './question.ts';
import { Search } from './search.ts';
import { reachFlags } from './stream-mark.ts';

const URNS_MAX = 4;

/** GUIDs of searches that are over, under which hits for a running repeat may still come; the oldest is forgotten. */
const INHERITED_MAX = 1_024;

export class OwnSearches {
  readonly #open = new LazyMap<string, Search>(); // in order of start, so the first is the oldest
  /** GUIDs of earlier searches to the repeat that takes their hits; at most INHERITED_MAX. */
  readonly #inherited = new LazyMap<string, Search>();
  readonly #past = new PastSearches();
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
   * Cancels the oldest when there are too many. `outOfBand`: where hits may be sent by UDP; `stream`: where a servent that is firewalled
   * too can open a stream by UDP. Throws RangeError when nothing can be found.
   */
  start(
    spec: SearchSpec,
    firewalled: boolean,
    now: number,
    outOfBand: Endpoint | null = null,
    stream: Endpoint | null = null,
  ): Search {
    const text = textToAsk(spec);
    const urns = (spec.urns ?? []).slice(0, URNS_MAX).map(sha1 => ({ sha1, tigerRoot: null }));
    let flags = QueryFlag.Marked | QueryFlag.GgepH | reachFlags(firewalled, stream);
    const guid = this.#random.guid();
    const ggep: GgepItem[] = [];
    if (outOfBand !== null) {
      flags |= QueryFlag.OutOfBand;
      addressGuid(guid, outOfBand);
      ggep.push({ id: 'SO', payload: Buffer.alloc(0) });
    }
    if (firewalled) ggep.push({ id: RELAY_GGEP, payload: Buffer.alloc(0) }); // we can come to a relay
    if (spec.media !== undefined && spec.media !== 0) ggep.push(mediaGgep(spec.media));
    const earlier = this.#past.earlier(questionOf(spec), now);
    const search = new Search(guid, spec, encodeQuery({ text, urns, flags, ggep }), now, earlier);
    for (const oldest of this.#open.values()) {
      if (this.#open.size < this.#searchesMax) break;
      this.cancel(oldest);
    }
    this.#open.set(guidKey(search.guid), search);
    this.#past.add(search);
    this.#inherit(search.earlierGuids, search);
    return search;
  }

  /** The running search whose GUID stands at `start`, or the one that repeats the search of that GUID. */
  find(bytes: Buffer, start: number): Search | null {
    const key = guidKey(bytes, start);
    const own = this.#open.get(key);
    if (own !== undefined) return own;
    const repeat = this.#inherited.get(key);
    return repeat?.open === true ? repeat : null;
  }

  /**
   * Hits that are still on their way go to a running search for the same from now on: true; without one they are dropped:
   * false.
   */
  cancel(search: Search): boolean {
    if (!search.open) return false;
    search.open = false;
    this.#open.delete(guidKey(search.guid));
    for (const other of this.#open.values()) {
      if (other.question !== search.question) continue;
      this.#inherit([search.guid, ...search.earlierGuids], other);
      return true;
    }
    return false;
  }

  #inherit(guids: readonly Buffer[], heir: Search): void {
    for (const guid of guids) {
      const key = guidKey(guid);
      this.#inherited.delete(key);
      this.#inherited.set(key, heir);
    }
    for (const oldest of this.#inherited.keys()) {
      if (this.#inherited.size <= INHERITED_MAX) return;
      this.#inherited.delete(oldest);
    }
  }
}
