// What a host says to a crawler: by TCP in the headers of a handshake, by UDP in LIME/6 and a pong. Bytes to values and back.
import { DEFAULT_PORT, HEADER_BYTES, Type } from '../constants.ts';
import { ProtocolError } from '../errors.ts';
import { capabilitiesOf, type PeerRole, readableText } from '../handshake/capabilities.ts';
import { encodeHeaderBlock, type HeaderBlock } from '../handshake/header-block.ts';
import { type Endpoint, parseEndpointList } from '../wire/endpoint.ts';
import { encodeDescriptor } from '../wire/header.ts';
import { encodePing, ScpFlag } from '../wire/ping.ts';
import { parsePong } from '../wire/pong.ts';
import { CRAWL_ALL, CrawlFlag, encodeCrawlerPing, parseCrawlerPong } from '../wire/vendor/crawler.ts';
import { parseVendorMessage, VendorId, vendorId } from '../wire/vendor-message.ts';

/** What one way of asking brought. */
export interface HostAnswer {
  readonly role: PeerRole | null;
  /** '' when it was not told. */
  readonly userAgent: string;
  /** Seconds; null when it was not told. */
  readonly uptime: number | null;
  readonly ultrapeers: readonly Endpoint[];
  readonly leaves: readonly Endpoint[];
  /** Hosts that it names without a connection to them. */
  readonly others: readonly Endpoint[];
}

export type Reply =
  | { readonly kind: 'answered'; readonly answer: HostAnswer }
  | Refusal
  | { readonly kind: 'unreadable'; readonly why: string };

export interface Refusal {
  readonly kind: 'refused';
  readonly why: string;
  /** It wants no crawlers at all. */
  readonly optsOut: boolean;
  /** It is not asked in another way either. */
  readonly isFinal: boolean;
  /** Hosts that it names instead. */
  readonly others: readonly Endpoint[];
}

const NEIGHBOURS_MAX = 1000;
/** Characters of the text behind a status that are shown. */
const PHRASE_MAX = 100;
const STATUS = /^GNUTELLA\/\d{1,3}\.\d{1,3}[ \t]+(\d{3})[ \t]*(.*)$/i;
/** What a host says in the header `Crawler` that wants none. */
const UNWANTED = /^\s*(no|none|never|false|0)\b/i;
/** Not this crawler, or not now. */
const NOT_WANTED: readonly number[] = [403, 503];

/** Step 1 of a crawler by TCP. */
export function crawlerHello(userAgent: string): Buffer {
  return encodeHeaderBlock('GNUTELLA CONNECT/0.6', [
    ['User-Agent', userAgent],
    ['X-Ultrapeer', 'False'],
    ['Crawler', '0.1'],
  ]);
}

/** Step 3, after which both sides close. */
export const CRAWLER_FAREWELL: Buffer = encodeHeaderBlock('GNUTELLA/0.6 200 OK', []);

/** LimeWire answers a crawler with status 593, gtk-gnutella with 200: the lists tell an answer from a refusal. */
export function readHandshakeAnswer({ firstLine, headers }: HeaderBlock, wallTime: number): Reply {
  const [, status, phrase = ''] = STATUS.exec(firstLine) ?? [];
  const code = Number(status ?? 0);
  if (code === 0) return { kind: 'unreadable', why: 'its answer is no Gnutella handshake' };
  const { role, userAgent, liveSince, tryUltrapeers, tryHosts } = capabilitiesOf(headers);
  const others = [...tryUltrapeers, ...tryHosts];
  const optsOut = UNWANTED.test(headers.get('Crawler') ?? '');
  if (optsOut || !(headers.has('Peers') || headers.has('Leaves'))) {
    const why = optsOut ? 'it wants no crawlers' : refusal(code, phrase);
    return { kind: 'refused', why, optsOut, isFinal: optsOut || NOT_WANTED.includes(code), others };
  }
  const listed = (name: string): Endpoint[] =>
    parseEndpointList(headers.get(name) ?? '', DEFAULT_PORT, NEIGHBOURS_MAX).filter(isHost);
  // gtk-gnutella does not say what it is; a leaf has no leaves to list
  const told = headers.has('X-Ultrapeer') ? role : headers.has('Leaves') ? 'ultrapeer' : null;
  const uptime = liveSince === null ? null : Math.max(0, Math.round((wallTime - liveSince) / 1000));
  const answer = { role: told, userAgent: userAgent ?? '', uptime, others };
  return { kind: 'answered', answer: { ...answer, ultrapeers: listed('Peers'), leaves: listed('Leaves') } };
}

