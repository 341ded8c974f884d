// Decides which pushes for us to follow; the shell connects to the requester, sends GIV and serves files.
import { ReasonCounts } from '../../reason-counts.ts';
import { type Endpoint, formatEndpoint } from '../../wire/endpoint.ts';
import { FIREWALL_TO_FIREWALL_INDEX, type Push } from '../../wire/push.ts';
import { KeyedRateLimit, RateLimit } from '../rate-limit.ts';
import { TimedKeys } from '../timed-keys.ts';

/** gtk-gnutella connects to one address five times in 30 seconds, LimeWire as often. */
const PER_ADDRESS = new RateLimit(6_000, 5);
/** To all together: each costs a connection. */
const ALL = new RateLimit(200, 50);
const ADDRESSES_MAX = 4_096;
/** An address that could not be reached is not tried again for so long (gtk-gnutella). */
const UNREACHABLE_MS = 500_000;
const UNDER_WAY_MAX = 32;

export const PUSH_OUTCOMES = [
  'served',
  'unreachable',
  /** Too often from one address, or from all. */
  'rate',
  'forbidden',
  /** It could not be reached a while ago. */
  'remembered',
  /** By UDP between two firewalled servents, which we do not do. */
  'firewall_to_firewall',
  'crowded',
] as const;
export type PushOutcome = (typeof PUSH_OUTCOMES)[number];

export interface PushAnswererParts {
  /** Why an endpoint must not be dialled, or null. */
  readonly forbids: (endpoint: Endpoint) => string | null;
  /** Connect there, say GIV, and serve. The outcome comes back through ended(). */
  readonly serve: (to: Endpoint) => void;
  /** See NetworkRules. */
  readonly sharedAddress: boolean;
}

export class PushAnswerer {
  readonly outcomes = new ReasonCounts<PushOutcome>(PUSH_OUTCOMES);
  readonly #parts: PushAnswererParts;
  readonly #rates = new KeyedRateLimit(PER_ADDRESS, ADDRESSES_MAX);
  readonly #unreachable: TimedKeys;
  #allDue = 0;
  #underWay = 0;
  #closing = false;

  constructor(parts: PushAnswererParts, now: number) {
    this.#parts = parts;
    this.#unreachable = new TimedKeys(UNREACHABLE_MS, ADDRESSES_MAX, now);
  }

  onPush(push: Push, now: number): void {
    const refusal = this.#refusalOf(push, now);
    if (refusal !== null) {
      this.outcomes.count(refusal);
      return;
    }
    this.#underWay++;
    this.#parts.serve(push.endpoint);
  }

  #refusalOf({ endpoint, fileIndex }: Push, now: number): PushOutcome | null {
    const { forbids, sharedAddress } = this.#parts;
    if (fileIndex === FIREWALL_TO_FIREWALL_INDEX) return 'firewall_to_firewall';
    if (this.#closing || this.#underWay >= UNDER_WAY_MAX) return 'crowded';
    if (forbids(endpoint) !== null) return 'forbidden';
    if (this.#unreachable.has(formatEndpoint(endpoint), now)) return 'remembered';
    if (!this.#rates.admit(sharedAddress ? formatEndpoint(endpoint) : endpoint.host, now)) return 'rate';
    const due = ALL.admit(this.#allDue, now);
    if (due < 0) return 'rate';
    this.#allDue = due;
    return null;
  }

  /** The connection that serve() asked for is made, or cannot be made. */
  ended(to: Endpoint, outcome: 'served' | 'unreachable', now: number): void {
    this.#underWay--;
    this.outcomes.count(outcome);
    if (outcome === 'unreachable' && !this.#closing) this.#unreachable.add(formatEndpoint(to), now);
  }

  /** Follows no push from now on. */
  close(): void {
    this.#closing = true;
  }
}
