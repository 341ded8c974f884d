// The event feed that the API needs from the daemon: listening, and replay of kept events.
import type { ServentEvent, Topic } from './events.ts';

export interface FeedEvent {
  readonly view: ServentEvent;
  /** The view as JSON, made once for all listeners. */
  readonly json: string;
  /** Key of which only the latest event is sent; null: every event is sent. */
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
  /** Id of the latest event. */
  readonly lastId: number;
  /** Adds a listener; returns the function that removes it. */
  listen(listener: FeedListener): () => void;
  /**
   * Yields kept events of the topics with `after < id <= upTo`, oldest first. Calls `onMissed` first when
   * some of them have been deleted.
   */
  kept(
    topics: ReadonlySet<Topic>,
    after: number,
    upTo: number,
    onMissed: (missed: Missed) => void,
  ): AsyncIterable<FeedEvent>;
}
