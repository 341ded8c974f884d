// Block lists as people pass them on, told apart line by line: addresses and CIDR, ranges, P2P (PeerGuardian), DAT (eMule).
import ipaddr from 'ipaddr.js';
import { type AddressRange, ipv4Number } from './block-list.ts';
import { canonicalHost, isIpv6, packIpv6 } from './endpoint.ts';

const NINE = 0x39;
/** The largest lists in use have under a million. */
export const BLOCK_RANGES_MAX = 2_000_000;
/** DAT: entries with this access level or more are allowed. */
const DAT_ALLOWED = 128;

export interface ParsedBlockList {
  ranges: AddressRange[];
  /** Lines that are none of the formats; comments and blank lines are not counted. */
  unreadable: number;
  /** There were more than BLOCK_RANGES_MAX. */
  cut: boolean;
}

/** Never throws. */
export function parseBlockList(text: string): ParsedBlockList {
  const ranges: AddressRange[] = [];
  let unreadable = 0;
  for (let at = 0; at < text.length; ) {
    let end = text.indexOf('\n', at);
    if (end < 0) end = text.length;
    const line = text.slice(at, end).trim();
    at = end + 1;
    if (line === '' || /^(#|\/\/|;)/.test(line)) continue;
    const range = rangeOfLine(line);
    if (range === null) unreadable++;
    else if (range !== 'allowed') {
      if (ranges.length >= BLOCK_RANGES_MAX) return { ranges, unreadable, cut: true };
      ranges.push(range);
    }
  }
  return { ranges, unreadable, cut: false };
}

function rangeOfLine(line: string): AddressRange | 'allowed' | null {
  // DAT: `001.002.003.000 - 001.002.003.255 , 000 , Some name`
  const dat = /^([\d.]{7,15})\s*-\s*([\d.]{7,15})\s*,\s*(\d{1,3})\s*(?:,|$)/.exec(line);
  if (dat !== null) return Number(dat[3]) >= DAT_ALLOWED ? 'allowed' : rangeOf(dat[1] ?? '', dat[2] ?? '');
  const first = line.charCodeAt(0);
  if (first <= NINE || line.includes('::') || !line.includes('-')) {
    const [bare = ''] = line.split(/\s*[#;]/, 1);
    const plain = rangeOfAddresses(bare);
    if (plain !== null) return plain;
  }
  // P2P: `Some name: with colons:1.2.3.0-1.2.3.255`
  const p2p = /:\s*([\d.]{7,15})\s*-\s*([\d.]{7,15})$/.exec(line);
  return p2p === null ? null : rangeOf(p2p[1] ?? '', p2p[2] ?? '');
}

/** `A`, `A/BITS`, `A/255.255.0.0` (as gtk-gnutella's hostiles.txt has it) or `A-B`; null for anything else. */
export function rangeOfAddresses(text: string): AddressRange | null {
  const slash = text.indexOf('/');
  if (slash >= 0) return blockOf(text.slice(0, slash), text.slice(slash + 1));
  const [from = '', to, ...rest] = text.split('-');
  return rest.length > 0 ? null : rangeOf(from, to ?? from);
}

function rangeOf(fromText: string, toText: string): AddressRange | null {
  const [from, to] = [hostOf(fromText), hostOf(toText)];
  if (from === null || to === null || isIpv6(from) !== isIpv6(to)) return null;
  const order = isIpv6(from) ? packIpv6(from).compare(packIpv6(to)) : ipv4Number(from) - ipv4Number(to);
  return order > 0 ? null : { from, to };
}

function blockOf(address: string, suffix: string): AddressRange | null {
  const host = hostOf(address);
  if (host === null) return null;
  const bytes = ipaddr.parse(host).toByteArray();
  const bits = /^\d{1,3}$/.test(suffix) ? Number(suffix) : maskBits(suffix);
  if (bits === null || bits > bytes.length * 8) return null;
  const from = bytes.map((byte, i) => byte & maskByte(bits - 8 * i));
  const to = bytes.map((byte, i) => byte | (~maskByte(bits - 8 * i) & 0xff));
  return { from: textOf(from), to: textOf(to) };
}

function maskByte(bits: number): number {
  return bits <= 0 ? 0 : bits >= 8 ? 0xff : (0xff << (8 - bits)) & 0xff;
}

function maskBits(mask: string): number | null {
  const host = canonicalHost(mask);
  return host === null || isIpv6(host) ? null : ipaddr.IPv4.parse(host).prefixLengthFromSubnetMask();
}

/** Octets may have leading zeros here, which stay decimal. */
function hostOf(text: string): string | null {
  const trimmed = text.trim();
  return canonicalHost(/^[\d.]+$/.test(trimmed) ? trimmed.replace(/\b0+(?=\d)/g, '') : trimmed);
}

function textOf(bytes: number[]): string {
  if (bytes.length === 4) return bytes.join('.');
  return new ipaddr.IPv6(bytes).toRFC5952String();
}
