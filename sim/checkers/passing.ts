// Reads the descriptors out of what passes over a wire: whole frames, as a servent writes them.
import { HEADER_BYTES } from '../../protocol/constants.ts';

/** A descriptor on a wire; valid until the next one is read. */
export interface Passing {
  readonly guid: string;
  readonly type: number;
  readonly ttl: number;
  readonly hops: number;
  readonly start: number;
  readonly end: number;
}

export function* passingIn(frames: Buffer): Generator<Passing> {
  for (let start = 0; start + HEADER_BYTES <= frames.length; ) {
    const end = start + HEADER_BYTES + frames.readUInt32LE(start + 19);
    yield {
      guid: frames.latin1Slice(start, start + 16),
      type: frames[start + 16] ?? 0,
      ttl: frames[start + 17] ?? 0,
      hops: frames[start + 18] ?? 0,
      start,
      end,
    };
    start = end;
  }
}
