// Numbers fixed by the specs and by what deployed servents accept.

export const HEADER_BYTES = 23;
export const GUID_BYTES = 16;
export const DEFAULT_PORT = 6346;

/** Descriptor type bytes (offset 16 of the header). */
export const Type = {
  Ping: 0x00,
  Pong: 0x01,
  Bye: 0x02,
  Qrp: 0x30,
  Vendor: 0x31,
  StandardVendor: 0x32,
  Push: 0x40,
  Dht: 0x44,
  Query: 0x80,
  QueryHit: 0x81,
  Hsep: 0xcd,
} as const;
export type Type = (typeof Type)[keyof typeof Type];

/** gtk-gnutella's hard limit on hops + TTL (forward_message). */
export const HARD_TTL_MAX = 15;
/** Largest hops + TTL of a relayed broadcast (gtk-gnutella max_ttl, LimeWire soft max + 1). */
export const MAX_TTL = 4;
