/** Copies bytes outside Node's buffer pool: for long-lived data, as a pooled slice keeps its 8 KiB pool alive. */
export function keptCopy(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}
