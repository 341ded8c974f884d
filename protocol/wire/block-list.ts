// Blocked addresses: sorted, merged ranges of both families, found by binary search.
import { LazyMap } from '../lazy-map.ts';
import { canonicalHost, isIpv6, packIpv6 } from './endpoint.ts';

/** From and to, both included, canonical text of one family. */
export interface AddressRange {
  readonly from: string;
  readonly to: string;
}

/** Everything of one list, ready to be searched. Nothing in it changes. */
export class BlockedRanges {
  readonly #v4From: Uint32Array;
  readonly #v4To: Uint32Array;
  /** 16 bytes as Latin-1: compares as the address does. */
  readonly #v6From: readonly string[];
  readonly #v6To: readonly string[];

  constructor(ranges: Iterable<AddressRange>) {
    const v4: [number, number][] = [];
    const v6: [string, string][] = [];
    for (const { from, to } of ranges) {
      if (isIpv6(from)) v6.push([keyOf(from), keyOf(to)]);
      else v4.push([ipv4Number(from), ipv4Number(to)]);
    }
    const merged4 = merge(v4, (a, b) => a - b);
    const merged6 = merge(v6, (a, b) => (a < b ? -1 : a > b ? 1 : 0));
    this.#v4From = Uint32Array.from(merged4, ([from]) => from);
    this.#v4To = Uint32Array.from(merged4, ([, to]) => to);
    this.#v6From = merged6.map(([from]) => from);
    this.#v6To = merged6.map(([, to]) => to);
  }

  /** After merging. */
  get size(): number {
    return this.#v4From.length + this.#v6From.length;
  }

  /** `host`: canonical. */
  has(host: string): boolean {
    return isIpv6(host)
      ? covers(this.#v6From, this.#v6To, keyOf(host))
      : covers(this.#v4From, this.#v4To, ipv4Number(host));
  }
}

export interface BlockSource {
  readonly name: string;
  readonly ranges: BlockedRanges;
}

/** At most so many lists: each is searched for each address. */
export const BLOCK_SOURCES_MAX = 16;

/** All lists together. Replaced whole on a reload; the counts of lists that stay go on. */
export class BlockList {
  #sources: readonly BlockSource[] = [];
  /** Addresses turned away, by list. */
  readonly #hits = new LazyMap<string, number>();

  get sources(): readonly { name: string; ranges: number; hits: number }[] {
    return this.#sources.map(({ name, ranges }) => ({ name, ranges: ranges.size, hits: this.#hits.get(name) ?? 0 }));
  }

  /** Those after the first BLOCK_SOURCES_MAX are left out. */
  replace(sources: readonly BlockSource[]): void {
    this.#sources = sources.slice(0, BLOCK_SOURCES_MAX);
    for (const name of this.#hits.keys()) if (!sources.some(source => source.name === name)) this.#hits.delete(name);
  }

  /** Counts when it does. Text that is no address is blocked: nothing good comes from there. */
  blocks(host: string): boolean {
    return this.blockedBy(host) !== null;
  }

  /** The name of the list that has it, or null. */
  blockedBy(host: string): string | null {
    if (this.#sources.length === 0) return null;
    const canonical = canonicalHost(host);
    if (canonical === null) return 'not an address';
    for (const { name, ranges } of this.#sources) {
      if (!ranges.has(canonical)) continue;
      this.#hits.set(name, (this.#hits.get(name) ?? 0) + 1);
      return name;
    }
    return null;
  }
}

/** `host`: canonical IPv4. */
export function ipv4Number(host: string): number {
  let number = 0;
  let octet = 0;
  for (let i = 0; i < host.length; i++) {
    const code = host.charCodeAt(i);
    if (code === DOT) {
      number = number * 256 + octet;
      octet = 0;
    } else octet = octet * 10 + code - ZERO;
  }
  return number * 256 + octet;
}

const DOT = 0x2e;
const ZERO = 0x30;

function keyOf(host: string): string {
  return packIpv6(host).toString('latin1');
}

/** Sorted, overlapping ranges joined; adjacent ones stay apart, which costs nothing. */
function merge<T>(ranges: [T, T][], compare: (a: T, b: T) => number): [T, T][] {
  ranges.sort((a, b) => compare(a[0], b[0]));
  const merged: [T, T][] = [];
  let last: [T, T] | undefined;
  for (const [from, to] of ranges) {
    if (last !== undefined && compare(from, last[1]) <= 0) {
      if (compare(to, last[1]) > 0) last[1] = to;
    } else {
      last = [from, to];
      merged.push(last);
    }
  }
  return merged;
}

/** Whether the last range that begins at or before `at` reaches it. */
function covers<T extends number | string>(froms: ArrayLike<T>, tos: ArrayLike<T>, at: T): boolean {
  let low = 0;
  let high = froms.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((froms[middle] as T) <= at) low = middle + 1;
    else high = middle;
  }
  return low > 0 && at <= (tos[low - 1] as T);
}
