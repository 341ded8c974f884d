// Servents that can only be reached by asking them to connect to us: items of X-Falt and X-NFalt, and X-FW-Node-Info.
import { DEFAULT_PORT } from '../../constants.ts';
import { type Endpoint, endpointOrNull, formatEndpoint, isIpv6 } from '../../wire/endpoint.ts';
import type { TransferIdentity } from '../transfer-identity.ts';
import type { AltLocation } from './alt-locations.ts';
import { formatTlsBits, parseTlsBits } from './tls-bits.ts';

/** gtk-gnutella FW_MAX_PROXIES; LimeWire's limit in text is the same. */
const ALT_PUSH_PROXIES_MAX = 4;
/** Items read from one list; LimeWire sends five. */
const ITEMS_MAX = 20;

export interface FirewalledLocation {
  /** 16 bytes. */
  readonly serventGuid: Buffer;
  /** Version of reliable UDP transfer it speaks, or null. */
  readonly fwt: number | null;
  /** Its own address, for that. */
  readonly address: Endpoint | null;
  readonly pushProxies: readonly AltLocation[];
}

/** One item of X-Falt, or all of X-FW-Node-Info; null without a GUID. */
export function parseFirewalled(text: string): FirewalledLocation | null {
  const [hex = '', ...fields] = text.split(';', 32).map(field => field.trim());
  if (!/^[0-9a-f]{32}$/i.test(hex)) return null;
  let fwt: number | null = null;
  let address: Endpoint | null = null;
  let tls = new Set<number>();
  const pushProxies: AltLocation[] = [];
  for (const field of fields) {
    const [, name = '', value = ''] = /^(fwt|pptls)[/=](.*)$/i.exec(field) ?? [];
    if (name.toLowerCase() === 'fwt') fwt = Number.parseFloat(value) || null;
    else if (name !== '') tls = parseTlsBits(value);
    else {
      // its own address has the port first
      const own = /^(\d{1,5}):(.+)$/.exec(field);
      const reversed =
        own === null ? null : endpointOrNull(own[2]?.includes(':') ? `[${own[2]}]:${own[1]}` : `${own[2]}:${own[1]}`);
      const endpoint = reversed === null ? endpointOrNull(field, DEFAULT_PORT) : null;
      if (reversed !== null) address ??= reversed;
      else if (endpoint !== null && pushProxies.length < ALT_PUSH_PROXIES_MAX) {
        pushProxies.push({ ...endpoint, tls: tls.has(pushProxies.length) });
      }
    }
  }
  return { serventGuid: Buffer.from(hex, 'hex'), fwt, address, pushProxies };
}

/** All items of X-Falt or X-NFalt that have a GUID. */
export function parseFirewalledList(text: string): FirewalledLocation[] {
  return text.split(',', ITEMS_MAX).flatMap(item => parseFirewalled(item.trim()) ?? []);
}

/** What the headers of a servent tell of how it is reached by push: its GUID and proxies; null: nothing. */
export function reachToldIn(
  headers: Pick<Headers, 'get'>,
  isBelieved: (proxy: AltLocation) => boolean,
): { readonly serventGuid: Buffer | null; readonly pushProxies: readonly Endpoint[] } | null {
  const node = parseFirewalled(headers.get('X-FW-Node-Info') ?? '');
  const named = (headers.get('X-Push-Proxy') ?? headers.get('X-Push-Proxies') ?? '').split(',', ALT_PUSH_PROXIES_MAX);
  const proxies = named.flatMap(each => endpointOrNull(each.trim(), DEFAULT_PORT) ?? []);
  const guid = headers.get('X-GUID')?.trim() ?? '';
  const serventGuid = node?.serventGuid ?? (/^[0-9a-f]{32}$/i.test(guid) ? Buffer.from(guid, 'hex') : null);
  const all: AltLocation[] = [...proxies.map(each => ({ ...each, tls: false })), ...(node?.pushProxies ?? [])];
  const pushProxies = all.filter(isBelieved).map(({ host, port }) => ({ host, port }));
  return serventGuid === null && pushProxies.length === 0 ? null : { serventGuid, pushProxies };
}

/** As parseFirewalled() reads it. An IPv6 address of its own is left out: LimeWire cannot read one. */
export function formatFirewalled({ serventGuid, fwt, address, pushProxies }: FirewalledLocation): string {
  const fields = [serventGuid.toString('hex').toUpperCase()];
  const proxies = pushProxies.slice(0, ALT_PUSH_PROXIES_MAX);
  if (fwt !== null) fields.push(`fwt/${fwt}`);
  if (address !== null && !isIpv6(address.host)) fields.push(`${address.port}:${address.host}`);
  const bits = formatTlsBits(proxies.flatMap(({ tls }, i) => (tls ? [i] : [])));
  if (bits !== '') fields.push(`pptls=${bits}`);
  return [...fields, ...proxies.map(formatEndpoint)].join(';');
}

/** The value of X-FW-Node-Info for ourselves. */
export function firewalledNode(identity: TransferIdentity): string {
  const { serventGuid } = identity;
  const pushProxies = identity.pushProxies().map(({ host, port }) => ({ host, port, tls: false }));
  return formatFirewalled({ serventGuid, fwt: null, address: null, pushProxies });
}

/** The value of X-Push-Proxy: the proxies that a firewalled servent can be reached through. */
export function formatPushProxies(proxies: readonly Endpoint[]): string {
  return proxies.slice(0, ALT_PUSH_PROXIES_MAX).map(formatEndpoint).join(', ');
}
