// KUIDs of the DHT: names of 160 bits for nodes and keys, and the XOR metric between them.
import { createHash } from 'node:crypto';
import { GUID_BYTES } from '../constants.ts';
import { ProtocolError } from '../errors.ts';
import type { Random } from '../ports.ts';

export const KUID_BYTES = 20;
export const KUID_BITS = 160;

/** Compares the distances of `a` and `b` to `target`: negative when `a` is nearer, 0 when both are the same KUID. */
export function compareDistance(target: Buffer, a: Buffer, b: Buffer): number {
  for (let i = 0; i < KUID_BYTES; i++) {
    const [inA, inB] = [a[i] as number, b[i] as number];
    if (inA !== inB) return (inA ^ (target[i] as number)) - (inB ^ (target[i] as number));
  }
  return 0;
}

/** a XOR b, to be read as an unsigned big-endian number. */
export function distance(a: Buffer, b: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(KUID_BYTES);
  for (let i = 0; i < KUID_BYTES; i++) bytes[i] = a.readUInt8(i) ^ b.readUInt8(i);
  return bytes;
}

/** Leading bits that both share, 0 to 160. */
export function commonBits(a: Buffer, b: Buffer): number {
  for (let i = 0; i < KUID_BYTES; i++) {
    const difference = (a[i] as number) ^ (b[i] as number);
    if (difference !== 0) return 8 * i + Math.clz32(difference) - 24;
  }
  return KUID_BITS;
}

/** Bit at `index`, 0 being the most significant. */
export function bitAt(kuid: Buffer, index: number): 0 | 1 {
  return (((kuid[index >> 3] as number) >> (7 - (index & 7))) & 1) === 0 ? 0 : 1;
}

/** A random KUID; its first `prefixBits` bits are those of `prefix`, which has at least that many. */
export function randomKuid(random: Random, prefix: Buffer = Buffer.alloc(0), prefixBits = 0): Buffer {
  if (!Number.isInteger(prefixBits) || prefixBits < 0 || prefixBits > Math.min(KUID_BITS, 8 * prefix.length)) {
    throw new RangeError(`a prefix of ${prefixBits} bits out of ${prefix.length} bytes`);
  }
  const kuid = Buffer.allocUnsafe(KUID_BYTES);
  random.fill(kuid);
  const whole = prefixBits >> 3;
  prefix.copy(kuid, 0, 0, whole);
  const rest = prefixBits & 7;
  if (rest !== 0) {
    const mask = 0xff >> rest;
    kuid[whole] = (prefix.readUInt8(whole) & ~mask) | (kuid.readUInt8(whole) & mask);
  }
  return kuid;
}

/** Key under which the push proxies of a servent are published. The key of a file is its SHA-1 itself. */
export function serventKey(guid: Buffer): Buffer {
  return createHash('sha1').update(guid.subarray(0, GUID_BYTES)).digest();
}

/** 40 lower-case hex digits, for people and the API. */
export function formatKuid(kuid: Buffer): string {
  return kuid.toString('hex', 0, KUID_BYTES);
}

const HEX_KUID = /^[0-9a-f]{40}$/i;

/** The reverse of formatKuid, either case. Throws DHT_MALFORMED. */
export function parseKuid(hex: string): Buffer {
  if (!HEX_KUID.test(hex)) throw new ProtocolError('DHT_MALFORMED', 'a KUID is 40 hex digits');
  return Buffer.from(hex, 'hex');
}

/** Map key of a KUID: one character a byte. */
export function kuidKey(kuid: Buffer): string {
  return kuid.toString('latin1', 0, KUID_BYTES);
}
