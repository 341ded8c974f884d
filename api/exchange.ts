// One HTTP request and its whole reply, over TCP, TLS or a Unix socket. fetch cannot do the last.
import { Agent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';

export interface ExchangeTo {
  url: string;
  ca?: string;
}

export interface Outgoing {
  method: string;
  /** From the root of the API. */
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

/** Kept open between calls, and closed by the other side or the end of the program. */
const agent = new Agent({ keepAlive: true, maxFreeSockets: 4 });

/** Redirects are not followed: the daemon sends none. */
export async function exchange(to: ExchangeTo, asked: Outgoing): Promise<HttpReply> {
  const request = await requesterFor(to);
  return new Promise((resolve, reject) => {
    const outgoing = request(optionsFor(to, asked, agent), response => wholeReply(response).then(resolve, reject));
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      // A connection kept open was just given up by the other side: nothing was read of this.
      if (outgoing.reusedSocket && error.code === 'ECONNRESET' && asked.method === 'GET') resolve(exchange(to, asked));
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
      if (bytes > REPLY_BYTES_MAX) response.destroy(new Error('the answer never ends'));
      else chunks.push(chunk);
    });
    response.on('error', reject);
    response.on('end', () => {
      const type = response.headers['content-type'] ?? '';
      resolve({ status: response.statusCode ?? 0, type, text: Buffer.concat(chunks).toString() });
    });
  });
}

/** An answer that is read while it goes on, over a connection of its own. */
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
