// Decides for whom an ultrapeer relays: what is asked of it, which tokens it issues and takes once, and how much passes.
import { LazyMap } from '../lazy-map.ts';
import type { Random } from '../ports.ts';
import { KeyedRateLimit, RateLimit } from '../rate-limit.ts';
import { ReasonCounts } from '../reason-counts.ts';
import { subjectOf } from '../transfer/uploads/conduct/subject.ts';
import { guidKey } from '../wire/guid.ts';
import type { RelayAsk, RelayCall } from './relay-line.ts';
import { encodeToken, holds, NONCE_BYTES, type RelayPass, readToken } from './relay-token.ts';

export interface RelayLimits {
  /** Pairs that bytes pass between, and askers that wait for the other side. */
  readonly pairsMax: number;
  readonly waitingMax: number;
  /** Of one address, and with one servent that has files: waiting and passing together. */
  readonly perAddressMax: number;
  readonly perServerMax: number;
  /** Asks of one address. */
  readonly asks: RateLimit;
  readonly waitMs: number;
  /** Of one pair. */
  readonly bytesMax: number;
  readonly timeMs: number;
  /** Without a byte: who waits in a queue asks more often. */
  readonly idleMs: number;
  /** Of all pairs, both directions together. */
  readonly bytesPerSecond: number;
}

const RELAY_LIMITS: RelayLimits = {
  pairsMax: 16,
  waitingMax: 32,
  perAddressMax: 2,
  perServerMax: 4,
  asks: new RateLimit(10_000, 4),
  waitMs: 15_000,
  bytesMax: 2 ** 30,
  timeMs: 3_600_000,
  idleMs: 180_000,
  bytesPerSecond: 1_048_576,
};
const ADDRESSES_MAX = 4_096;
/** Bytes of so long may pass at once. */
const BURST_MS = 250;

export const RELAY_OUTCOMES = [
  'asked',
  'paired',
  /** We do not relay, or nobody could come to us. */
  'off',
  /** The servent asked for is no leaf of ours, or is the asker. */
  'stranger',
  'crowded',
  'rate',
  /** A token that we did not issue, that was used, or whose time is over. */
  'token',
  /** The token of a pair, with another file than the one that was asked for. */
  'other_file',
  'expired',
  /** Ended at the bound of bytes, of time, or of time without a byte. */
  'bytes',
  'time',
  'idle',
] as const;
export type RelayOutcome = (typeof RELAY_OUTCOMES)[number];

export interface RelayDeskParts {
  readonly random: Random;
  /** We relay: the user wants it, and we are an ultrapeer that can be connected to. */
  readonly relays: (now: number) => boolean;
  /** The servent of this GUID is a leaf of ours. */
  readonly isServed: (guid: Buffer) => boolean;
  readonly limits?: Partial<RelayLimits>;
}

/** One pair, from the asking to the end. */
export interface RelayTicket {
  readonly pass: RelayPass;
  readonly token: string;
  /** Of the asker's address. */
  readonly subject: string;
  /** Null: the other side has not come. */
  pairedAt: number | null;
  bytes: number;
  /** When bytes passed last, or the pair began. */
  passedAt: number;
}

export class RelayDesk {
  readonly outcomes = new ReasonCounts<RelayOutcome>(RELAY_OUTCOMES);
  readonly limits: RelayLimits;
  /** Bytes that passed, of all pairs. */
  bytes = 0;
  readonly #parts: RelayDeskParts;
  readonly #key: Buffer;
  readonly #rates: KeyedRateLimit;
  /** When what passed would have passed at the limit. */
  #passDue = 0;
  /** By nonce: those that wait, and those that pass bytes; at most waitingMax and pairsMax. */
  readonly #tickets = new LazyMap<string, RelayTicket>();

