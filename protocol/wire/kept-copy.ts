// Copies for what is kept for minutes or hours.

/** A copy with memory of its own: a small one out of Node's pool would keep the 8 KiB of the pool for as long as it lives. */
export function keptCopy(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
