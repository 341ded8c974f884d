// Ping payloads: nothing, or a GGEP block.
import { ProtocolError } from '../errors.ts';
import { encodeGgep, type GgepItem, parseGgep } from './ggep.ts';

/** Bits of GGEP SCP, "supports cached pongs". */
export const ScpFlag = {
  /** Asks for hosts with free ultrapeer slots; without it, free leaf slots. */
  Ultrapeer: 0x01,
  Tls: 0x02,
  Ipv6: 0x04,
  NoIpv4: 0x08,
} as const;

/** gtk-gnutella drops pings, pongs and pushes with more GGEP than this. */
export const PING_GGEP_BYTES_MAX = 1536;

export interface Ping {
  /** ScpFlag bits of GGEP SCP (0 if it was empty), or null: no host list wanted. */
  readonly supportsCachedPongs: number | null;
  /** Everything but SCP. */
  readonly ggep: readonly GgepItem[];
}

/** Throws WIRE_MALFORMED for a tail that is not GGEP, GGEP_* for a bad block. */
export function parsePing(payload: Buffer): Ping {
  if (payload.length === 0) return { supportsCachedPongs: null, ggep: [] };
  if (payload.length === 1 && payload[0] === 0) return { supportsCachedPongs: null, ggep: [] }; // old servents send an empty string
  const items = parseTail(payload, 0);
  let supportsCachedPongs: number | null = null;
  const ggep: GgepItem[] = [];
  for (const item of items) {
    if (item.id === 'SCP') supportsCachedPongs = item.payload[0] ?? 0;
    else ggep.push(item);
  }
  return { supportsCachedPongs, ggep };
}

export function encodePing(ping: Ping): Buffer {
  const items = [...ping.ggep];
  if (ping.supportsCachedPongs !== null) {
    items.unshift({ id: 'SCP', payload: Buffer.of(ping.supportsCachedPongs) });
  }
  return encodeGgep(items, { cobs: false });
}

/** Parses the GGEP block at the end of a ping, pong or push. Throws GGEP_*. */
export function parseTail(payload: Buffer, start: number): GgepItem[] {
  if (payload.length === start) return [];
  if (payload.length - start > PING_GGEP_BYTES_MAX) {
    throw new ProtocolError('GGEP_TOO_LONG', `${payload.length - start} bytes of extensions`);
  }
  return parseGgep(payload, start).items;
}