/** With what the host says of it, such as `Too frequent crawling`. */
function refusal(code: number, phrase: string): string {
  const said = readableText(phrase).trim().slice(0, PHRASE_MAX);
  return `status ${code}${said === '' ? '' : ` (${said})`} without a list of neighbours`;
}

/**
 * LIME/5. Without names of programs, which would take the room of neighbours: answers to unproven addresses have a
 * few hundred bytes.
 */
export function crawlerPing(guid: Buffer): Buffer {
  const payload = encodeCrawlerPing({ ultrapeers: CRAWL_ALL, leaves: CRAWL_ALL, flags: CrawlFlag.NodeUptime });
  return encodeDescriptor(guid, Type.Vendor, 1, 0, payload);
}

/** A ping that asks for hosts. Its answer has another type than that to a crawler ping, so that both may have one GUID. */
export function hostsPing(guid: Buffer): Buffer {
  return encodeDescriptor(guid, Type.Ping, 1, 0, encodePing({ supportsCachedPongs: ScpFlag.Ultrapeer, ggep: [] }));
}

/** Null for a datagram that answers neither ping, or cannot be read. */
export function readDatagram(bytes: Buffer): { guid: string; answer: HostAnswer; isList: boolean } | null {
  if (bytes.length < HEADER_BYTES || bytes.readUInt32LE(HEADER_BYTES - 4) !== bytes.length - HEADER_BYTES) return null;
  const guid = bytes.toString('hex', 0, 16);
  const payload = bytes.subarray(HEADER_BYTES);
  try {
    switch (bytes[16]) {
      case Type.Pong: {
        const { ultrapeer, vendor, hosts } = parsePong(payload);
        const role = ultrapeer ? 'ultrapeer' : null;
        const answer = { role, userAgent: vendor ?? '', uptime: null, ultrapeers: [], leaves: [] } as const;
        return { guid, answer: { ...answer, others: hosts.filter(isHost) }, isList: false };
      }
      case Type.Vendor: {
        const message = parseVendorMessage(payload);
        if (vendorId(message) !== VendorId.CrawlerPong) return null;
        const { ultrapeers, leaves, uptimeSeconds, userAgent } = parseCrawlerPong(message);
        const endpoints = (list: typeof ultrapeers): Endpoint[] => list.map(({ endpoint }) => endpoint).filter(isHost);
        const role = leaves.length > 0 ? 'ultrapeer' : null;
        const answer = { role, userAgent, uptime: uptimeSeconds, others: [] } as const;
        return {
          guid,
          answer: { ...answer, ultrapeers: endpoints(ultrapeers), leaves: endpoints(leaves) },
          isList: true,
        };
      }
      default:
        return null;
    }
  } catch (error) {
    if (error instanceof ProtocolError) return null;
    throw error;
  }
}

/** Both answers to the pings of one visit as one. */
export function joined(list: HostAnswer, pong: HostAnswer | null): HostAnswer {
  if (pong === null) return list;
  return {
    ...list,
    role: list.role ?? pong.role,
    userAgent: list.userAgent || pong.userAgent,
    others: [...list.others, ...pong.others],
  };
}

const isHost = ({ port }: Endpoint): boolean => port !== 0;
