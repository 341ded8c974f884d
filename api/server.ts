// Serves the API over TCP, with or without TLS, and a Unix socket, with deadlines for slow clients.

import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { CodedError } from '../protocol/errors.ts';
import type { Endpoint } from '../protocol/wire/endpoint.ts';
import type { ApiCounters, ApiOptions } from './app.ts';
import { requireStrong } from './auth.ts';
import { Connections } from './connections.ts';
import type { Control } from './control.ts';
import { ApiError, problemOf } from './errors.ts';

const HEADERS_WAIT_MS = 10_000;
const REQUEST_WAIT_MS = 30_000;
/** Most connections of each listening socket. */
const CONNECTIONS_MAX = 1_000;
const STOP_WAIT_MS = 1_000;
/** Bytes of a path in sockaddr_un without the NUL: 103 on macOS, 107 on Linux. */
export const SOCKET_PATH_BYTES_MAX = 103;

export interface ApiServer {
  /** `http://HOST:PORT` or `https://…`, with the actual port. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Path of the Unix socket; null: none. */
  readonly socketPath: string | null;
  readonly counters: Readonly<ApiCounters>;
  /** Waits up to 1 s for running answers, then closes all connections. */
  stop(): Promise<void>;
}

export interface ListenAt {
  host: string;
  /** 0: any free port. */
  port: number;
  /** Path of the Unix socket. Its mode is 0600, since write access gives the owner's rights. */
  socketPath?: string | null;
  /** PEM. */
  tls?: { cert: string; key: string } | null;
}

const ADVICE: Record<string, string> = {
  EADDRINUSE: 'stop the program that uses the port, or choose another with --api-port',
  EACCES: 'ports below 1024 need privileges: choose another with --api-port',
  EADDRNOTAVAIL: 'this machine does not have the address: choose another with --api-host',
};

/** Listening failed; `code` is the system's error code. */
export class ApiListenError extends CodedError<string> {
  constructor(place: string, advice: string, cause: unknown) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    super(code, `the admin API cannot listen on ${place} (${code}): ${ADVICE[code] ?? advice}`, { cause });
  }
}

const LIMITS: ServerOptions = {
  headersTimeout: HEADERS_WAIT_MS,
  requestTimeout: REQUEST_WAIT_MS,
  connectionsCheckingInterval: 5_000,
  requireHostHeader: false, // answered with a problem document instead
};

/**
 * Starts the server. Rejects with ApiListenError, or for a short token. Calls `controlOf` once, when the port is known
 * and before the first request.
 */
