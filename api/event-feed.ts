// Events on their way to those who listen: what the API asks of the daemon's log.
import type { ServentEvent, Topic } from './events.ts';

export interface FeedEvent {
  readonly view: ServentEvent;
  /** The view as JSON, made once for all who listen. */
  readonly json: string;
  /** Of these only the latest of one key is worth sending; null: every one. */
  readonly latestOf: string | null;
}

export interface FeedListener {
  readonly topics: ReadonlySet<Topic>;
  /** In the middle of whatever happened: note it and return. */
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
