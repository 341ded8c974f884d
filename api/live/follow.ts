// Follows the events of a daemon; reconnects and resumes by id after a loss. Programs and browsers supply a StreamPort that opens the
// stream.
import type { LogLevel } from '../control.ts';
import type { EventGap, ServentEvent, Topic } from '../events.ts';
import { EventFrames } from './frames.ts';

/** State of the stream. `retryMs`: delay of the next attempt; `refusal`: error code of the daemon. */
export type StreamState = { readonly state: 'open' } | ({ readonly state: 'lost'; readonly retryMs: number } & Loss);

export interface Loss {
  readonly reason: string;
  readonly refusal: string | null;
}

export interface Following {
  readonly topics: readonly Topic[];
  /** Lowest level of log lines. */
  readonly level?: LogLevel;
  /** Seconds between two events of progress and status. */
  readonly interval?: number;
  /** Id of the event to start after; null: only new events. */
  readonly after: number | null;
  /** Called with the events of one read, in order. */
  readonly onEvents: (events: readonly ServentEvent[]) => void;
  /** Called when events were missed, so that lists may be outdated. */
  readonly onGap: (gap: EventGap) => void;
  readonly onState: (state: StreamState) => void;
  /** The stream counts as lost after this time without data; the daemon sends a heartbeat every 15 s. */
  readonly silenceMs?: number;
  readonly signal: AbortSignal;
}

/** Follows until the signal aborts; does not reject for network errors. */
export type Follow = (following: Following) => Promise<void>;

export interface StreamPort {
  /** Opens the stream and yields its text in chunks. Rejects when it cannot be opened. */
  open(asked: { query: string; headers: Record<string, string>; signal: AbortSignal }): Promise<AsyncIterable<string>>;
  lossOf(error: unknown): Loss;
  /** Random number in [0, 1) that spreads the retries of many clients; absent: the delays of RETRY_MS. */
  luck?: () => number;
}

export const RETRY_MS = [1000, 2000, 4000, 8000, 15_000];
const SILENCE_MS = 45_000;
export const EVENTS_TYPE = 'text/event-stream';

/** Returns the delay of the next attempt: that of RETRY_MS ± 25 %. */
export function backoffMs(failures: number, luck: number): number {
  return (RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 0) * (0.75 + luck / 2);
}

export const createFollow =
  (port: StreamPort): Follow =>
  async following => {
    const { signal, onState, silenceMs = SILENCE_MS } = following;
    let { after } = following;
    let failures = 0;
    while (!signal.aborted) {
      const silence = new AbortController();
      let timer: ReturnType<typeof setTimeout> | undefined;
      const received = (): void => {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), silenceMs);
      };
      let loss: Loss = { reason: 'the daemon ended the stream', refusal: null };
      try {
        received();
        const text = await port.open({
          ...asking(following, after),
          signal: AbortSignal.any([signal, silence.signal]),
        });
        onState({ state: 'open' });
        failures = 0;
        const frames = new EventFrames();
        for await (const piece of text) {
          received();
          const id = tell(frames.push(piece), following);
          if (id !== null) after = id;
        }
      } catch (error) {
        loss = silence.signal.aborted
          ? { reason: `silent for ${silenceMs / 1000} s`, refusal: null }
          : port.lossOf(error);
      } finally {
        clearTimeout(timer);
      }
      if (signal.aborted) return;
      const retryMs = backoffMs(failures++, port.luck?.() ?? 0.5);
      onState({ state: 'lost', retryMs, ...loss });
      await pause(retryMs, signal);
    }
  };

function asking({ topics, interval, level }: Following, after: number | null) {
  const query = new URLSearchParams({
    topics: topics.join(','),
    ...(interval === undefined ? {} : { interval: String(interval) }),
    ...(level === undefined ? {} : { level }),
  });
  const resumed: Record<string, string> = after === null ? {} : { 'Last-Event-ID': String(after) };
  return { query: String(query), headers: { Accept: EVENTS_TYPE, ...resumed } };
}

/** Calls the listeners; returns the last id to resume from, null when no frame has one. */
function tell(frames: ReturnType<EventFrames['push']>, { onEvents, onGap }: Following): number | null {
  let last: number | null = null;
  let events: ServentEvent[] = [];
  const tellEvents = (): void => {
    if (events.length > 0) onEvents(events);
    events = [];
  };
  for (const { id, event, data } of frames) {
    const told: unknown = JSON.parse(data);
    if (event === 'gap') {
      tellEvents();
      onGap(told as EventGap);
    } else events.push(told as ServentEvent);
    if (id !== null) last = Number(id);
  }
  tellEvents();
  return last;
}

/** Waits; resolves early when the signal aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  await new Promise(resolve => {
    const timer = setTimeout(resolve, ms);
    over.signal.addEventListener('abort', () => clearTimeout(timer));
    signal.addEventListener('abort', resolve, { signal: over.signal });
  });
  over.abort();
}
