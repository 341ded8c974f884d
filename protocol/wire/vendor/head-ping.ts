// HEAD pings (LIME/23) and pongs (LIME/24): ask by UDP whether a servent has a file. An ultrapeer relays one to the leaf named in it.
import { ProtocolError } from '../../errors.ts';
import { encodeGgep, ggepPayload, parseGgep } from '../ggep.ts';
import { demandBody, demandVersion, VendorId, type VendorMessage, vendorPayload } from '../vendor-message.ts';

export const HeadFlag = {
  Ranges: 0x01,
  Locations: 0x02,
  PushLocations: 0x04,
  FirewallToFirewall: 0x08,
  Ggep: 0x10,
} as const;

/** `urn:sha1:` and 32 characters. */
const URN_BYTES = 41;

export interface HeadPing {
  /** 1 asks for a binary pong, 2 for GGEP. */
  readonly version: number;
  /** HeadFlag bits without Ggep. */
  readonly flags: number;
  /** As written, `urn:sha1:…`. */
  readonly urn: string;
  /** GGEP PUSH: GUID of the servent asked, 16 bytes. */
  readonly target: Buffer | null;
}

/** Throws WIRE_TRUNCATED, WIRE_MALFORMED (not a SHA-1 URN), GGEP_*. */
export function parseHeadPing(message: VendorMessage): HeadPing {
  demandVersion(message, 1);
  const body = demandBody(message, 1 + URN_BYTES);
  const flags = body.readUInt8(0);
  const urn = body.toString('latin1', 1, 1 + URN_BYTES);
  if (!/^urn:sha1:[a-z2-7]{32}$/i.test(urn)) throw new ProtocolError('WIRE_MALFORMED', 'a HEAD ping without SHA-1');
  const hasGgep = (flags & HeadFlag.Ggep) !== 0 && body.length > 1 + URN_BYTES;
  const target = hasGgep ? ggepPayload(parseGgep(body, 1 + URN_BYTES).items, 'PUSH') : null;
  return {
    version: message.version,
    flags: flags & ~HeadFlag.Ggep,
    urn,
    target: target !== null && target.length === 16 ? target : null,
  };
}

export function encodeHeadPing(ping: HeadPing): Buffer {
  const { version, flags, urn, target } = ping;
  const block = target === null ? Buffer.alloc(0) : encodeGgep([{ id: 'PUSH', payload: target }], { cobs: false });
  const head = Buffer.of(target === null ? flags & ~HeadFlag.Ggep : flags | HeadFlag.Ggep);
  return vendorPayload(VendorId.HeadPing, version, Buffer.concat([head, Buffer.from(urn, 'latin1'), block]));
}

export interface HeadPong {
  readonly found: boolean;
  /** The sender accepts no incoming connections. */
  readonly firewalled: boolean;
  /** No upload slot is free. */
  readonly busy: boolean;
  /** Four characters. */
  readonly vendor: string;
}

const PongCode = { Complete: 0x01, Firewalled: 0x04 } as const;
/** Queue position; negative: number of free slots. */
const BUSY = 0x7f;
const ONE_SLOT = 0xff;

/** LIME/24 in the requested version: 1 binary, 2 GGEP. Without alternate locations. The descriptor's GUID is the ping's. */
export function encodeHeadPong(version: number, pong: HeadPong): Buffer {
  const code = pong.found ? PongCode.Complete | (pong.firewalled ? PongCode.Firewalled : 0) : 0;
  const vendor = Buffer.from(pong.vendor, 'latin1');
  const queue = pong.busy ? BUSY : ONE_SLOT;
  if (version < 2) {
    const rest = pong.found ? Buffer.concat([vendor, Buffer.of(queue)]) : Buffer.alloc(0);
    return vendorPayload(VendorId.HeadPong, 1, Buffer.concat([Buffer.of(0, code), rest]));
  }
  const items = [{ id: 'C', payload: Buffer.of(code) }];
  if (pong.found) items.push({ id: 'Q', payload: Buffer.of(queue) }, { id: 'V', payload: vendor });
  return vendorPayload(VendorId.HeadPong, 2, encodeGgep(items, { cobs: false }));
}
