// Encodes our handshake headers: hello, answer, acknowledgement, refusal. LimeWire compares names by case and reads at most 30
// headers of 1024 characters a line; gtk-gnutella's hello fits 1024 bytes.
import { type Endpoint, formatEndpoint } from '../wire/endpoint.ts';
import { formatGuid } from '../wire/guid.ts';
import type { Capabilities, Role } from './capabilities.ts';
import { Headers } from './header-block.ts';

/** The data of our hello. */
export interface LocalHello {
  /** "name/version"; deployed ultrapeers refuse peers without it. Not "gtk-gnutella…", for which they check a token. */
  userAgent: string;
  role: Role;
  listen: Endpoint | null;
  /** 16 bytes. */
  guid: Buffer | null;
  /** Number of ultrapeer links that we keep; LimeWire refuses less than 15. */
  degree: number;
  /** LimeWire refuses 5 and more. */
  maxTtl: number;
  /** Offer and use stream deflate. */
  deflate: boolean;
  /** "name/version", in order. */
  features: readonly string[];
  /** RFC 822 date of our start, e.g. "Sun, 01 Jun 2025 10:23:29 +0000". */
  liveSince: string | null;
  /** "0.2" when GUESS is served. */
  guess: string | null;
  /** Two letters. */
  locale: string | null;
}

/** The choices that an answer adds to a hello. */
export interface AnswerChoices {
  ultrapeerNeeded: boolean | null;
  deflate: boolean;
  /** Send Content-Type, as the peer sent Accept. */
  contentType: boolean;
  /** Both sides offered TLS, which follows the acknowledgement. */
  tls: boolean;
}

const PACKETS_TYPE = 'application/x-gnutella-packets';
export const HELLO_BYTES_MAX = 1024;
const TRY_ULTRAPEERS = 10;
/** Length of a neighbour list for a crawler; two of them fit in gtk-gnutella's 16 KiB. */
const NEIGHBOURS_CHARS_MAX = 7000;

/** Step 1. */
export function helloHeaders(local: LocalHello, remoteAddress: string): Headers {
  const ultrapeer = local.role === 'ultrapeer';
  const headers = new Headers([
    ['User-Agent', local.userAgent],
    ['X-Ultrapeer', ultrapeer ? 'True' : 'False'],
  ]);
  if (local.listen !== null) headers.set('Listen-IP', formatEndpoint(local.listen));
  headers.set('Remote-IP', remoteAddress);
  headers.set('X-Query-Routing', '0.2');
  // leaves too: LimeWire requires both of a good leaf
  headers.set('X-Ultrapeer-Query-Routing', '0.1');
  headers.set('X-Dynamic-Querying', '0.1');
  headers.set('X-Degree', String(local.degree));
  headers.set('X-Max-TTL', String(local.maxTtl));
  if (ultrapeer) headers.set('X-Ext-Probes', '0.1');
  headers.set('X-Requeries', 'False');
  headers.set('Pong-Caching', '0.1');
  headers.set('GGEP', '0.5');
  headers.set('Vendor-Message', '0.2');
  headers.set('Bye-Packet', '0.1');
  if (local.deflate) headers.set('Accept-Encoding', 'deflate'); // a single token: LimeWire does not trim
  if (local.guess !== null) headers.set('X-Guess', local.guess);
  if (local.guid !== null) headers.set('GUID', formatGuid(local.guid));
  if (local.liveSince !== null) headers.set('X-Live-Since', local.liveSince);
  if (local.locale !== null) headers.set('X-Locale-Pref', local.locale);
  if (local.features.length > 0) headers.set('X-Features', featureList(local.features));
  return headers;
}

/** gtk-gnutella ignores the first feature of the list, so an unimportant one comes first. */
function featureList(features: readonly string[]): string {
  const browse = features.filter(feature => feature.startsWith('browse/'));
  const others = features.filter(feature => !feature.startsWith('browse/'));
  return [...(browse.length > 0 ? browse : ['none/0.0']), ...others].join(', ');
}

/** Step 2 of an acceptance. */
export function answerHeaders(
  local: LocalHello,
  remoteAddress: string,
  peer: Capabilities,
  choices: AnswerChoices,
): Headers {
  const headers = helloHeaders(local, remoteAddress);
  if (peer.queryRouting < 0.2) headers.set('X-Query-Routing', '0.1');
  if (choices.ultrapeerNeeded !== null) headers.set('X-Ultrapeer-Needed', choices.ultrapeerNeeded ? 'True' : 'False');
  if (choices.deflate) headers.set('Content-Encoding', 'deflate');
  if (choices.contentType) headers.set('Content-Type', PACKETS_TYPE);
  if (choices.tls) offerTls(headers).set('Connection', 'Upgrade');
  return headers;
}

/** As gtk-gnutella spells it. */
export function offerTls(headers: Headers): Headers {
  headers.set('Upgrade', 'TLS/1.0');
  return headers;
}

/** Step 3 of an acceptance: only our choices. */
export function acknowledgementHeaders(peer: Capabilities, choices: AnswerChoices, becameLeaf: boolean): Headers {
  const headers = new Headers();
  if (becameLeaf) headers.set('X-Ultrapeer', 'False');
  if (peer.queryRouting === 0.1) headers.set('X-Query-Routing', '0.1');
  if (choices.deflate) headers.set('Content-Encoding', 'deflate');
  if (choices.contentType) headers.set('Content-Type', PACKETS_TYPE);
  if (choices.tls) headers.set('Connection', 'Upgrade');
  return headers;
}

/** Refusals without X-Try-Ultrapeers, as in gtk-gnutella. */
const HOSTLESS_CODES = [400, 403, 406, 413, 429, 550];

/** Step 2 or 3 of a refusal. */
export function refusalHeaders(
  local: LocalHello,
  remoteAddress: string,
  code: number,
  tryUltrapeers: () => Endpoint[],
): Headers {
  const headers = new Headers([
    ['User-Agent', local.userAgent],
    ['Remote-IP', remoteAddress],
    ['X-Ultrapeer', local.role === 'ultrapeer' ? 'True' : 'False'],
  ]);
  if (HOSTLESS_CODES.includes(code)) return headers;
  const hosts = tryUltrapeers().slice(0, TRY_ULTRAPEERS).map(formatEndpoint).join(', ');
  if (hosts !== '') headers.set('X-Try-Ultrapeers', hosts);
  return headers;
}

export function crawlerHeaders(local: LocalHello, peers: readonly Endpoint[], leaves: readonly Endpoint[]): Headers {
  const headers = new Headers([
    ['User-Agent', local.userAgent],
    ['X-Ultrapeer', local.role === 'ultrapeer' ? 'True' : 'False'],
    ['Peers', endpointList(peers)],
  ]);
  if (local.role === 'ultrapeer') headers.set('Leaves', endpointList(leaves));
  if (local.liveSince !== null) headers.set('X-Live-Since', local.liveSince);
  return headers;
}

function endpointList(endpoints: readonly Endpoint[]): string {
  let list = '';
  for (const endpoint of endpoints) {
    const text = formatEndpoint(endpoint);
    if (list.length + text.length + 1 > NEIGHBOURS_CHARS_MAX) break;
    list += list === '' ? text : `,${text}`;
  }
  return list;
}
