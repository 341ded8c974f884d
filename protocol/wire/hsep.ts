// HSEP payloads (0xCD), horizon size estimation: nodes, files and KiB reachable within 1, 2 … 7 hops.
import { ProtocolError } from '../errors.ts';

/** gtk-gnutella's HSEP_N_MAX. */
export const HSEP_TRIPLES_MAX = 7;
const TRIPLE_BYTES = 24;

export interface HorizonTriple {
  readonly nodes: number;
  readonly files: number;
  readonly kibibytes: number;
}

/**
 * Parses one triple a hop, nearest first; senders omit repeats at the end. Ignores triples past the seventh. Throws
 * WIRE_TRUNCATED, or WIRE_MALFORMED unless the first counts one node and none is less than the one before.
 */
export function parseHsep(payload: Buffer): HorizonTriple[] {
  if (payload.length === 0 || payload.length % TRIPLE_BYTES !== 0) {
    throw new ProtocolError('WIRE_TRUNCATED', `HSEP of ${payload.length} bytes`);
  }
  const triples: HorizonTriple[] = [];
  let before: HorizonTriple = { nodes: 1, files: 0, kibibytes: 0 };
  for (let at = 0; at < payload.length && triples.length < HSEP_TRIPLES_MAX; at += TRIPLE_BYTES) {
    const triple = { nodes: u64(payload, at), files: u64(payload, at + 8), kibibytes: u64(payload, at + 16) };
    if (at === 0 && triple.nodes !== 1)
      throw new ProtocolError('WIRE_MALFORMED', `HSEP starts at ${triple.nodes} nodes`);
    if (triple.nodes < before.nodes || triple.files < before.files || triple.kibibytes < before.kibibytes) {
      throw new ProtocolError('WIRE_MALFORMED', 'HSEP shrinks with distance');
    }
    triples.push(triple);
    before = triple;
  }
  return triples;
}

/** Leaves out the equal triples at the end. */
export function encodeHsep(triples: readonly HorizonTriple[]): Buffer {
  let count = Math.min(triples.length, HSEP_TRIPLES_MAX);
  while (count > 1 && isEqual(triples[count - 1], triples[count - 2])) count--;
  const payload = Buffer.alloc(count * TRIPLE_BYTES);
  for (const [i, triple] of triples.slice(0, count).entries()) {
    payload.writeBigUInt64LE(BigInt(triple.nodes), i * TRIPLE_BYTES);
    payload.writeBigUInt64LE(BigInt(triple.files), i * TRIPLE_BYTES + 8);
    payload.writeBigUInt64LE(BigInt(triple.kibibytes), i * TRIPLE_BYTES + 16);
  }
  return payload;
}

function u64(payload: Buffer, at: number): number {
  const value = payload.readUInt32LE(at) + payload.readUInt32LE(at + 4) * 0x1_0000_0000;
  if (!Number.isSafeInteger(value)) throw new ProtocolError('WIRE_MALFORMED', 'an HSEP number over 2^53');
  return value;
}

function isEqual(a: HorizonTriple | undefined, b: HorizonTriple | undefined): boolean {
  return a?.nodes === b?.nodes && a?.files === b?.files && a?.kibibytes === b?.kibibytes;
}
