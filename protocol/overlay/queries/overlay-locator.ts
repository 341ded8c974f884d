// The overlay as a way to find who has a content: searches that no user sees.
import type { ContentLocator, WantedContent } from '../../transfer/downloads/content-locator.ts';
import type { Overlay } from '../overlay.ts';
import { SESSION_MS, SearchError, type SearchSessions } from './search-sessions.ts';

export class OverlayLocator implements ContentLocator {
  readonly #overlay: Pick<Overlay, 'counts'>;
  readonly #searches: Pick<SearchSessions, 'start' | 'end'>;

  constructor(overlay: Pick<Overlay, 'counts'>, searches: Pick<SearchSessions, 'start' | 'end'>) {
    this.#overlay = overlay;
    this.#searches = searches;
  }

  get ready(): boolean {
    const { leaves, ultrapeers } = this.#overlay.counts;
    return leaves + ultrapeers > 0;
  }

  locate({ sha1, words }: WantedContent, now: number): (() => void) | null {
    try {
      const session = this.#searches.start({ text: words ?? '', urns: [sha1] }, now, SESSION_MS, true);
      return () => this.#searches.end(session, null);
    } catch (error) {
      if (error instanceof SearchError) return null; // words that no table holds, or every search runs
      throw error;
    }
  }
}
