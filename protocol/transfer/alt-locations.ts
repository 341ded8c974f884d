// Alternate locations: servents that have the file (X-Alt) or do not (X-NAlt), and firewalled ones (X-Falt, X-FW-Node-Info).
import { DEFAULT_PORT } from '../constants.ts';
import { type Endpoint, endpointOrNull, formatEndpoint } from '../wire/endpoint.ts';

/** LimeWire sends 10, gtk-gnutella fills 1 KiB of header. */
const LOCATIONS_MAX = 100;
/** gtk-gnutella FW_MAX_PROXIES; LimeWire's limit in text is the same. */
export const ALT_PUSH_PROXIES_MAX = 4;

export interface AltLocation extends Endpoint {
  readonly tls: boolean;
}

/** A servent that can only be reached by asking it to connect to us. */
export interface FirewalledLocation {
  /** 16 bytes. */
  readonly serventGuid: Buffer;
  /** Version of reliable UDP transfer it speaks, or null. */
  readonly fwt: number | null;
  /** Its own address, for that. */
  readonly address: Endpoint | null;
  readonly pushProxies: readonly AltLocation[];
}

/** Parses a list; skips malformed items and ignores the TLS bits after one, as in LimeWire. */
export function parseAltLocations(text: string): AltLocation[] {
  const items = text.split(',', LOCATIONS_MAX + 1).map(item => item.trim());
  const bits = /^tls=([0-9a-f]*)$/i.exec(items[0] ?? '');
  if (bits !== null) items.shift();
  let tls = tlsBits(bits?.[1] ?? '');
  const locations: AltLocation[] = [];
  items.slice(0, LOCATIONS_MAX).forEach((item, i) => {
    const endpoint = endpointOrNull(item, DEFAULT_PORT);
    if (endpoint === null || endpoint.port === 0) tls = new Set();
    else locations.push({ ...endpoint, tls: tls.has(i) });
  });
  return locations;
}

/** The port is left out where it is 6346. */
export function formatAltLocations(locations: readonly AltLocation[]): string {
  const bits = formatTlsBits(locations.flatMap(({ tls }, i) => (tls ? [i] : [])));
  const items = locations.map(location =>
    location.port === DEFAULT_PORT ? formatEndpoint(location).replace(/:6346$/, '') : formatEndpoint(location),
  );
  return [...(bits === '' ? [] : [`tls=${bits}`]), ...items].join(', ');
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
    else if (name !== '') tls = tlsBits(value);
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

/** Bit i, from the most significant of the first hex digit on, speaks for the i-th address. */
function tlsBits(hex: string): Set<number> {
  const set = new Set<number>();
  for (let digit = 0; digit < Math.min(hex.length, LOCATIONS_MAX / 4); digit++) {
    const value = Number.parseInt(hex.slice(digit, digit + 1), 16);
    for (let bit = 0; bit < 4; bit++) if ((value & (8 >> bit)) !== 0) set.add(4 * digit + bit);
  }
  return set;
}

/** Upper-case hex without trailing zero digits. */
export function formatTlsBits(indices: readonly number[]): string {
  const digits = new Array<number>(1 + (Math.max(-1, ...indices) >> 2)).fill(0);
  for (const index of indices) digits[index >> 2] = (digits[index >> 2] ?? 0) | (8 >> (index & 3));
  return digits
    .map(digit => digit.toString(16).toUpperCase())
    .join('')
    .replace(/0+$/, '');
}
