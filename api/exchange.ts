// Sends one HTTP request over TCP, TLS or a Unix socket and reads the whole reply. (fetch has no Unix sockets.)
import { Agent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';

export interface ExchangeTo {
  url: string;
  ca?: string;
}

export interface Outgoing {
  method: string;
  /** Path below the root of the API. */
  path: string;
  headers: Record<string, string>;
  body: string | null;
  signal: AbortSignal;
}

export interface HttpReply {
  status: number;
  type: string;
  text: string;
}

/** Largest body of an answer; ten times a page of a thousand downloads with all their sources. */
const REPLY_BYTES_MAX = 256 * 1024 * 1024;
const UNIX = 'unix:';

/** Connections of calls that only read stay open between them; the daemon or the end of the program closes them. */
const agent = new Agent({ keepAlive: true, maxFreeSockets: 4 });

/** Sends a request and reads the reply. Does not follow redirects: the daemon sends none. */
export async function exchange(to: ExchangeTo, asked: Outgoing): Promise<HttpReply> {
  const request = await requesterFor(to);
  return new Promise((resolve, reject) => {
    // the daemon may close a kept connection before it reads the request: what changes something has a new one, what reads asks again
    const kept = asked.method === 'GET' ? agent : false;
    const outgoing = request(optionsFor(to, asked, kept), response => wholeReply(response).then(resolve, reject));
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      if (outgoing.reusedSocket && error.code === 'ECONNRESET') resolve(exchange(to, asked));
      else reject(error);
    });
    outgoing.end(asked.body ?? undefined);
  });
}

/** Reads an answer to its end. */
export function wholeReply(response: IncomingMessage): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > REPLY_BYTES_MAX) response.destroy(new Error(`the answer is larger than ${REPLY_BYTES_MAX} bytes`));
      else chunks.push(chunk);
    });
    response.on('error', reject);
    response.on('end', () => {
      const type = response.headers['content-type'] ?? '';
      resolve({ status: response.statusCode ?? 0, type, text: Buffer.concat(chunks).toString() });
    });
  });
}

/** Opens a streamed reply on its own connection. */
export async function openStream(to: ExchangeTo, asked: Outgoing): Promise<IncomingMessage> {
  const request = await requesterFor(to);
  return new Promise((resolve, reject) => {
    const outgoing = request(optionsFor(to, asked, false), resolve);
    outgoing.on('error', reject);
    outgoing.end(asked.body ?? undefined);
  });
}

const isTls = ({ url }: ExchangeTo): boolean => url.startsWith('https:');

async function requesterFor(to: ExchangeTo): Promise<typeof httpRequest> {
  return isTls(to) ? (await import('node:https')).request : httpRequest;
}

function optionsFor(to: ExchangeTo, { method, path, headers, body, signal }: Outgoing, kept: Agent | false) {
  const length = body === null ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  const secure = to.ca === undefined ? {} : { ca: to.ca };
  const extra = isTls(to) ? secure : { agent: kept };
  return { ...target(to.url, path), method, headers: { ...headers, ...length }, signal, ...extra };
}

function target(url: string, path: string): RequestOptions {
  if (url.startsWith(UNIX)) return { socketPath: url.slice(UNIX.length), path };
  const { hostname, port, pathname, protocol } = new URL(url);
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
    path: `${pathname.replace(/\/+$/, '')}${path}`,
  };
}
