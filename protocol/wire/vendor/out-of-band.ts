// Out-of-band hits: LIME/12 offers hits by UDP, LIME/11 claims them. The descriptor's GUID is the query's.
import { ProtocolError } from '../../errors.ts';
import { encodeGgep, ggepPayload, parseGgep } from '../ggep.ts';
import { demandBody, demandVersion, VendorId, type VendorMessage, vendorPayload } from '../vendor-message.ts';

/** gtk-gnutella's bound on the token. */
const OUT_OF_BAND_TOKEN_BYTES_MAX = 16;
/** `wanted` that means all. */
export const OUT_OF_BAND_ALL = 255;

export interface OutOfBandOffer {
  /** At most 255. */
  readonly hits: number;
  /** The sender can receive unsolicited datagrams. */
  readonly unsolicited: boolean;
  /** Version 3: the claim must have a token. */
  readonly secure: boolean;
}

/** Throws WIRE_TRUNCATED; WIRE_MALFORMED for version 1, which LimeWire refuses too. */
export function parseOutOfBandOffer(message: VendorMessage): OutOfBandOffer {
  demandVersion(message, 2);
  const body = demandBody(message, 2);
  return { hits: body.readUInt8(0), unsolicited: (body.readUInt8(1) & 1) !== 0, secure: message.version >= 3 };
}

/** LIME/12 version 2, or 3 when the query had GGEP SO. */
export function encodeOutOfBandOffer(offer: OutOfBandOffer): Buffer {
  const body = Buffer.of(Math.min(offer.hits, 255), offer.unsolicited ? 1 : 0);
  return vendorPayload(VendorId.OutOfBandOffer, offer.secure ? 3 : 2, body);
}

export interface OutOfBandAck {
  /** Hits wanted, OUT_OF_BAND_ALL for all. */
  readonly wanted: number;
  /** 1 to 16 bytes to be echoed in GGEP SO of each hit; null in version 2. */
  readonly token: Buffer | null;
}

/** Throws WIRE_TRUNCATED, GGEP_*; WIRE_MALFORMED for version 1 and a version 3 without a token. */
export function parseOutOfBandAck(message: VendorMessage): OutOfBandAck {
  demandVersion(message, 2);
  const body = demandBody(message, 1);
  const wanted = body.readUInt8(0);
  if (message.version < 3) return { wanted, token: null };
  const token = body.length > 1 ? ggepPayload(parseGgep(body, 1).items, 'SO') : null;
  if (token === null || token.length < 1 || token.length > OUT_OF_BAND_TOKEN_BYTES_MAX) {
    throw new ProtocolError('WIRE_MALFORMED', 'a secure claim without a token');
  }
  return { wanted, token };
}

/** LIME/11 version 3 with a token, 2 without. */
export function encodeOutOfBandAck(ack: OutOfBandAck): Buffer {
  const wanted = Buffer.of(Math.min(ack.wanted, 255));
  if (ack.token === null) return vendorPayload(VendorId.OutOfBandAck, 2, wanted);
  const block = encodeGgep([{ id: 'SO', payload: ack.token }], { cobs: false });
  return vendorPayload(VendorId.OutOfBandAck, 3, Buffer.concat([wanted, block]));
}
