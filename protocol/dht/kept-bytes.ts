// Copies of a few bytes that are kept for long, such as KUIDs in tables. Buffer.from() cuts small buffers out of blocks of 8 KiB that encoded
// datagrams come from too: 20 bytes that are kept for an hour would keep a block of dead datagrams.

const BLOCK_BYTES = 4_096;

let block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
let used = 0;

/** A copy in a block that holds nothing but such copies. */
export function keptBytes(bytes: Uint8Array): Buffer {
  const { length } = bytes;
  if (length > BLOCK_BYTES / 4) {
    const own = Buffer.allocUnsafeSlow(length);
    own.set(bytes);
    return own;
  }
  if (used + length > BLOCK_BYTES) {
    block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    used = 0;
  }
  const copy = block.subarray(used, used + length);
  used += length;
  copy.set(bytes);
  return copy;
}
