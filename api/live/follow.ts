// Follows the events of a daemon: reads them as they come, and goes back by id when the connection or the daemon was lost. The same for
// programs and browsers, which open the stream in ways of their own.
import type { LogLevel } from '../control.ts';
import type { EventGap, ServentEvent, Topic } from '../events.ts';
import { EventFrames } from './frames.ts';

/** How the stream is. `retryMs` until it is tried again; `refusal` is the code with which a daemon answered that it would not. */
export type StreamState = { readonly state: 'open' } | ({ readonly state: 'lost'; readonly retryMs: number } & Loss);

export interface Loss {
  readonly reason: string;
  readonly refusal: string | null;
}

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

export interface StreamPort {
  /** The text of the stream in any pieces. Rejects when it could not be opened. */
  open(asked: { query: string; headers: Record<string, string>; signal: AbortSignal }): Promise<AsyncIterable<string>>;
  lossOf(error: unknown): Loss;
  /** In [0, 1), for each wait: keeps many clients from coming back at once. Without it waits are those of RETRY_MS. */
  luck?: () => number;
}

export const RETRY_MS = [1000, 2000, 4000, 8000, 15_000];
const SILENCE_MS = 45_000;
export const EVENTS_TYPE = 'text/event-stream';

/** Milliseconds before the next attempt: that of RETRY_MS, a quarter more or less. */
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
      const heard = (): void => {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), silenceMs);
      };
      let loss: Loss = { reason: 'the daemon ended the stream', refusal: null };
      try {
        heard();
        const text = await port.open({
          ...asking(following, after),
          signal: AbortSignal.any([signal, silence.signal]),
        });
        onState({ state: 'open' });
        failures = 0;
        const frames = new EventFrames();
        for await (const piece of text) {
          heard();
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

/** Gives the last event that need not come again; null: none of these has an id. */
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

/** Ends early, and quietly, when it is stopped. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  await new Promise(resolve => {
    const timer = setTimeout(resolve, ms);
    over.signal.addEventListener('abort', () => clearTimeout(timer));
    signal.addEventListener('abort', resolve, { signal: over.signal });
  });
  over.abort();
}
