// The capabilities of a peer, read from its handshake headers into one object of fixed shape.
import { DEFAULT_PORT } from '../constants.ts';
import { RELAY_FEATURE } from '../relay/relay-line.ts';
import { canonicalHost, type Endpoint, parseEndpointList } from '../wire/endpoint.ts';
import { parseGuid } from '../wire/guid.ts';
import { keptCopy } from '../wire/kept-copy.ts';
import { decodeText } from '../wire/text.ts';
import type { Headers } from './header-block.ts';

export type Role = 'ultrapeer' | 'leaf';
/** `legacy`: no X-Ultrapeer header, or protocol 0.4; such a peer floods queries. */
export type PeerRole = Role | 'legacy';
export type ProtocolVersion = '0.4' | '0.6';

export interface Capabilities {
  /** At most 255 characters, printable. */
  userAgent: string | null;
  role: PeerRole;
  version: ProtocolVersion;
  /** 16 bytes. */
  guid: Buffer | null;
  /** Where the peer says it listens; unverified. */
  listen: Endpoint | null;
  /** Our address as the peer sees it; unverified. */
  remoteIp: string | null;
  /** As written: 0.1, 0.2; 0 when absent. */
  queryRouting: number;
  /** Last-hop QRP between ultrapeers. */
  ultrapeerQueryRouting: boolean;
  dynamicQuerying: boolean;
  degree: number | null;
  maxTtl: number | null;
  extProbes: boolean;
  /** False when the peer says that it does not repeat queries by itself. */
  requeries: boolean;
  pongCaching: boolean;
  ggep: boolean;
  vendorMessages: boolean;
  bye: boolean;
  /** Accept-Encoding: it can inflate what we send. */
  deflate: boolean;
  /** Content-Encoding: it deflates what it sends. */
  contentDeflate: boolean;
  /** As written: 0.1, 0.2; 0 when absent. */
  guess: number;
  /** Upgrade: TLS/1.0 was offered. */
  tlsUpgrade: boolean;
  /** Milliseconds since 1970. */
  liveSince: number | null;
  /** X-Try-Ultrapeers, at most 32. */
  tryUltrapeers: readonly Endpoint[];
  /** X-Try, at most 32. */
  tryHosts: readonly Endpoint[];
  /** X-Ultrapeer-Needed of an acceptor: false asks the connector to become a leaf. */
  ultrapeerNeeded: boolean | null;
  crawler: boolean;
  /** Wants an authenticated, closed network. */
  authChallenge: boolean;
  /** Accepts Gnutella descriptors: false when its Accept or Content-Type names only others (G2). */
  gnutella: boolean;
  locale: string | null;
  /** It relays for its leaves, an extension of ours. */
  relays?: boolean;
}

/** Endpoints read from each X-Try header; deployed servents send 10. */
const TRY_ENDPOINTS_MAX = 32;
const TEXT_CHARS_MAX = 255;
/** Bounds what dynamic querying computes with; gtk-gnutella's largest is far below. */
const DEGREE_MAX = 1000;

/** Reads all headers; never throws, since a malformed one counts as absent. `version` 0.4 has no headers and is legacy. */
export function capabilitiesOf(headers: Headers, version: ProtocolVersion = '0.6'): Capabilities {
  return {
    userAgent: userAgentOf(headers.get('User-Agent')),
    role: roleOf(headers.get('X-Ultrapeer')),
    version,
    guid: guidOf(headers.get('GUID')),
    listen: listenOf(headers),
    remoteIp: canonicalHost(firstOf(headers.get('Remote-IP') ?? headers.get('X-Remote-IP'))),
    queryRouting: decimalOf(headers.get('X-Query-Routing')),
    ultrapeerQueryRouting: decimalOf(headers.get('X-Ultrapeer-Query-Routing')) >= 0.1,
    dynamicQuerying: decimalOf(headers.get('X-Dynamic-Querying')) >= 0.1,
    degree: integerOf(headers.get('X-Degree'), DEGREE_MAX),
    maxTtl: integerOf(headers.get('X-Max-TTL'), 255),
    extProbes: decimalOf(headers.get('X-Ext-Probes')) >= 0.1,
    requeries: flagOf(headers.get('X-Requeries')) !== false,
    pongCaching: decimalOf(headers.get('Pong-Caching')) >= 0.1,
    ggep: headers.has('GGEP'), // any version, as in gtk-gnutella
    vendorMessages: decimalOf(headers.get('Vendor-Message')) >= 0.1,
    bye: decimalOf(headers.get('Bye-Packet')) >= 0.1,
    deflate: hasToken(headers.get('Accept-Encoding'), 'deflate'),
    contentDeflate: hasToken(headers.get('Content-Encoding'), 'deflate'),
    guess: decimalOf(headers.get('X-Guess')),
    tlsUpgrade: (headers.get('Upgrade') ?? '').toUpperCase().includes('TLS/'),
    liveSince: parseDate(headers.get('X-Live-Since') ?? ''),
    tryUltrapeers: endpointsOf(headers.get('X-Try-Ultrapeers')),
    tryHosts: endpointsOf(headers.get('X-Try')),
    ultrapeerNeeded: flagOf(headers.get('X-Ultrapeer-Needed')),
    crawler: headers.has('Crawler'),
    authChallenge: headers.has('X-Auth-Challenge') || headers.has('FP-Auth-Challenge'),
    gnutella: speaksGnutella(headers.get('Accept')) && speaksGnutella(headers.get('Content-Type')),
    locale: localeOf(headers.get('X-Locale-Pref')),
    ...(hasToken(headers.get('X-Features'), RELAY_FEATURE) ? { relays: true } : {}),
  };
}

