// The API on its sockets: TCP, with TLS when asked, and a Unix socket; deadlines for slow callers, a stop that does not wait for idle ones.

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
/** Of each socket. */
const CONNECTIONS_MAX = 1_000;
const STOP_WAIT_MS = 1_000;
/** Of sockaddr_un, without its NUL; the smallest of the systems we know. */
export const SOCKET_PATH_BYTES_MAX = 103;

export interface ApiServer {
  /** `http://HOST:PORT` or `https://…`, with the port really taken. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Where the Unix socket is, if there is one. */
  readonly socketPath: string | null;
  readonly counters: Readonly<ApiCounters>;
  /** Lets running answers finish for a second, then cuts. */
  stop(): Promise<void>;
}

export interface ListenAt {
  host: string;
  /** 0: any free port. */
  port: number;
  /** Everybody who may write to this file has the owner's rights: it is made for its owner alone. */
  socketPath?: string | null;
  /** PEM. */
  tls?: { cert: string; key: string } | null;
}

const ADVICE: Record<string, string> = {
  EADDRINUSE: 'stop the program that has the port, or choose another with --api-port',
  EACCES: 'ports below 1024 need privileges: choose another with --api-port',
  EADDRNOTAVAIL: 'this machine does not have the address: choose another with --api-host',
};

/** The address cannot be taken; `code` is the system's. */
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
  requireHostHeader: false, // ours says so in a problem document
};

/**
 * Resolves when it listens; rejects with ApiListenError, or for a token too short. `controlOf` makes what is served, once,
 * when the port is known and before anybody is answered.
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
    tcp.on('request', handle); // nothing was read yet
    const socketPath = at.socketPath ?? null;
    if (socketPath !== null) {
      const unix = begin(
        createServer(LIMITS, (request, response) => {
          local.add(request);
          handle(request, response);
        }),
      );
      unix.maxConnections = CONNECTIONS_MAX; // all the owner's
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
 * Loads what answers at the first request, which waits for it: koa, the endpoints and their schemas are a third of the modules of a
 * daemon, and one that nobody asks does without. When loading fails, the request gets a 500 and the next one tries again.
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
    throw new ApiListenError('TLS', 'api.tlsCert and api.tlsKey must be PEM files that belong together', cause);
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
  server.on('error', error => onInternalError(error, 'accepting connections')); // out of descriptors, for one
}

/** A file that is left from a killed daemon is replaced: the lock of the data folder keeps two daemons apart. */
async function listenOnFile(server: Server, path: string, options: ApiOptions): Promise<void> {
  const advice = 'give --data-dir a shorter path, or switch it off with --no-api-socket';
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) throw new ApiListenError(path, advice, { code: 'ENAMETOOLONG' });
  await rm(path, { force: true });
  // The file is made inside listen(); a chmod after it would leave a moment for others.
  const before = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(before);
  }
  await listening(server, path, advice, options);
}

/** What is no HTTP, or more header than anybody needs. */
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

/** Anything but `100-continue`, which Node sees to. */
function refuseExpectation(request: IncomingMessage, response: ServerResponse): void {
  const body = JSON.stringify(problemOf(new ApiError('EXPECTATION_FAILED', 'leave Expect out, or send 100-continue')));
  response.writeHead(417, { 'Content-Type': 'application/problem+json', Connection: 'close' });
  response.end(body);
  request.resume(); // a body that comes all the same
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
