// A node in the routing table: where it is, and how well it answers.
import type { Endpoint } from '../wire/endpoint.ts';
import type { DhtContact } from './dht-contact.ts';
import { keptBytes } from './kept-bytes.ts';

/** Timeouts in a row after which a node is dead (gtk-gnutella). */
export const TIMEOUTS_MAX = 5;
const FIRST_TIMEOUT_MS = 5_000;
const TIMEOUT_MIN_MS = 3_000;
const TIMEOUT_MAX_MS = 15_000;
/** A node that was seen once is taken to have been up for so long. */
const AGE_MIN_MS = 60_000;

/** `good`: answered us. `stale`: has left requests unanswered since. `pending`: unproven, or there was no room. */
export type NodeState = 'good' | 'stale' | 'pending';

export class KnownNode implements DhtContact {
  readonly kuid: Buffer;
  /** The first 32 bits of the KUID, unsigned, for fast comparison. */
  readonly head: number;
  readonly endpoint: Endpoint;
  vendor: string;
  readonly version: number;
  /** Changes when the node restarts; 0: unknown. */
  instance: number;
  state: NodeState = 'pending';
  /** A PING is on its way to it. */
  checking = false;
  /** Another address claims its KUID, or another KUID its address: it stays if it answers the PING, else it goes. */
  contested = false;
  /** Milliseconds; since when it has been up, as far as we know. */
  firstAt: number;
  /** Its last message, whose source may be forged. */
  seenAt: number;
  /** Its last answer to a request of ours; -Infinity: none. */
  answeredAt = Number.NEGATIVE_INFINITY;
  timeouts = 0;
  /** Smoothed; 0: unknown. */
  rttMs = 0;

  constructor({ kuid, endpoint, vendor, version }: DhtContact, instance: number, now: number) {
    this.kuid = keptBytes(kuid);
    this.head = this.kuid.readUInt32BE(0);
    this.endpoint = { host: endpoint.host, port: endpoint.port };
    this.vendor = vendor;
    this.version = version;
    this.instance = instance;
    this.firstAt = now;
    this.seenAt = now;
  }

  /** It has answered, after so many milliseconds when known. */
  answered(now: number, rttMs: number | null): void {
    this.contested = false;
    this.timeouts = 0;
    this.seenAt = now;
    this.answeredAt = now;
    if (rttMs !== null) this.learnRtt(rttMs);
  }

  learnRtt(rttMs: number): void {
    this.rttMs = this.rttMs === 0 ? rttMs : 0.75 * this.rttMs + 0.25 * rttMs;
  }

  /** The node has started anew at its address. */
  restarted(instance: number, now: number): void {
    this.instance = instance;
    this.firstAt = now;
  }

  isAt({ host, port }: Endpoint): boolean {
    return this.endpoint.port === port && this.endpoint.host === host;
  }

  /** It has answered a request of ours, so that it receives at its address. */
  get proven(): boolean {
    return this.answeredAt !== Number.NEGATIVE_INFINITY;
  }

  get timeoutMs(): number {
    return timeoutMs(this.rttMs, this.timeouts);
  }

  /**
   * Chance that it is still there: sessions have a heavy tail, so that who was up for long stays for long. Age by age and silence
   * (Maymounkov and Mazières 2002, section 2.1, and Stutzbach and Rejaie 2006).
   */
  aliveChance(now: number): number {
    const silence = now - this.seenAt;
    if (silence <= 0) return 1;
    const age = Math.max(AGE_MIN_MS, this.seenAt - this.firstAt);
    return age / (age + silence);
  }
}

/** How long to wait for an answer: `rttMs` 0: unknown. gtk-gnutella's rule. */
export function timeoutMs(rttMs: number, timeouts: number): number {
  if (rttMs === 0) return FIRST_TIMEOUT_MS;
  return Math.min(TIMEOUT_MAX_MS, Math.max(TIMEOUT_MIN_MS, 256 * 2 ** timeouts) + 3 * rttMs);
}
