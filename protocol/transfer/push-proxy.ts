// Push proxies over HTTP: the request for a push, and what its answer means.
import { GUID_BYTES } from '../constants.ts';
import { ProtocolError } from '../errors.ts';
import { type Endpoint, formatEndpoint } from '../wire/endpoint.ts';
import { parseGuid } from '../wire/guid.ts';
import { FIREWALL_TO_FIREWALL_INDEX } from '../wire/push.ts';
import { base32OrNull, formatBase32 } from '../wire/urn.ts';

export interface PushProxyCall {
  readonly serventGuid: Buffer;
  readonly proxy: Endpoint;
  /** Where the servent shall connect to. */
  readonly node: Endpoint;
  /** The same by IPv6, when `node` is IPv4. */
  readonly ipv6?: string | null;
  /** 0: any. */
  readonly fileIndex?: number;
  readonly userAgent: string;
}

/** ServerId as gtk-gnutella wants it spelled: LimeWire's "ServerID" gets a 400 from it. */
export function encodePushProxyCall({
  serventGuid,
  proxy,
  node,
  ipv6,
  fileIndex = 0,
  userAgent,
}: PushProxyCall): Buffer {
  const id = formatBase32(serventGuid);
  // any other index is a hint of no use
  const file = fileIndex === FIREWALL_TO_FIREWALL_INDEX ? `&file=${fileIndex}` : '';
  const lines = [
    `HEAD /gnutella/push-proxy?ServerId=${id}${file} HTTP/1.1`,
    `Host: ${formatEndpoint(proxy)}`,
    `User-Agent: ${userAgent}`,
    `X-Node: ${formatEndpoint(node)}`,
    ...(ipv6 == null ? [] : [`X-Node-IPv6: ${formatEndpoint({ host: ipv6, port: node.port })}`]),
    'Connection: close',
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** `silent`: it cannot be connected to, or answers nothing that is HTTP. */
export type PushProxyVerdict = 'sent' | 'routed' | 'refused' | 'silent';

/** Of the answer's status: 202 it went to the servent, 203 it is on its way over others, anything else it did not. */
export function pushProxyVerdict(status: number): PushProxyVerdict {
  if (status === 202) return 'sent';
  return status === 203 ? 'routed' : 'refused';
}

export interface PushProxyQuery {
  readonly serventGuid: Buffer;
  readonly fileIndex: number;
  readonly tls: boolean;
}

const PATHS = /^\/(?:gnutella\/push-?proxy|gnet\/push-proxy)\?/i;
const INDEX_MAX = 0xffff_ffff;

/** Whether a request's target is one; then parsePushProxyQuery() reads it. */
export function isPushProxyTarget(target: string): boolean {
  return PATHS.test(target);
}

/** ServerId (base32) or guid (hex), in any case; file and tls. Throws HTTP_MALFORMED. */
export function parsePushProxyQuery(target: string): PushProxyQuery {
  const values = new Map<string, string>();
  for (const pair of target.slice(target.indexOf('?') + 1).split('&', 8)) {
    const [name = '', value = ''] = pair.split('=', 2);
    values.set(name.toLowerCase(), value);
  }
  const file = values.get('file') ?? '0';
  if (!/^\d{1,10}$/.test(file) || Number(file) > INDEX_MAX) throw malformed('no file index');
  return {
    serventGuid: guidIn(values.get('serverid'), values.get('guid')),
    fileIndex: Number(file),
    tls: /^true$/i.test(values.get('tls') ?? ''),
  };
}

function guidIn(serverId: string | undefined, hex: string | undefined): Buffer {
  const decoded = serverId === undefined ? null : base32OrNull(serverId.replace(/%3d/gi, '='));
  if (decoded !== null && decoded.length === GUID_BYTES) return decoded;
  if (hex !== undefined && /^[0-9a-f]{32}$/i.test(hex)) return parseGuid(hex);
  throw malformed('no servent GUID');
}

function malformed(detail: string): ProtocolError {
  return new ProtocolError('HTTP_MALFORMED', `push-proxy request: ${detail}`);
}
