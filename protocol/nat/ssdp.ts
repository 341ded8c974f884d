// The search for a router by UPnP: what is sent to all of a network, and what may be believed of the answers (SSDP).
import { ProtocolError } from '../errors.ts';
import { canonicalHost, type Endpoint } from '../wire/endpoint.ts';

export const SSDP_GROUP: Endpoint = { host: '239.255.255.250', port: 1900 };
const ANSWER_BYTES_MAX = 2_048;
const LOCATION_CHARACTERS_MAX = 500;
/** Seconds over which devices spread their answers. */
const WAIT_S = 2;

const TARGETS = [
  'urn:schemas-upnp-org:device:InternetGatewayDevice:2',
  'urn:schemas-upnp-org:device:InternetGatewayDevice:1',
] as const;

/** One search for each generation of routers. */
export function encodeSearches(): Buffer[] {
  return TARGETS.map(target =>
    Buffer.from(
      `M-SEARCH * HTTP/1.1\r\nHOST: ${SSDP_GROUP.host}:${SSDP_GROUP.port}\r\nMAN: "ssdp:discover"\r\nMX: ${WAIT_S}\r\nST: ${target}\r\n\r\n`,
    ),
  );
}

/** Where a router describes itself; null: the answer is about something else. Throws ProtocolError when it is none, or names another host. */
export function locationIn(bytes: Buffer, from: string): URL | null {
  if (bytes.length > ANSWER_BYTES_MAX) throw new ProtocolError('WIRE_TOO_LONG', 'an answer of SSDP is too long');
  const [first = '', ...lines] = bytes.toString('latin1').split(/\r?\n/);
  if (!/^HTTP\/1\.[01] 200\b/i.test(first)) throw new ProtocolError('WIRE_MALFORMED', 'no answer of SSDP');
  const fields = new Map(
    lines.map(line => {
      const colon = line.indexOf(':');
      return [line.slice(0, Math.max(0, colon)).trim().toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  const target = fields.get('st') ?? '';
  if (!TARGETS.some(one => one === target)) return null;
  return urlWithin(fields.get('location') ?? '', from);
}

/** An http URL on this host and no other. Throws ProtocolError. */
export function urlWithin(text: string, host: string, base?: URL): URL {
  if (text.length > LOCATION_CHARACTERS_MAX || !URL.canParse(text, base?.href))
    throw new ProtocolError('WIRE_MALFORMED', 'the router names no URL');
  const url = new URL(text, base?.href);
  if (url.protocol !== 'http:' || canonicalHost(url.hostname.replace(/^\[|\]$/g, '')) !== host)
    throw new ProtocolError('WIRE_MALFORMED', 'the router names a URL of another host');
  url.username = '';
  url.password = '';
  return url;
}
