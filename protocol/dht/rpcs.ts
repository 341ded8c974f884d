// Requests that wait for their answers, by MUID. An answer counts when its MUID is pending, it comes from the address that was asked, and it
// is of a fitting kind; one that comes too late teaches only the round-trip time.
import { LazyMap } from '../lazy-map.ts';
import type { Random } from '../ports.ts';
import type { Endpoint } from '../wire/endpoint.ts';

export const MUID_BYTES = 16;
/** Requests on their way at one time; lookups and checks wait or give up beyond. */
export const PENDING_MAX = 512;
/** Milliseconds after a request for which a late answer still teaches the round-trip time. */
const LINGER_MS = 15_000;
/** So many requests in a row without an answer: it is we who are cut off. */
const CUT_OFF_TIMEOUTS = 30;

export interface Rpc<Answer> {
  readonly to: Endpoint;
  readonly timeoutMs: number;
  /** Whether an answer of this kind fits the request. */
  readonly fits: (answer: Answer) => boolean;
  readonly onAnswer: (answer: Answer, rttMs: number, now: number) => void;
  readonly onTimeout: (now: number) => void;
  /** An answer after the timeout. */
  readonly onLate?: (rttMs: number) => void;
}

interface Pending<Answer> {
  readonly rpc: Rpc<Answer>;
  readonly sentAt: number;
  /** When it times out, then when it is forgotten. */
  dueAt: number;
  late: boolean;
}

export type AnswerEnd = 'taken' | 'late' | 'unasked';

export class Rpcs<Answer> {
  readonly #random: Random;
  readonly #pending = new LazyMap<string, Pending<Answer>>();
  #waiting = 0;
  #silences = 0;
  /** No later than the first that is due. */
  nextAt = Number.POSITIVE_INFINITY;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Requests that wait for an answer in time. */
  get waiting(): number {
    return this.#waiting;
  }

  get hasRoom(): boolean {
    return this.#pending.size < PENDING_MAX;
  }

  /** Nothing that we asked of late was answered, of all that we asked. */
  get isCutOff(): boolean {
    return this.#silences >= CUT_OFF_TIMEOUTS;
  }

  /** The MUID to send it with; null: too many are pending. */
  start(rpc: Rpc<Answer>, now: number): Buffer | null {
    if (!this.hasRoom) return null;
    const muid = Buffer.alloc(MUID_BYTES);
    this.#random.fill(muid);
    const dueAt = now + rpc.timeoutMs;
    this.#pending.set(keyOf(muid), { rpc, sentAt: now, dueAt, late: false });
    this.#waiting++;
    this.nextAt = Math.min(this.nextAt, dueAt);
    return muid;
  }

  receive(muid: Buffer, answer: Answer, from: Endpoint, now: number): AnswerEnd {
    const key = keyOf(muid);
    const pending = this.#pending.get(key);
    if (pending === undefined) return 'unasked';
    const { rpc, sentAt, late } = pending;
    // the port may be another one behind a router
    if (rpc.to.host !== from.host || !rpc.fits(answer)) return 'unasked';
    this.#pending.delete(key);
    this.#silences = 0;
    const rttMs = Math.max(1, now - sentAt);
    if (late) {
      rpc.onLate?.(rttMs);
      return 'late';
    }
    this.#waiting--;
    rpc.onAnswer(answer, rttMs, now);
    return 'taken';
  }

  /** Ends requests whose time is up. */
  tick(now: number): void {
    if (now < this.nextAt) return;
    const timedOut: Rpc<Answer>[] = [];
    let nextAt = Number.POSITIVE_INFINITY;
    for (const [key, pending] of this.#pending) {
      if (pending.dueAt <= now) {
        if (!pending.late) {
          timedOut.push(pending.rpc);
          this.#waiting--;
        }
        pending.late = true;
        pending.dueAt = pending.sentAt + LINGER_MS;
        if (pending.dueAt <= now) this.#pending.delete(key);
      }
      if (pending.dueAt > now) nextAt = Math.min(nextAt, pending.dueAt);
    }
    this.nextAt = nextAt;
    for (const rpc of timedOut) {
      this.#silences++;
      rpc.onTimeout(now); // may start others
    }
  }
}

function keyOf(muid: Buffer): string {
  return muid.toString('latin1');
}
