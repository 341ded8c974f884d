// The event feed that the API needs from the daemon: listening, and replay of kept events.
import type { ServentEvent, Topic } from './events.ts';

export interface FeedEvent {
  readonly view: ServentEvent;
  /** The view as JSON, made once for all listeners. */
  readonly json: string;
  /** Of these only the latest of one key is worth sending; null: every one. */
  readonly latestOf: string | null;
}

export interface FeedListener {
  readonly topics: ReadonlySet<Topic>;
  /** Called while the event happens: must return at once and must not call back. */
  onEvent(event: FeedEvent): void;
}

export interface Missed {
  from: number;
  to: number;
}

export interface EventFeed {
  /** The latest id given away. */
  readonly lastId: number;
  /** Returns what ends it. */
  listen(listener: FeedListener): () => void;
  /**
   * Events of the topics with `after < id <= upTo` that are still kept, oldest first. `onMissed` is called first when
   * some of them no longer are.
   */
  kept(
    topics: ReadonlySet<Topic>,
    after: number,
    upTo: number,
    onMissed: (missed: Missed) => void,
  ): AsyncIterable<FeedEvent>;
}
