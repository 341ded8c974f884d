// Percent escapes (RFC 3986), tolerant of malformed ones.

const PERCENT = 0x25;

/** Decodes `%XX`; keeps a percent sign without two hex digits. */
export function unescapeOctets(bytes: Buffer): Buffer {
  if (!bytes.includes(PERCENT)) return bytes;
  const plain = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const octet = bytes[at] === PERCENT ? octetOf(bytes, at + 1) : null;
    length = plain.writeUInt8(octet ?? bytes.readUInt8(at), length);
    if (octet !== null) at += 2;
  }
  return plain.subarray(0, length);
}

function octetOf(bytes: Buffer, at: number): number | null {
  const digits = bytes.toString('latin1', at, at + 2);
  return /^[0-9a-f]{2}$/i.test(digits) ? Number.parseInt(digits, 16) : null;
}
