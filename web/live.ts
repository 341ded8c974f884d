// Opens the event stream in a browser.
import { createFollow, EVENTS_TYPE, type Follow } from '../api/live/follow.ts';
import { type Access, authorization, Refused, refusal } from './calls.ts';

export type StreamState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** `retryAt`: milliseconds since 1970. */
  | { readonly kind: 'lost'; readonly why: string; readonly retryAt: number };

export const followFrom = (access: Access): Follow =>
  createFollow({
    open: async ({ query, headers, signal }) => {
      const url = new URL(`events?${query}`, access.base);
      const sent = { ...headers, ...authorization(access) };
      const response = await fetch(url, { headers: sent, cache: 'no-store', signal });
      if (!response.ok || response.body === null || !response.headers.get('Content-Type')?.startsWith(EVENTS_TYPE))
        throw await refusal(response);
      return textOf(response.body);
    },
    lossOf: error => {
      if (error instanceof Refused) return { reason: error.message, refusal: error.code };
      // The errors of fetch have no useful text.
      const said = error instanceof Error && error.name !== 'TypeError';
      return { reason: said ? error.message : 'the daemon does not answer', refusal: null };
    },
    luck: Math.random,
  });

async function* textOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const chunks = body.getReader();
  for (;;) {
    const { done, value } = await chunks.read();
    if (done) return;
    yield decoder.decode(value, { stream: true });
  }
}
