// Events as they happen: one stream, opened again where it broke off, with longer and longer waits.
import { type EventFrame, EventFrames } from '../api/event-frames.ts';
import type { Topic } from '../api/events.ts';
import { type Access, authorization, refusal } from './calls.ts';

/** The daemon says something every 15 seconds, if only that it is there. */
const SILENCE_MS = 40_000;
const WAIT_MIN_MS = 500;
const WAIT_MAX_MS = 15_000;

export type LinkState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** `retryAt`: milliseconds since 1970. */
  | { readonly kind: 'lost'; readonly why: string; readonly retryAt: number };

export interface LiveOptions {
  access: Access;
  onEvents: (events: readonly EventFrame[]) => void;
  onState: (state: LinkState) => void;
  /** The token is no longer good. */
  onRefused: (error: Error) => void;
}

/** Milliseconds before the next attempt; `luck` in [0, 1) keeps many pages from coming back at once. */
export function backoffMs(failures: number, luck: number): number {
  return Math.min(WAIT_MAX_MS, WAIT_MIN_MS * 2 ** Math.min(failures, 10)) * (0.75 + luck / 2);
}

export class Live {
  readonly #options: LiveOptions;
  #topics: readonly Topic[] = [];
  #lastId = '';
  #failures = 0;
  #current: AbortController | null = null;
  #timer: number | null = null;

  constructor(options: LiveOptions) {
    this.#options = options;
  }

  /** Goes on from the last event when a stream is open already. */
  listen(topics: readonly Topic[]): void {
    if (this.#topics.join() === topics.join() && (this.#current !== null || this.#timer !== null)) return;
    this.#topics = topics;
    this.tryNow();
  }

  tryNow(): void {
    this.stop();
    void this.#run(new AbortController());
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#current?.abort();
    this.#current = null;
  }

  async #run(abort: AbortController): Promise<void> {
    this.#current = abort;
    const { access, onState, onRefused } = this.#options;
    if (this.#failures === 0) onState({ kind: 'connecting' });
    let why = 'The daemon does not answer.';
    try {
      const url = new URL('events', access.base);
      url.searchParams.set('topics', this.#topics.join(','));
      const headers = { ...authorization(access), ...(this.#lastId === '' ? {} : { 'Last-Event-ID': this.#lastId }) };
      const response = await fetch(url, { headers, cache: 'no-store', signal: abort.signal });
      if (response.status === 401 || response.status === 403) {
        this.stop();
        onRefused(await refusal(response));
        return;
      }
      if (!response.ok || response.body === null) throw await refusal(response);
      this.#failures = 0;
      onState({ kind: 'live' });
      await this.#read(response.body, abort);
      why = 'The daemon ended the connection.';
    } catch (error) {
      if (this.#current !== abort) return; // given up by us
      if (error instanceof Error && error.name !== 'TypeError') why = error.message;
    }
    if (this.#current !== abort) return;
    this.#current = null;
    const waitMs = backoffMs(this.#failures++, Math.random());
    onState({ kind: 'lost', why, retryAt: Date.now() + waitMs });
    this.#timer = window.setTimeout(() => this.tryNow(), waitMs);
  }

  async #read(body: ReadableStream<Uint8Array>, abort: AbortController): Promise<void> {
    const frames = new EventFrames();
    const decoder = new TextDecoder();
    const chunks = body.getReader();
    let silence: number | undefined;
    const hear = (): void => {
      clearTimeout(silence);
      silence = window.setTimeout(() => chunks.cancel(), SILENCE_MS);
    };
    try {
      for (;;) {
        hear();
        const { done, value } = await chunks.read();
        if (done || this.#current !== abort) return;
        const events = frames.push(decoder.decode(value, { stream: true }));
        for (const { id } of events) if (id !== null) this.#lastId = id;
        if (events.length > 0) this.#options.onEvents(events);
      }
    } finally {
      clearTimeout(silence);
    }
  }
}
