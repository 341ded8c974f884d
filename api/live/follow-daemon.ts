// Follows the events of a daemon over TCP, TLS or a Unix socket.
import { type ClientOptions, credentials, RefusedError, reasonOf, refusal } from '../client.ts';
import { openStream, wholeReply } from '../exchange.ts';
import { streamPaths } from '../outline.ts';
import { createFollow, EVENTS_TYPE, type Follow } from './follow.ts';

export const followDaemon = (options: ClientOptions): Follow =>
  createFollow({
    open: async ({ query, headers, signal }) => {
      const path = `${streamPaths.events}?${query}`;
      const sent = { ...credentials(options), ...headers };
      const response = await openStream(options, { method: 'GET', path, headers: sent, body: null, signal });
      if (response.statusCode !== 200 || !response.headers['content-type']?.startsWith(EVENTS_TYPE))
        throw refusal(options.url, await wholeReply(response));
      return response.setEncoding('utf8') as AsyncIterable<string>;
    },
    lossOf: error =>
      error instanceof RefusedError
        ? { reason: error.message, refusal: error.problem.code }
        : { reason: reasonOf(error), refusal: null },
  });
