// Wrong tokens are counted by address; who sends too many has to wait, longer each time.
import { isIPv6 } from 'node:net';
import { ApiError } from './errors.ts';

const FAILURES_FREE = 10;
const WINDOW_MS = 60_000;
const LOCK_MS = 5_000;
const LOCK_MS_MAX = 300_000;
/** Addresses remembered; the one that failed longest ago gives way. */
const ADDRESSES_MAX = 4096;

interface Record {
  failures: number;
  /** When the failures are forgotten. */
  until: number;
  lockedUntil: number;
}

export class Throttle {
  /** In the order of their last failure. */
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

  /** Throws TOO_MANY_FAILURES while the address has to wait; a right token does not help it then. */
  refuseLocked(address: string): void {
    // Everybody on this machine has this address: one program with an old token must not lock its owner out.
    if (this.#records.size === 0 || isLoopback(address)) return;
    this.#refuse(this.#records.get(netOf(address)));
  }

  /** Throws TOO_MANY_FAILURES when it was one too many. */
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

/** One person has all of an IPv6 /64. */
function netOf(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address.replace(/^::ffff:/, '');
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const behind = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: tail === undefined ? 0 : 8 - groups.length - behind.length }, () => '0');
  return [...groups, ...zeros, ...behind].slice(0, 4).join(':');
}
