// The connection to Redis through which a sweep and its workers meet. BullMQ and ioredis are loaded when it is made.
import { InvalidArgumentError } from 'commander';
import type { Redis } from 'ioredis';
import { CommandError } from '../failure.ts';

export function redisUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && /^rediss?:$/.test(url.protocol) && url.hostname !== '') return url;
  throw new InvalidArgumentError('Expected redis://HOST:PORT or rediss://HOST:PORT.');
}

export interface RedisLink {
  readonly client: Redis;
  /** Host and port, without the password. */
  readonly where: string;
  /** Aborts when Redis goes away; the reason is for the user. */
  readonly gone: AbortSignal;
  /** Closes what is given, then the client; does not wait for a Redis that is not there. */
  close(...parts: readonly { close(force?: boolean): Promise<unknown> }[]): Promise<void>;
}

const CONNECT_MS = 5_000;
const CLOSE_MS = 2_000;

/** Rejects with a CommandError when no Redis answers. */
export async function connectRedis(url: URL): Promise<RedisLink> {
  const { Redis } = await import('ioredis');
  const where = url.host;
  const client = new Redis(url.href, {
    ...{ lazyConnect: true, connectTimeout: CONNECT_MS, maxRetriesPerRequest: null },
    // a sweep that was cut off is run again: its answers cannot be waited for
    retryStrategy: () => null,
  });
  let reason = 'the connection was closed';
  client.on('error', ({ message }: Error) => {
    if (message !== '') reason = message;
  });
  try {
    await client.connect();
    await client.ping();
  } catch (error) {
    client.disconnect();
    const why = error instanceof Error && !/closed/.test(error.message) ? error.message : reason;
    throw new CommandError(
      `no Redis answers at ${where} (${why}): start one with "redis-server", or give another with --redis`,
    );
  }
  const gone = new AbortController();
  client.on('end', () => {
    gone.abort(new CommandError(`Redis at ${where} went away (${reason}): start it again, then this command`));
  });
  return {
    client,
    where,
    gone: gone.signal,
    close: async (...parts) => {
      const closing = parts.map(part => part.close(gone.signal.aborted));
      await Promise.race([Promise.allSettled(closing), expired(CLOSE_MS)]);
      client.disconnect();
    },
  };
}

function expired(ms: number): Promise<void> {
  return new Promise(resolve => void setTimeout(resolve, ms).unref());
}
