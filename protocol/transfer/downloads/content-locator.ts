// A way to find who has a content: the overlay asks its neighbours, a DHT looks the hash up.

export interface WantedContent {
  readonly sha1: Buffer;
  /** Of names that it may have, for a locator that asks by words too; null: by hash alone. */
  readonly words: string | null;
  /** What is known of it for certain; null: nothing. Servents that say otherwise have another content. */
  readonly size: number | null;
  readonly tigerRoot: Buffer | null;
}

export interface ContentLocator {
  /** Whether it can be asked at all now: it has neighbours, or contacts. */
  readonly ready: boolean;

  /**
   * Begins to look for the servents that have a content. What is found comes by the locator's own way to whom it was made for, for a limited
   * time. Returns what ends it early. Null: it cannot ask this. `onEnd`: called once by locators that know that no more will come, with the
   * number of servents found; perhaps before this returns.
   */
  locate(wanted: WantedContent, now: number, onEnd?: (found: number, now: number) => void): (() => void) | null;

  /** Does what is due; when to be called again. Absent: nothing ever is. */
  tick?(now: number): number;
}
