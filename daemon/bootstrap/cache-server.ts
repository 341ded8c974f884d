// Serves a GWebCache over HTTP and a UDP host cache on the same port, with a common list of hosts.
import { createSocket, type Socket as DatagramSocket, type RemoteInfo } from 'node:dgram';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { version } from '../../api/version.ts';
import { GwebCache, PRIVATE_CACHE_RULES, PUBLIC_CACHE_RULES } from '../../protocol/bootstrap/gwebcache.ts';
import {
  PRIVATE_UDP_CACHE_RULES,
  PUBLIC_UDP_CACHE_RULES,
  UdpHostCache,
} from '../../protocol/bootstrap/udp-host-cache.ts';
import type { Random } from '../../protocol/ports.ts';
import { KeyedRateLimit, RateLimit } from '../../protocol/rate-limit.ts';
import { canonicalHost, type Endpoint, formatEndpoint, isIpv6 } from '../../protocol/wire/endpoint.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';

const NETWORK = 'gnutella';
const REQUEST_MS = 15_000;
const HEAD_BYTES_MAX = 4096;
const TARGET_BYTES_MAX = 1024;
const CONNECTIONS_MAX = 256;
/** Requests per address: clients ask once an hour, and several may share an address. */
const READ_LIMIT = new RateLimit(60_000, 10);
const ADDRESSES_MAX = 20_000;
/** Attempts with port 0: the port that the system picks for TCP may be in use for UDP. */
const PORT_TRIES = 10;

const PATHS = new Set(['/', '/gwc', '/gwc/']);

export interface CacheServerOptions {
  host: string;
  /** 0: any port that is free for TCP and UDP. */
  port: number;
  /** For private networks: accepts private addresses and many servents of one address, without rate limits. */
  lab: boolean;
  clock: Clock;
  random: Random;
  log: Log;
}

export class CacheServer {
  readonly #options: CacheServerOptions;
  readonly cache: GwebCache;
  readonly #reads: KeyedRateLimit | null;
  #http: Server | null = null;
  #udp: DatagramSocket | null = null;
  #machine: UdpHostCache | null = null;

  constructor(options: CacheServerOptions) {
    const rules = options.lab ? PRIVATE_CACHE_RULES : PUBLIC_CACHE_RULES;
    this.#options = options;
    this.cache = new GwebCache({ ...rules, network: NETWORK, name: `ServentCache ${version}` });
    this.#reads = options.lab ? null : new KeyedRateLimit(READ_LIMIT, ADDRESSES_MAX);
  }

  get udpCounters(): Readonly<UdpHostCache['counters']> | null {
    return this.#machine?.counters ?? null;
  }

  /** Starts listening; resolves with the address. Rejects with the system's error. */
  async start(): Promise<Endpoint> {
    const { host, port } = this.#options;
    for (let tries = 1; ; tries++) {
      const http = await this.#listenHttp();
      const { port: bound, address } = http.address() as AddressInfo;
      try {
        this.#udp = await this.#bindUdp(bound);
      } catch (error) {
        await closed(http);
        const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
        if (port === 0 && taken && tries < PORT_TRIES) continue;
        throw error;
      }
      this.#http = http;
      const own = { host: canonicalHost(address) ?? host, port: bound };
      this.#machine = new UdpHostCache({
        cache: this.cache,
        rules: this.#options.lab ? PRIVATE_UDP_CACHE_RULES : PUBLIC_UDP_CACHE_RULES,
        random: this.#options.random,
        own,
      });
      return own;
    }
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    const [http, udp] = [this.#http, this.#udp];
    this.#http = null;
    this.#udp = null;
    if (udp !== null) await new Promise<void>(resolve => udp.close(resolve));
    if (http !== null) await closed(http);
  }

  #listenHttp(): Promise<Server> {
    const { host, port, log } = this.#options;
    const server = createServer(
      { maxHeaderSize: HEAD_BYTES_MAX, requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, keepAliveTimeout: 1 },
      (request, response) => this.#onRequest(request, response),
    );
    server.maxConnections = CONNECTIONS_MAX;
    server.maxRequestsPerSocket = 1;
    return new Promise((listening, failed) => {
      server.once('error', failed);
      server.listen({ host, port }, () => {
        server.removeListener('error', failed);
        server.on('error', err => log.warn({ err }, 'accepting a connection failed'));
        listening(server);
      });
    });
  }

  #bindUdp(port: number): Promise<DatagramSocket> {
    const { host, log } = this.#options;
    const socket = createSocket({ type: isIpv6(host) ? 'udp6' : 'udp4' });
    socket.on('message', (bytes, from) => this.#onDatagram(bytes, from));
    return new Promise((bound, failed) => {
      socket.once('error', error => {
        socket.close();
        failed(error);
      });
      socket.bind({ port, address: host }, () => {
        socket.removeAllListeners('error');
        socket.on('error', err => log.warn({ err }, 'the UDP socket failed'));
        bound(socket);
      });
    });
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const { clock, log } = this.#options;
    request.resume(); // discards a body
    const target = request.url ?? '/';
    const [path = '', query = ''] = splitOnce(target, '?');
    const remote = canonicalHost(request.socket.remoteAddress ?? '');
    let status = 200;
    let text = '';
    if (remote === null) {
      request.socket.destroy();
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') status = 405;
    else if (target.length > TARGET_BYTES_MAX) status = 414;
    else if (!PATHS.has(path)) status = 404;
    else if (this.#reads?.admit(remote, clock.now()) === false) status = 429;
    else if (query === '')
      text = `A GWebCache of the network ${NETWORK}. Programs ask for ?get=1&net=${NETWORK}&client=NAME&version=1.0\r\n`;
    else text = this.cache.answer(query, remote, clock.now());
    log.debug({ remote, status, query }, 'answered an HTTP request');
    response.writeHead(status, {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': Buffer.byteLength(text),
      'Cache-Control': 'no-cache',
      Connection: 'close',
    });
    response.end(request.method === 'HEAD' ? undefined : text);
  }

  #onDatagram(bytes: Buffer, { address, port }: RemoteInfo): void {
    const { clock, log } = this.#options;
    const host = canonicalHost(address);
    if (host === null || this.#machine === null || this.#udp === null) return;
    const own = this.#options.host;
    for (const { bytes: answer, to } of this.#machine.receive(bytes, { host, port }, clock.now())) {
      // A dual-stack socket needs IPv4 addresses in mapped form.
      const target = isIpv6(own) && !isIpv6(to.host) ? `::ffff:${to.host}` : to.host;
      this.#udp.send(answer, to.port, target, error => {
        if (error !== null) log.debug({ err: error, to: formatEndpoint(to) }, 'a datagram was not sent');
      });
    }
  }
}

function splitOnce(text: string, at: string): [string, string] {
  const index = text.indexOf(at);
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)];
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise(resolve => server.close(() => resolve()));
}
