// The offer of our stream extension, in bytes of a SYN that LimeWire leaves unused and does not read.

/** `SV`, then the version of the extension. */
const MARK = [0x53, 0x56, 1] as const;
/** Sizes of datagrams are told in units of so many bytes. */
const SIZE_UNIT = 8;
export const OFFER_DATAGRAM_BYTES_MAX = 1_400;
const DATAGRAM_BYTES_MIN = 256;

export interface StreamOffer {
  /** The longest datagram that the sender of the offer takes; a multiple of 8. */
  readonly datagramBytes: number;
  /** 32 bits, chosen at random: every packet of the extension to the sender of the offer carries them. */
  readonly tag: number;
}

/** Null when there is none, or it makes no sense. */
export function streamOfferIn(bytes: Buffer, at: number): StreamOffer | null {
  if (MARK.some((byte, i) => bytes[at + i] !== byte)) return null;
  const datagramBytes = bytes.readUInt8(at + 3) * SIZE_UNIT;
  return datagramBytes < DATAGRAM_BYTES_MIN ? null : { datagramBytes, tag: bytes.readUInt32BE(at + 4) };
}

export function encodeStreamOffer({ datagramBytes, tag }: StreamOffer, bytes: Buffer, at: number): void {
  MARK.forEach((byte, i) => {
    bytes[at + i] = byte;
  });
  bytes.writeUInt8(Math.floor(datagramBytes / SIZE_UNIT), at + 3);
  bytes.writeUInt32BE(tag, at + 4);
}
