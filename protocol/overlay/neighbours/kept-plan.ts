// When each configured neighbour is dialled: at once, and after a failure ever more rarely, without end. Pure: the shell dials and reports.
// gtk-gnutella lets an address connect twice a minute and then drops its connections unread, so 30 s is the least between two dials.
import { LazyMap } from '../../lazy-map.ts';
import type { Random } from '../../ports.ts';
import { endpointOrNull, reachOf } from '../../wire/endpoint.ts';

/** The wait after a first failure and after many: doubled with each in a row. */
interface Waits {
  readonly firstMs: number;
  readonly maxMs: number;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

/** One's own servents on this machine, started and stopped by hand. */
const LOOPBACK: Waits = { firstMs: SECOND_MS, maxMs: MINUTE_MS };
const UNREACHED: Waits = { firstMs: 30 * SECOND_MS, maxMs: 30 * MINUTE_MS };
/** It has no slot now (503), or has enough leaves (2xx). */
const FULL: Waits = { firstMs: 2 * MINUTE_MS, maxMs: 30 * MINUTE_MS };
/** It believes that we are connected: until it notices that the old link is dead. */
const CONNECTED: Waits = { firstMs: 2 * MINUTE_MS, maxMs: 10 * MINUTE_MS };
/** It does not want us, or not so often. */
const UNWANTED: Waits = { firstMs: 10 * MINUTE_MS, maxMs: 60 * MINUTE_MS };
/** Waits grow by up to a quarter, so that servents that lost one neighbour together do not come back together. */
const JITTER = 0.25;
const JITTER_STEPS = 1_024;
/** A link that lasted no longer counts as refused. */
const STEADY_MS = MINUTE_MS;

export type KeptOutcome =
  | { readonly kind: 'linked' }
  /** With the code and text of its handshake or its Bye. */
  | { readonly kind: 'refused'; readonly code: number; readonly text: string }
  | { readonly kind: 'unreached'; readonly text: string }
  /** Nothing was sent: too many other dials wait, or we stop. */
  | { readonly kind: 'postponed' };

export interface KeptReport {
  /** HOST:PORT, as configured. */
  readonly address: string;
  readonly state: 'connected' | 'dialling' | 'waiting';
  /** When it is dialled next while waiting. */
  readonly nextAt: number;
  /** In a row. */
  readonly failures: number;
  /** What it said last, or why it could not be reached; null: nothing went wrong since it was connected. */
  readonly why: string | null;
}

interface Kept {
  /** Configured. One that is not is known until its dial or link has ended: it may be put back before. */
  wanted: boolean;
  /** Whatever went wrong; null: by what it was. */
  readonly fixed: Waits | null;
  state: KeptReport['state'];
  linkedAt: number;
  nextAt: number;
  failures: number;
  why: string | null;
}

export class KeptPlan {
  readonly #random: Pick<Random, 'below'>;
  /** By address: those that are configured, and of those that were the ones under way or connected. */
  readonly #kept = new LazyMap<string, Kept>();

  constructor(addresses: readonly string[], random: Pick<Random, 'below'>) {
    this.#random = random;
    this.addresses = addresses;
  }