  constructor(parts: RelayDeskParts) {
    this.#parts = parts;
    this.limits = { ...RELAY_LIMITS, ...parts.limits };
    this.#key = Buffer.alloc(32);
    parts.random.fill(this.#key);
    this.#rates = new KeyedRateLimit(this.limits.asks, ADDRESSES_MAX);
  }

  get pairs(): number {
    return this.#count(({ pairedAt }) => pairedAt !== null);
  }

  get waiting(): number {
    return this.#count(({ pairedAt }) => pairedAt === null);
  }

  #count(which: (ticket: RelayTicket) => boolean): number {
    let count = 0;
    for (const ticket of this.#tickets.values()) if (which(ticket)) count++;
    return count;
  }

  /** Somebody at `host` wants bytes from a leaf of ours. A ticket: the leaf is to be told its token. Else why not. */
  ask(ask: RelayAsk, host: string, now: number): RelayTicket | RelayOutcome {
    const refusal = this.#refusalOf(ask, host, now);
    if (refusal !== null) {
      this.outcomes.count(refusal);
      return refusal;
    }
    const nonce = Buffer.alloc(NONCE_BYTES);
    this.#parts.random.fill(nonce);
    const pass = { ...ask, nonce, expiresAt: now + this.limits.waitMs };
    const token = encodeToken(this.#key, pass);
    const ticket = { pass, token, subject: subjectOf(host) ?? host, pairedAt: null, bytes: 0, passedAt: now };
    this.#tickets.set(nonce.toString('hex'), ticket);
    this.outcomes.count('asked');
    return ticket;
  }

  #refusalOf({ asker, server }: RelayAsk, host: string, now: number): RelayOutcome | null {
    const { relays, isServed } = this.#parts;
    const { waitingMax, perAddressMax, perServerMax, pairsMax } = this.limits;
    const subject = subjectOf(host) ?? host;
    if (!relays(now)) return 'off';
    if (!this.#rates.admit(subject, now)) return 'rate';
    if (server.equals(asker) || !isServed(server)) return 'stranger';
    if (this.waiting >= waitingMax || this.pairs >= pairsMax) return 'crowded';
    const key = guidKey(server);
    const ofAddress = this.#count(ticket => ticket.subject === subject);
    const ofServer = this.#count(({ pass }) => guidKey(pass.server) === key);
    return ofAddress >= perAddressMax || ofServer >= perServerMax ? 'crowded' : null;
  }

  /** The other side has come with its token: its ticket, from now on a pair; null: the token does not hold, or not for this file. */
  redeem({ token, sha1 }: RelayCall, now: number): RelayTicket | null {
    const read = readToken(token);
    const ticket = read === null ? undefined : this.#tickets.get(read.nonce.toString('hex'));
    const fits = ticket !== undefined && read !== null && holds(this.#key, ticket.pass, read.mac);
    if (!fits || ticket.pairedAt !== null || now > ticket.pass.expiresAt) {
      this.outcomes.count('token');
      return null;
    }
    if (!holds(this.#key, { ...ticket.pass, sha1 }, read.mac)) {
      this.outcomes.count('other_file');
      return null;
    }
    ticket.pairedAt = now;
    ticket.passedAt = now;
    this.outcomes.count('paired');
    return ticket;
  }

  /** Bytes passed. False: the pair has had its share, and ends. */
  passed(ticket: RelayTicket, bytes: number, now: number): boolean {
    ticket.bytes += bytes;
    ticket.passedAt = now;
    this.bytes += bytes;
    this.#passDue = Math.max(this.#passDue, now) + (bytes * 1000) / this.limits.bytesPerSecond;
    if (ticket.bytes < this.limits.bytesMax) return true;
    this.outcomes.count('bytes');
    return false;
  }

  /** Whether more bytes may pass now, of any pair. */
  mayPass(now: number): boolean {
    return this.#passDue - now < BURST_MS;
  }

  /** One side is gone. */
  ended({ pass }: RelayTicket): void {
    this.#tickets.delete(pass.nonce.toString('hex'));
  }

  #overOf({ pairedAt, passedAt, pass }: RelayTicket, now: number): RelayOutcome | null {
    if (pairedAt === null) return now > pass.expiresAt ? 'expired' : null;
    if (now - pairedAt >= this.limits.timeMs) return 'time';
    return now - passedAt >= this.limits.idleMs ? 'idle' : null;
  }

  /** Those that have waited or passed bytes for too long: they are over, and to be closed. */
  overdue(now: number): RelayTicket[] {
    const over: RelayTicket[] = [];
    for (const ticket of this.#tickets.values()) {
      const outcome = this.#overOf(ticket, now);
      if (outcome === null) continue;
      this.outcomes.count(outcome);
      over.push(ticket);
    }
    for (const ticket of over) this.ended(ticket);
    return over;
  }
}
