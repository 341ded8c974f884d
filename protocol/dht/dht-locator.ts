// The DHT as a way to find who has a content.
import { TimedKeys } from '../timed-keys.ts';
import type { ContentLocator, WantedContent } from '../transfer/downloads/content-locator.ts';
import type { SourceOffer } from '../transfer/downloads/hit-sources.ts';
import type { AlocSearch, PublishedSource } from './aloc-search.ts';

const ASKED_MAX = 8_192;

export interface DhtLocatorParts {
  readonly ready: () => boolean;
  readonly alocs: Pick<AlocSearch, 'find'>;
  /** For so many milliseconds a content that was found is not looked up again. */
  readonly againMs: number;
  /** Servents that have a content that was asked for. */
  readonly onOffer: (offer: SourceOffer) => void;
}

export class DhtLocator implements ContentLocator {
  readonly #parts: DhtLocatorParts;
  readonly #asked: TimedKeys;

  constructor(parts: DhtLocatorParts, now: number) {
    this.#parts = parts;
    this.#asked = new TimedKeys(parts.againMs, ASKED_MAX, now);
  }

  get ready(): boolean {
    return this.#parts.ready();
  }

  /** Null too for what is looked up, or was found a short time ago: the same nodes would answer. */
  locate(wanted: WantedContent, now: number, onEnd?: (found: number, now: number) => void): (() => void) | null {
    const key = wanted.sha1.toString('latin1');
    if (!this.ready || this.#asked.has(key, now)) return null;
    this.#asked.add(key, now);
    let isOpen = true;
    this.#parts.alocs.find(wanted, now, (sources, at) => {
      // it may be published soon: a download that is ordered anew asks anew
      if (sources.length === 0) this.#asked.delete(key);
      if (!isOpen) return;
      for (const source of sources) this.#parts.onOffer(offerOfPublished(source, wanted.sha1));
      onEnd?.(sources.length, at);
    });
    return () => {
      isOpen = false;
    };
  }
}

/** Any node may have stored the value in the name of the servent at the address, so it is hearsay. */
function offerOfPublished({ source, size, tigerRoot }: PublishedSource, sha1: Buffer): SourceOffer {
  return { sha1, sources: [], hearsay: [source], name: null, size, tigerRoot };
}
