// The events of a daemon, followed: read as they come, gone back to by id when the connection or the daemon was lost.
import { setTimeout as wait } from 'node:timers/promises';
import { type ClientOptions, credentials, RefusedError, reasonOf, refusal } from './client.ts';
import type { LogLevel } from './control.ts';
import { EventFrames } from './event-frames.ts';
import type { EventGap, ServentEvent, Topic } from './events.ts';
import { openStream, wholeReply } from './exchange.ts';
import { streamPaths } from './outline.ts';

/** How the stream is. `retryMs` until it is tried again; `refusal` when a daemon answered, and would not. */
export type StreamState =
  | { readonly state: 'open' }
  | { readonly state: 'lost'; readonly reason: string; readonly retryMs: number; readonly refusal: string | null };

export interface Following {
  readonly topics: readonly Topic[];
  /** The least important lines of the log. */
  readonly level?: LogLevel;
  /** Seconds between two looks at what moves all the time. */
  readonly interval?: number;
  /** Go on after this event; null: from now on. */
  readonly after: number | null;
  /** As many as came at once, in their order. */
  readonly onEvents: (events: readonly ServentEvent[]) => void;
  /** Events that could not be had: what was known may be out of date. */
  readonly onGap: (gap: EventGap) => void;
  readonly onState: (state: StreamState) => void;
  /** A stream as silent as this is taken for lost; the daemon's heartbeat comes every 15 seconds. */
  readonly silenceMs?: number;
  readonly signal: AbortSignal;
}

/** Resolves when the signal says so, and never rejects for what is between here and the daemon. */
export type Follow = (following: Following) => Promise<void>;

export const RETRY_MS = [1000, 2000, 4000, 8000, 15_000];
const SILENCE_MS = 45_000;
const EVENTS_TYPE = 'text/event-stream';

export const createFollow =
  (options: ClientOptions): Follow =>
  async following => {
    const { signal, onState } = following;
    let { after } = following;
    let failures = 0;
    while (!signal.aborted) {
      let lost: Pick<Extract<StreamState, { state: 'lost' }>, 'reason' | 'refusal'>;
      try {
        await readStream(options, { ...following, after }, id => {
          failures = 0;
          if (id !== null) after = id;
        });
        lost = { reason: 'the daemon ended the stream', refusal: null };
      } catch (error) {
        if (signal.aborted) return;
        lost = lossOf(error);
      }
      if (signal.aborted) return;
      const retryMs = RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)] ?? 0;
      onState({ state: 'lost', retryMs, ...lost });
      await wait(retryMs, undefined, { signal }).catch(error => {
        if (!signal.aborted) throw error;
      });
    }
  };

/** Reads one connection to its end. `seen`: there is somebody; with an id, an event that need not come again. */
async function readStream(
  options: ClientOptions,
  { topics, interval, level, after, onEvents, onGap, onState, silenceMs = SILENCE_MS, signal }: Following,
  seen: (id: number | null) => void,
): Promise<void> {
  const query = new URLSearchParams({
    topics: topics.join(','),
    ...(interval === undefined ? {} : { interval: String(interval) }),
    ...(level === undefined ? {} : { level }),
  });
  const response = await openStream(
    options,
    {
      method: 'GET',
      path: `${streamPaths.events}?${query}`,
      headers: {
        ...credentials(options),
        Accept: EVENTS_TYPE,
        ...(after === null ? {} : { 'Last-Event-ID': String(after) }),
      },
      body: null,
      signal,
    },
    silenceMs,
  );
  if (response.statusCode !== 200 || !response.headers['content-type']?.startsWith(EVENTS_TYPE))
    throw refusal(options.url, await wholeReply(response));
  response.setEncoding('utf8');
  onState({ state: 'open' });
  seen(null);
  const frames = new EventFrames();
  for await (const text of response as AsyncIterable<string>) {
    let events: ServentEvent[] = [];
    for (const { id, event, data } of frames.push(text)) {
      const told: unknown = JSON.parse(data);
      if (event === 'gap') {
        if (events.length > 0) onEvents(events);
        events = [];
        onGap(told as EventGap);
      } else events.push(told as ServentEvent);
      if (id !== null) seen(Number(id));
    }
    if (events.length > 0) onEvents(events);
  }
}

function lossOf(error: unknown): { reason: string; refusal: string | null } {
  if (error instanceof RefusedError) return { reason: error.message, refusal: error.problem.code };
  return { reason: reasonOf(error), refusal: null };
}
