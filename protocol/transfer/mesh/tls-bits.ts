// The TLS bits of address lists in transfer headers: bit i, from the most significant of the first hex digit on, is the i-th address.

/** Addresses read from one list: LimeWire sends 10, gtk-gnutella fills 1 KiB of header. */
export const LOCATIONS_MAX = 100;

/** Indices of the addresses that speak TLS. */
export function parseTlsBits(hex: string): Set<number> {
  const set = new Set<number>();
  for (let digit = 0; digit < Math.min(hex.length, LOCATIONS_MAX / 4); digit++) {
    const value = Number.parseInt(hex.slice(digit, digit + 1), 16);
    for (let bit = 0; bit < 4; bit++) if ((value & (8 >> bit)) !== 0) set.add(4 * digit + bit);
  }
  return set;
}

/** Upper-case hex without trailing zero digits. */
export function formatTlsBits(indices: readonly number[]): string {
  const digits = new Array<number>(1 + (Math.max(-1, ...indices) >> 2)).fill(0);
  for (const index of indices) digits[index >> 2] = (digits[index >> 2] ?? 0) | (8 >> (index & 3));
  return digits
    .map(digit => digit.toString(16).toUpperCase())
    .join('')
    .replace(/0+$/, '');
}
