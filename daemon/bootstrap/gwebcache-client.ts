// Sends a request to a GWebCache over HTTP, with limits on body size, time and redirects.

import { get as httpGet, type IncomingMessage } from 'node:http';
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

function fetchOnce(
  url: string,
  request: GwebCacheRequest,
  { forbids, resolvesNames = true, userAgent = `servent/${version}` }: GwebCacheClientOptions,
  signal: AbortSignal,
  deadline: AbortSignal,
): Promise<IncomingMessage> {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const to = { host: canonicalHost(host) ?? host, port: port === '' ? 80 : Number(port) };
  const forbidden = protocol === 'http:' ? (isIP(host) === 0 ? null : forbids(to)) : 'only http URLs are supported';
  if (forbidden !== null) return Promise.reject(new GwebCacheError('CACHE_FORBIDDEN', `${url}: ${forbidden}`));
  return new Promise((answered, failed) => {
    httpGet(
      `${url}${encodeGwebCacheRequest(request)}`,
      {
        agent: false,
        maxHeaderSize: HEAD_BYTES_MAX,
        headers: { 'User-Agent': userAgent, 'Cache-Control': 'no-cache', Connection: 'close' },
        lookup: lookupWithin({ resolvesNames, forbids: address => forbids({ host: address, port: to.port }) }),
        signal,
      },
      answered,
    ).on('error', cause => failed(errorOf(cause, url, deadline)));
  });
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
