// Sends a request to a GWebCache over HTTP, with limits on body size, time and redirects.

import { get as httpGet, type IncomingMessage, type RequestOptions } from 'node:http';
import { isIP } from 'node:net';
import { version } from '../../api/version.ts';
import {
  CACHE_ANSWER_BYTES_MAX,
  canonicalCacheUrl,
  type GwebCacheAnswer,
  parseGwebCacheAnswer,
} from '../../protocol/bootstrap/gwebcache-answer.ts';
import { encodeGwebCacheRequest, type GwebCacheRequest } from '../../protocol/bootstrap/gwebcache-request.ts';
import { CodedError } from '../../protocol/errors.ts';
import { canonicalHost, type Endpoint } from '../../protocol/wire/endpoint.ts';
import { lookupWithin } from '../net/lookup.ts';
import { socketThrough } from '../net/socks-way.ts';
import type { WayOut } from '../net/way-out.ts';

const ANSWER_MS = 15_000;
const HEAD_BYTES_MAX = 8192;
const REDIRECTS_MAX = 3;

export type GwebCacheErrorCode =
  /** The address is not allowed by the profile, is blocked, or is not http. */
  | 'CACHE_FORBIDDEN'
  | 'CACHE_UNREACHABLE'
  | 'CACHE_TIMEOUT'
  /** A status other than 200, or too many redirects. */
  | 'CACHE_STATUS'
  /** The answer is too long, unreadable, or says ERROR. */
  | 'CACHE_REFUSED';

export class GwebCacheError extends CodedError<GwebCacheErrorCode> {}

export interface GwebCacheClientOptions {
  /** Why an address must not be connected to, or null. */
  forbids: (endpoint: Endpoint) => string | null;
  /** See NamePolicy. True when absent. */
  resolvesNames?: boolean;
  /** From which address; absent: as the system chooses. */
  way?: Pick<WayOut, 'closed' | 'localAddress' | 'asksFrom' | 'proxy' | 'add'>;
  userAgent?: string;
  answerMs?: number;
}

/** Resolves with the answer of the cache. `url` has no query. Rejects with GwebCacheError. */
export async function askGwebCache(
  url: string,
  request: GwebCacheRequest,
  options: GwebCacheClientOptions,
  signal?: AbortSignal,
): Promise<GwebCacheAnswer> {
  const deadline = AbortSignal.timeout(options.answerMs ?? ANSWER_MS);
  const until = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  let asked: GwebCacheRequest = request;
  let at = url;
  for (let redirects = 0; ; redirects++) {
    const response = await fetchOnce(at, asked, options, until, deadline);
    const { statusCode: status = 0, headers } = response;
    if (status === 200) return readAnswer(await readBody(response, at, deadline), at);
    response.destroy();
    const next = redirectOf(status, headers.location, at);
    if (next === null || redirects >= REDIRECTS_MAX)
      throw new GwebCacheError('CACHE_STATUS', `${at} answered with status ${status}`);
    at = next;
    asked = { ...asked, update: null, url: null }; // do not submit our data to a redirect target
    if (!asked.get && !asked.ping) throw new GwebCacheError('CACHE_STATUS', `${url} redirects updates`);
  }
}

function readAnswer(body: string, url: string): GwebCacheAnswer {
  const answer = parseGwebCacheAnswer(body);
  if (answer.error !== null) throw new GwebCacheError('CACHE_REFUSED', `${url}: ${answer.error.slice(0, 100)}`);
  if (!answer.supported) throw new GwebCacheError('CACHE_REFUSED', `${url} serves another network`);
  return answer;
}

function redirectOf(status: number, location: string | undefined, from: string): string | null {
  if (status < 301 || status > 308 || location === undefined || !URL.canParse(location, from)) return null;
  const url = new URL(location, from);
  url.search = ''; // our query is added again
  url.hash = '';
  return canonicalCacheUrl(url.href);
}

async function fetchOnce(
  url: string,
  request: GwebCacheRequest,
  { forbids, resolvesNames = true, userAgent = `servent/${version}`, way }: GwebCacheClientOptions,
  signal: AbortSignal,
  deadline: AbortSignal,
): Promise<IncomingMessage> {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const to = { host: canonicalHost(host) ?? host, port: port === '' ? 80 : Number(port) };
  const forbidden = protocol === 'http:' ? (isIP(host) === 0 ? null : forbids(to)) : 'only http URLs are supported';
  const closed = way?.closed ?? null;
  if (closed !== null) throw new GwebCacheError('CACHE_FORBIDDEN', closed);
  if (forbidden !== null) throw new GwebCacheError('CACHE_FORBIDDEN', `${url}: ${forbidden}`);
  const source = await sourceOf(
    url,
    to,
    { resolvesNames, forbids, ...(way === undefined ? {} : { way }) },
    signal,
    deadline,
  );
  return new Promise((answered, failed) => {
    httpGet(
      `${url}${encodeGwebCacheRequest(request)}`,
      {
        maxHeaderSize: HEAD_BYTES_MAX,
        headers: { 'User-Agent': userAgent, 'Cache-Control': 'no-cache', Connection: 'close' },
        ...source,
        signal,
      },
      answered,
    )
      .on('socket', socket => way?.add(socket))
      .on('error', cause => failed(errorOf(cause, url, deadline)));
  });
}

/** From where and by whom the name is looked up: with a proxy it does both. */
async function sourceOf(
  url: string,
  to: Endpoint,
  { resolvesNames = true, forbids, way }: GwebCacheClientOptions,
  signal: AbortSignal,
  deadline: AbortSignal,
): Promise<Pick<RequestOptions, 'agent' | 'createConnection' | 'localAddress' | 'lookup'>> {
  if (way?.proxy == null) {
    const from = way?.localAddress ?? null;
    return {
      agent: false,
      lookup: lookupWithin({
        resolvesNames,
        from: way?.asksFrom ?? null,
        forbids: address => forbids({ host: address, port: to.port }),
      }),
      ...(from === null ? {} : { localAddress: from }),
    };
  }
  if (!resolvesNames && isIP(to.host) === 0)
    throw new GwebCacheError('CACHE_FORBIDDEN', `${url}: names are not looked up in this profile: give an address`);
  try {
    const socket = await socketThrough(way.proxy, to, made => way.add(made), signal);
    return { createConnection: () => socket }; // without an agent, which would make one of its own
  } catch (error) {
    throw errorOf(error, url, deadline);
  }
}

async function readBody(response: IncomingMessage, url: string, deadline: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > CACHE_ANSWER_BYTES_MAX) throw new GwebCacheError('CACHE_REFUSED', `${url}: the answer is too long`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw errorOf(error, url, deadline);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function errorOf(cause: unknown, url: string, deadline: AbortSignal): GwebCacheError {
  if (cause instanceof GwebCacheError) return cause;
  if (deadline.aborted) return new GwebCacheError('CACHE_TIMEOUT', `${url} did not answer`, { cause });
  const said = cause instanceof Error ? cause.message : String(cause);
  const code = (cause as NodeJS.ErrnoException).code === 'LOOKUP_FORBIDDEN' ? 'CACHE_FORBIDDEN' : 'CACHE_UNREACHABLE';
  return new GwebCacheError(code, `${url}: ${said}`, { cause });
}