  /** HOST:PORT of each. What is known of those that stay is kept. */
  set addresses(addresses: readonly string[]) {
    for (const kept of this.#kept.values()) kept.wanted = false;
    for (const address of addresses) {
      const kept = this.#kept.get(address) ?? fresh(address);
      kept.wanted = true;
      this.#kept.delete(address); // in the order of the setting
      this.#kept.set(address, kept);
    }
    for (const [address, kept] of this.#kept) this.#forgetUnwanted(address, kept);
  }

  get addresses(): string[] {
    return this.#configured().map(([address]) => address);
  }

  has(address: string): boolean {
    return this.#kept.get(address)?.wanted === true;
  }

  /** Those to be dialled now; report each with onOutcome(). `isConnected`: by a link that the other side opened. */
  due(now: number, isConnected: (address: string) => boolean): string[] {
    const due: string[] = [];
    for (const [address, kept] of this.#configured()) {
      if (kept.state !== 'waiting' || now < kept.nextAt || isConnected(address)) continue;
      kept.state = 'dialling';
      due.push(address);
    }
    return due;
  }

  /** When the next one is to be dialled; those that are connected otherwise wait for that to end. */
  nextAt(isConnected: (address: string) => boolean): number {
    let next = Number.POSITIVE_INFINITY;
    for (const [address, kept] of this.#kept) {
      if (kept.state === 'waiting' && kept.nextAt < next && !isConnected(address)) next = kept.nextAt;
    }
    return next;
  }

  onOutcome(address: string, outcome: KeptOutcome, now: number): void {
    const kept = this.#kept.get(address);
    if (kept === undefined) return;
    if (outcome.kind === 'linked') {
      kept.state = 'connected';
      kept.linkedAt = now;
      return;
    }
    kept.state = 'waiting';
    this.#forgetUnwanted(address, kept);
    if (outcome.kind === 'postponed') {
      kept.nextAt = now + this.#spread((kept.fixed ?? UNREACHED).firstMs);
      return;
    }
    const refused = outcome.kind === 'refused';
    kept.why = refused ? said(outcome.code, outcome.text) : outcome.text;
    this.#wait(kept, kept.fixed ?? (refused ? waitsAfter(outcome.code) : UNREACHED), now);
  }

  /** Its link is gone. `code` and `text` of its Bye, code 0 without one. */
  onLost(address: string, code: number, text: string, now: number): void {
    const kept = this.#kept.get(address);
    if (kept === undefined) return;
    const steady = now - kept.linkedAt >= STEADY_MS;
    kept.state = 'waiting';
    this.#forgetUnwanted(address, kept);
    if (steady) kept.failures = 0;
    kept.why = code === 0 ? 'the connection was lost' : said(code, text);
    this.#wait(kept, kept.fixed ?? (steady || code === 0 ? UNREACHED : waitsAfter(code)), now);
  }

  report(isConnected: (address: string) => boolean): KeptReport[] {
    return this.#configured().map(([address, { state, nextAt, failures, why }]) => {
      const connected = state === 'connected' || isConnected(address);
      return { address, state: connected ? 'connected' : state, nextAt, failures, why: connected ? null : why };
    });
  }

  #configured(): [string, Kept][] {
    return [...this.#kept].filter(([, { wanted }]) => wanted);
  }

  #forgetUnwanted(address: string, { wanted, state }: Kept): void {
    if (!wanted && state === 'waiting') this.#kept.delete(address);
  }

  #wait(kept: Kept, { firstMs, maxMs }: Waits, now: number): void {
    kept.nextAt = now + this.#spread(Math.min(firstMs * 2 ** Math.min(kept.failures, 30), maxMs));
    kept.failures++;
  }

  #spread(ms: number): number {
    return Math.round(ms * (1 + (JITTER * this.#random.below(JITTER_STEPS)) / JITTER_STEPS));
  }
}

function fresh(address: string): Kept {
  const { host } = endpointOrNull(address) ?? { host: address.slice(0, address.lastIndexOf(':')) };
  const loopback = host.toLowerCase() === 'localhost' || reachOf(host) === 'loopback';
  return {
    ...{ wanted: true, fixed: loopback ? LOOPBACK : null, state: 'waiting' },
    ...{ linkedAt: 0, nextAt: 0, failures: 0, why: null },
  };
}

/** Code 0: the peer gave none. */
function said(code: number, text: string): string {
  return code === 0 ? text : `${code} ${text}`.trimEnd();
}

function waitsAfter(code: number): Waits {
  if (code === 503 || (code >= 200 && code < 300)) return FULL;
  return code === 409 ? CONNECTED : UNWANTED;
}
