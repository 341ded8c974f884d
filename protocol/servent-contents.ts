// How the servent finds who has a content by its hash: in the DHT first where it is a node of it, then on the overlay.
import type { PublishedSource } from './dht/aloc-search.ts';
import { DhtLocator } from './dht/dht-locator.ts';
import type { NetworkRules } from './network-rules.ts';
import type { Overlay } from './overlay/overlay.ts';
import { OverlayLocator } from './overlay/queries/overlay-locator.ts';
import type { Search } from './overlay/queries/search.ts';
import type { SearchSessions } from './overlay/queries/search-sessions.ts';
import type { ServentDht } from './servent-dht.ts';
import type { ContentLocator } from './transfer/downloads/content-locator.ts';
import type { SourceOffer } from './transfer/downloads/hit-sources.ts';
import { LocatorStages } from './transfer/downloads/locator-stages.ts';
import { PLAIN_HIT, PLAIN_QUERY_HIT, type QueryHit } from './wire/query-hit.ts';
import { formatSha1Urn } from './wire/urn.ts';

const NO_GUID = Buffer.alloc(16);

export interface ServentContentsParts {
  readonly overlay: Overlay;
  readonly searches: SearchSessions;
  /** Null: the overlay alone is asked. */
  readonly dht: ServentDht | null;
  readonly rules: Pick<NetworkRules, 'dht'>;
  /** Servents that the DHT names as having a content of a download. */
  readonly onOffer: (offer: SourceOffer) => void;
  /** The same for a search of a user. No download takes it: each asks by itself, and has what is found checked. */
  readonly onHit: (search: Search, hit: QueryHit, now: number) => void;
}

export class ServentContents {
  /** For downloads. */
  readonly locator: ContentLocator;
  readonly #parts: ServentContentsParts;

  constructor(parts: ServentContentsParts, now: number) {
    this.#parts = parts;
    const { overlay, searches, dht, rules, onOffer } = parts;
    const then = new OverlayLocator(overlay, searches);
    const { headStartMs: patienceMs, againMs } = rules.dht;
    const ready = (): boolean => dht?.state === 'ready';
    this.locator =
      dht === null
        ? then
        : new LocatorStages({
            first: new DhtLocator({ ready, alocs: dht.alocs, againMs, onOffer }, now),
            then,
            patienceMs,
          });
  }

  /**
   * Looks the hash of a user's search up in the DHT. False: it is not ready, and `onEnd` is not called; else that is called once, with the
   * number of servents found.
   */
  lookUp(search: Search, now: number, onEnd: (found: number, now: number) => void): boolean {
    const { dht, onHit } = this.#parts;
    const [sha1] = search.urns;
    if (dht?.state !== 'ready' || sha1 === undefined) return false;
    dht.alocs.find({ sha1, size: null, tigerRoot: null }, now, (sources, at) => {
      for (const source of sources) onHit(search, hitOf(source, sha1, sources), at);
      onEnd(sources.length, at);
    });
    return true;
  }

  tick(now: number): number {
    return this.locator.tick?.(now) ?? Number.POSITIVE_INFINITY;
  }
}

/** The DHT knows no names: the hash stands in for it. Values of old servents have no size: that of another one is taken, or 0. */
function hitOf(
  { source, size, tigerRoot, vendor }: PublishedSource,
  sha1: Buffer,
  all: readonly PublishedSource[],
): QueryHit {
  const told = size ?? all.find(other => other.size !== null)?.size ?? 0;
  return {
    ...PLAIN_QUERY_HIT,
    ...{ vendor, endpoint: source.endpoint, speedKbps: 0, push: source.push },
    hits: [{ ...PLAIN_HIT, index: 0, size: told, name: formatSha1Urn(sha1), sha1, tigerRoot }],
    serventGuid: source.serventGuid ?? NO_GUID,
  };
}