export async function startApi(
  controlOf: (at: Endpoint) => Control,
  at: ListenAt,
  options: ApiOptions,
): Promise<ApiServer> {
  requireStrong(options.token);
  const counters: ApiCounters = options.counters ?? { requests: 0, refused: {} };
  const local = new WeakSet<IncomingMessage>();
  const connections = new Connections(CONNECTIONS_MAX);
  const servers: Server[] = [];
  const begin = (server: Server): Server => {
    server.on('clientError', refuseMalformed);
    server.on('checkExpectation', refuseExpectation);
    servers.push(server);
    return server;
  };
  const stopAll = async (): Promise<void> => {
    await Promise.all(servers.map(stop));
  };
  try {
    const tcp = begin(await serverOf(at));
    tcp.on('connection', socket => connections.add(socket));
    tcp.listen(at.port, at.host);
    await listening(tcp, `${at.host}:${at.port}`, 'choose another with --api-host', options);
    const { address, port, family } = tcp.address() as AddressInfo;
    const control = controlOf({ host: address, port });
    const handle = loadedAtFirst(async () => {
      const { createApi } = await import('./app.ts');
      const isLocal = (request: IncomingMessage) => local.has(request);
      const onCaller = ({ socket }: IncomingMessage) => connections.know(socket);
      return createApi(control, { ...options, counters, isLocal, onCaller }).callback();
    }, options);
    tcp.on('request', handle); // no request was read yet
    const socketPath = at.socketPath ?? null;
    if (socketPath !== null) {
      const unix = begin(
        createServer(LIMITS, (request, response) => {
          local.add(request);
          handle(request, response);
        }),
      );
      unix.maxConnections = CONNECTIONS_MAX; // only the owner can connect
      await listenOnFile(unix, socketPath, options);
    }
    const scheme = at.tls == null ? 'http' : 'https';
    let stopping: Promise<void> | null = null;
    return {
      url: `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
      host: address,
      port,
      socketPath,
      counters,
      stop: () => {
        stopping ??= stopAll();
        return stopping;
      },
    };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

/**
 * Loads koa, the endpoints and their schemas, a third of the daemon's modules, at the first request. If loading fails, the request gets a
 * 500 and the next request loads again.
 */
function loadedAtFirst(load: () => Promise<RequestListener>, { onInternalError }: ApiOptions): RequestListener {
  let loading: Promise<RequestListener> | null = null;
  let loaded: RequestListener | null = null;
  return (request, response) => {
    if (loaded !== null) return loaded(request, response);
    loading ??= load();
    loading.then(
      listener => {
        loaded = listener;
        listener(request, response);
      },
      (error: unknown) => {
        loading = null;
        onInternalError(error, 'loading the API');
        response.writeHead(500, { 'Content-Type': 'application/problem+json', Connection: 'close' });
        response.end(
          JSON.stringify(problemOf(new ApiError('INTERNAL', 'the API could not be loaded; the log says why'))),
        );
      },
    );
  };
}

async function serverOf({ tls }: ListenAt): Promise<Server> {
  if (tls == null) return createServer(LIMITS);
  const https = await import('node:https');
  try {
    return https.createServer({ ...LIMITS, ...tls, minVersion: 'TLSv1.2' }) as unknown as Server;
  } catch (cause) {
    throw new ApiListenError('TLS', 'api.tlsCert and api.tlsKey must be a PEM certificate and its private key', cause);
  }
}

async function listening(
  server: Server,
  place: string,
  advice: string,
  { onInternalError }: ApiOptions,
): Promise<void> {
  await once(server, 'listening').catch((cause: unknown) => {
    throw new ApiListenError(place, advice, cause);
  });
  server.on('error', error => onInternalError(error, 'accepting connections')); // for example EMFILE
}

/** Listens on a Unix socket. Replaces the file of a killed daemon: the lock of the data folder excludes a running one. */
async function listenOnFile(server: Server, path: string, options: ApiOptions): Promise<void> {
  const advice = 'give --data-dir a shorter path, or switch it off with --no-api-socket';
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) throw new ApiListenError(path, advice, { code: 'ENAMETOOLONG' });
  await rm(path, { force: true });
  // Mode 0600 from the beginning: a chmod after listen() would be too late.
  const before = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(before);
  }
  await listening(server, path, advice, options);
}

/** Answers input that is not HTTP, and headers that are too large. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const late = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const refusal = late
    ? new ApiError('TOO_SLOW', 'the request did not end in time')
    : new ApiError(
        'INVALID',
        error.code === 'HPE_HEADER_OVERFLOW' ? 'the headers are too large' : 'this is not HTTP/1.1',
      );
  const body = JSON.stringify(problemOf(refusal));
  const head = [
    `HTTP/1.1 ${refusal.status} ${late ? 'Request Timeout' : 'Bad Request'}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** Answers an Expect header other than `100-continue`, which Node handles. */
function refuseExpectation(request: IncomingMessage, response: ServerResponse): void {
  const body = JSON.stringify(problemOf(new ApiError('EXPECTATION_FAILED', 'leave Expect out, or send 100-continue')));
  response.writeHead(417, { 'Content-Type': 'application/problem+json', Connection: 'close' });
  response.end(body);
  request.resume(); // discards the body
}

async function stop(server: Server): Promise<void> {
  if (!server.listening) return;
  const cut = setTimeout(() => server.closeAllConnections(), STOP_WAIT_MS);
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  await closed;
  clearTimeout(cut);
}
