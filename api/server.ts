// The API on a socket: deadlines for slow callers, a way to stop that does not wait for idle ones.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ApiOptions, createApi } from './app.ts';
import type { Control } from './control.ts';

const HEADERS_WAIT_MS = 10_000;
const REQUEST_WAIT_MS = 30_000;
const CONNECTIONS_MAX = 1_000;
const STOP_WAIT_MS = 1_000;

export interface ApiServer {
  /** `http://HOST:PORT`, with the port really taken. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Lets running answers finish for a second, then cuts. */
  stop(): Promise<void>;
}

export interface ListenAt {
  host: string;
  /** 0: any free port. */
  port: number;
}

const ADVICE: Record<string, string> = {
  EADDRINUSE: 'stop the program that has the port, or choose another with --api-port',
  EACCES: 'ports below 1024 need privileges: choose another with --api-port',
  EADDRNOTAVAIL: 'this machine does not have the address: choose another with --api-host',
};

/** The address cannot be taken; `code` is the system's. */
export class ApiListenError extends Error {
  readonly code: string;

  constructor({ host, port }: ListenAt, cause: unknown) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    super(
      `the admin API cannot listen on ${host}:${port} (${code}): ${ADVICE[code] ?? 'choose another with --api-host'}`,
      { cause },
    );
    this.name = 'ApiListenError';
    this.code = code;
  }
}

/** Resolves when it listens; rejects with ApiListenError. */
export async function startApi(control: Control, at: ListenAt, options: ApiOptions): Promise<ApiServer> {
  const server = createServer(
    { headersTimeout: HEADERS_WAIT_MS, requestTimeout: REQUEST_WAIT_MS, connectionsCheckingInterval: 5_000 },
    createApi(control, options).callback(),
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.listen(at.port, at.host);
  await once(server, 'listening').catch((cause: unknown) => {
    throw new ApiListenError(at, cause);
  });
  server.on('error', error => options.onMistake(error, 'accepting connections')); // out of descriptors, for one
  const { address, port, family } = server.address() as AddressInfo;
  let stopping: Promise<void> | null = null;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    host: address,
    port,
    stop: () => {
      stopping ??= stop(server);
      return stopping;
    },
  };
}

async function stop(server: Server): Promise<void> {
  const cut = setTimeout(() => server.closeAllConnections(), STOP_WAIT_MS);
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  await closed;
  clearTimeout(cut);
}
