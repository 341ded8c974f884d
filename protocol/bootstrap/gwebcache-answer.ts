// Parses answers of GWebCaches, lines of specification 1 and 2: caches mix them.
import { type Endpoint, endpointOrNull } from '../wire/endpoint.ts';

/** Longer bodies are refused. */
export const CACHE_ANSWER_BYTES_MAX = 64 * 1024;
const HOSTS_MAX = 500;
const URLS_MAX = 200;
const URL_CHARS_MAX = 128;

export interface GwebCacheAnswer {
  hosts: Endpoint[];
  /** Other caches, canonical. */
  urls: string[];
  /** Name and version, after a ping. */
  pong: string | null;
  /** Whether our update was accepted; null when the answer does not say. */
  updated: boolean | null;
  warning: string | null;
  /** False: the cache serves another network. */
  supported: boolean;
  /** Why the body is no answer: forget the cache. */
  error: string | null;
}

/**
 * Parses a body; never throws. One bad line makes the whole body `unparseable`, so that addresses in an HTML page are not
 * used.
 */
export function parseGwebCacheAnswer(body: string): GwebCacheAnswer {
  const answer: GwebCacheAnswer = {
    hosts: [],
    urls: [],
    pong: null,
    updated: null,
    warning: null,
    supported: true,
    error: null,
  };
  if (body.length > CACHE_ANSWER_BYTES_MAX) return { ...answer, error: 'too long' };
  for (const line of body.split(/\r\n|\r|\n/)) {
    const text = line.trim();
    if (text !== '' && !readLine(text, answer))
      return { ...answer, hosts: [], urls: [], error: answer.error ?? 'unparseable' };
  }
  return answer;
}

/** False for a bad line or an error. */
function readLine(line: string, answer: GwebCacheAnswer): boolean {
  if (/^[A-Za-z]\|/.test(line)) {
    readFields(line.split('|'), answer);
    return true;
  }
  if (/^error\b/i.test(line)) {
    answer.error = line.replace(/^error:?\s*/i, '') || 'error';
    return false;
  }
  if (/^warning\b/i.test(line)) answer.warning = line.replace(/^warning:?\s*/i, '');
  else if (/^ok\b/i.test(line)) answer.updated = true;
  else if (/^pong\b/i.test(line)) answer.pong = line.slice(4).trim();
  else if (/^http:\/\//i.test(line)) addUrl(line, answer);
  else return addHost(line, answer);
  return true;
}

function readFields([letter = '', first = '', second = '', third = '']: string[], answer: GwebCacheAnswer): void {
  switch (letter.toUpperCase()) {
    case 'H':
      addHost(first, answer);
      break;
    case 'U':
      addUrl(first, answer);
      break;
    case 'I':
      if (first === 'pong') answer.pong = second;
      else if (first === 'net-not-supported') answer.supported = false;
      else if (first === 'update') {
        answer.updated = second === 'OK';
        if (second === 'WARNING') answer.warning = third;
        else if (third === 'WARNING') answer.warning = 'taken with a warning';
      }
      break;
    default: // unknown extension
  }
}

function addHost(text: string, answer: GwebCacheAnswer): boolean {
  const host = endpointOrNull(text);
  if (host === null) return false;
  if (answer.hosts.length < HOSTS_MAX && host.port > 0) answer.hosts.push(host);
  return true;
}

function addUrl(text: string, answer: GwebCacheAnswer): void {
  const url = canonicalCacheUrl(text);
  if (url !== null && answer.urls.length < URLS_MAX) answer.urls.push(url);
}

/** Normalises a cache's URL, so that one cache is not asked under several; null for an unusable one. */
export function canonicalCacheUrl(text: string): string | null {
  if (text.length > URL_CHARS_MAX || !URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.protocol !== 'http:' || url.username !== '' || url.password !== '' || url.search !== '') return null;
  const path = url.pathname
    .replace(/%([0-9a-f]{2})/gi, (coded, hex: string) => {
      const char = String.fromCharCode(Number.parseInt(hex, 16));
      return /[A-Za-z0-9\-._~]/.test(char) ? char : coded.toUpperCase();
    })
    .replace(/\/index\.[a-z0-9]+$/i, '/');
  // a comma or bar would change how clients split the line it is sent in
  return /[,|]/.test(path) ? null : `http://${url.host}${path}`;
}
