// Alternate locations that can be connected to: servents that have a file (X-Alt) or do not (X-NAlt).
import { DEFAULT_PORT } from '../../constants.ts';
import { type Endpoint, endpointOrNull, formatEndpoint } from '../../wire/endpoint.ts';
import { urnOrNull } from '../../wire/urn.ts';
import { formatTlsBits, LOCATIONS_MAX, parseTlsBits } from './tls-bits.ts';

export interface AltLocation extends Endpoint {
  readonly tls: boolean;
}

/** Parses a list; skips malformed items and ignores the TLS bits after one, as in LimeWire. */
export function parseAltLocations(text: string): AltLocation[] {
  const items = text.split(',', LOCATIONS_MAX + 1).map(item => item.trim());
  const bits = /^tls=([0-9a-f]*)$/i.exec(items[0] ?? '');
  if (bits !== null) items.shift();
  let tls = parseTlsBits(bits?.[1] ?? '');
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

const LEGACY = /^http:\/\/([^/\s]{1,60})\/uri-res\/N2R\?(urn:\S{1,100})(?:\s+\S{1,40})?$/i;

/**
 * Parses X-Gnutella-Alternate-Location (HUGE 0.94): addresses by hash, each with a date that is not looked at. Skips items of other
 * files, of `/get/` form and malformed ones.
 */
export function parseLegacyLocations(text: string, sha1: Buffer): AltLocation[] {
  return text.split(',', LOCATIONS_MAX).flatMap(item => {
    const [, address = '', urn = ''] = LEGACY.exec(item.trim()) ?? [];
    const endpoint = endpointOrNull(address, 80);
    return endpoint !== null && urnOrNull(urn)?.sha1?.equals(sha1) ? [{ ...endpoint, tls: false }] : [];
  });
}
