// Counts wrong tokens by address and locks addresses with too many, longer each time.
import { isIPv6 } from 'node:net';
import { ApiError } from './errors.ts';

const FAILURES_FREE = 10;
const WINDOW_MS = 60_000;
const LOCK_MS = 5_000;
const LOCK_MS_MAX = 300_000;
/** Most addresses; above this the one with the oldest failure is removed. */
const ADDRESSES_MAX = 4096;

interface Record {
  failures: number;
  /** Time at which the record is deleted. */
  until: number;
  lockedUntil: number;
}

export class Throttle {
  /** Oldest failure first. */
  readonly #records = new Map<string, Record>();
  readonly #now: () => number;
  readonly #failuresFree: number;

  constructor(now: () => number = () => performance.now(), failuresFree = FAILURES_FREE) {
    this.#now = now;
    this.#failuresFree = failuresFree;
  }

  get size(): number {
    return this.#records.size;
  }

  /** Throws TOO_MANY_FAILURES while the address is locked, whatever its token. */
  refuseLocked(address: string): void {
    // Loopback is never locked: one program with an old token would lock out all others on this machine.
    if (this.#records.size === 0 || isLoopback(address)) return;
    this.#refuse(this.#records.get(netOf(address)));
  }

  /** Counts a wrong token. Throws TOO_MANY_FAILURES when this locks the address. */
  noteFailure(address: string): void {
    const net = netOf(address);
    const now = this.#now();
    const known = this.#records.get(net);
    const record = known !== undefined && known.until > now ? known : { failures: 0, until: 0, lockedUntil: 0 };
    record.failures++;
    record.until = now + WINDOW_MS;
    const over = record.failures - this.#failuresFree;
    if (over > 0 && record.lockedUntil <= now) {
      const lockMs = Math.min(LOCK_MS * 2 ** Math.min(over - 1, 16), LOCK_MS_MAX);
      record.lockedUntil = now + lockMs;
      record.until = Math.max(record.until, record.lockedUntil + WINDOW_MS);
    }
    this.#records.delete(net);
    this.#records.set(net, record);
    if (this.#records.size > ADDRESSES_MAX) this.#records.delete(this.#records.keys().next().value ?? '');
    this.#refuse(record);
  }

  #refuse(record: Record | undefined): void {
    const waitMs = (record?.lockedUntil ?? 0) - this.#now();
    if (waitMs <= 0) return;
    const retryAfter = Math.ceil(waitMs / 1000);
    throw new ApiError('TOO_MANY_FAILURES', `too many wrong tokens: wait ${retryAfter} s`, { retryAfter });
  }
}

export function isLoopback(address: string): boolean {
  return /^(::ffff:)?127\./.test(address) || address === '::1';
}

/** Returns the /64 of an IPv6 address, which one customer usually has. */
function netOf(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address.replace(/^::ffff:/, '');
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const behind = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: tail === undefined ? 0 : 8 - groups.length - behind.length }, () => '0');
  return [...groups, ...zeros, ...behind].slice(0, 4).join(':');
}