/** LimeWire's high degree, and the values for missing headers (HandshakeResponse). */
const HIGH_DEGREE = 15;
const DEGREE_DEFAULT = 6;
const MAX_TTL_DEFAULT = 4;

/** LimeWire's "good ultrapeer", to which an ultrapeer yields. */
export function isGoodUltrapeer(peer: Capabilities): boolean {
  return (
    (peer.degree ?? DEGREE_DEFAULT) >= HIGH_DEGREE &&
    peer.ultrapeerQueryRouting &&
    peer.dynamicQuerying &&
    (peer.maxTtl ?? MAX_TTL_DEFAULT) < 5
  );
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: removes control characters that a terminal would execute
const CONTROLS = /[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/g;

/** The first half of a character that was cut in two; databases refuse it. */
const CUT_PAIR = /[\ud800-\udbff]$/;

/** Decodes header text for display: without control and direction characters, at most 255 characters. */
export function readableText(value: string): string {
  const bytes = Buffer.from(value, 'latin1');
  const text = decodeText(bytes, 0, bytes.length).replace(CONTROLS, '');
  return text.slice(0, TEXT_CHARS_MAX).replace(CUT_PAIR, '').trim();
}

/** Of most peers there are none: they share one list, as there are thousands of links. */
const NO_ENDPOINTS: readonly Endpoint[] = [];

function endpointsOf(list: string | null): readonly Endpoint[] {
  return list === null ? NO_ENDPOINTS : parseEndpointList(list, DEFAULT_PORT, TRY_ENDPOINTS_MAX);
}

function userAgentOf(value: string | null): string | null {
  const text = readableText(value ?? '');
  return text === '' ? null : text;
}

function roleOf(value: string | null): PeerRole {
  const ultrapeer = flagOf(value);
  if (ultrapeer === null) return 'legacy';
  return ultrapeer ? 'ultrapeer' : 'leaf';
}

/** Reads the first value of a merged header. */
function flagOf(value: string | null): boolean | null {
  const text = firstOf(value).toLowerCase();
  if (text === 'true') return true;
  return text === 'false' ? false : null;
}

function decimalOf(value: string | null): number {
  return Number(/^\d{1,3}(\.\d{1,3})?/.exec(firstOf(value))?.[0] ?? 0);
}

function integerOf(value: string | null, max: number): number | null {
  const text = firstOf(value);
  return /^\d{1,9}$/.test(text) ? Math.min(Number(text), max) : null;
}

function guidOf(value: string | null): Buffer | null {
  const text = firstOf(value);
  return /^[0-9a-f]{32}$/i.test(text) ? keptCopy(parseGuid(text)) : null;
}

/** LimeWire sends Listen-IP, gtk-gnutella Node, old servents X-My-Address; each may be a list. */
function listenOf(headers: Headers): Endpoint | null {
  for (const name of ['Listen-IP', 'X-My-Address', 'Node', 'Node-IPv6']) {
    const endpoint = parseEndpointList(headers.get(name) ?? '', DEFAULT_PORT, 1)[0];
    if (endpoint !== undefined && endpoint.port !== 0) return endpoint;
  }
  return null;
}

function localeOf(value: string | null): string | null {
  return /^[a-z]{2}(?:[-_][a-z]{2})?$/i.exec(firstOf(value))?.[0].toLowerCase() ?? null;
}

/** True without the header; G2 hosts list only their own type. */
function speaksGnutella(value: string | null): boolean {
  return value === null || hasToken(value, 'application/x-gnutella-packets') || hasToken(value, '*/*');
}

function hasToken(value: string | null, token: string): boolean {
  return (value ?? '').split(',').some(item => item.split(';', 1)[0]?.trim().toLowerCase() === token);
}

function firstOf(value: string | null): string {
  return (value ?? '').split(',', 1)[0]?.trim() ?? '';
}

const DATE = /(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) (?:GMT|UTC|([+-])(\d{2})(\d{2}))/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Parses an RFC 822 date to milliseconds since 1970; null when malformed. */
function parseDate(text: string): number | null {
  const match = DATE.exec(text);
  const month = MONTHS.indexOf(match?.[2] ?? '');
  if (match === null || month < 0) return null;
  const field = (index: number) => Number(match[index] ?? 0);
  const offsetMinutes = (match[7] === '-' ? -1 : 1) * (field(8) * 60 + field(9));
  const minutes = daysSince1970(field(3), month, field(1)) * 1440 + field(4) * 60 + field(5) - offsetMinutes;
  return (minutes * 60 + field(6)) * 1000;
}

/** Gregorian; counts years from March, so that the leap day is last. */
function daysSince1970(year: number, month: number, day: number): number {
  const marchYear = month < 2 ? year - 1 : year;
  const dayOfYear = Math.floor((153 * ((month + 10) % 12) + 2) / 5) + day - 1;
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  return marchYear * 365 + leapDays + dayOfYear - 719468;
}
