// The configured neighbours: dialled when KeptPlan says so, and known by their links.
import { LazyMap } from '../../lazy-map.ts';
import type { Random } from '../../ports.ts';
import type { Link } from '../links/link.ts';
import type { DialResult } from './dial-result.ts';
import { type KeptOutcome, KeptPlan, type KeptReport } from './kept-plan.ts';

export interface KeptNeighboursOptions {
  /** HOST:PORT. */
  readonly addresses: readonly string[];
  readonly random: Pick<Random, 'below'>;
  /** Whether a link leads to this HOST:PORT, whichever side dialled. */
  readonly isConnected: (address: string) => boolean;
  /** Dial and shake hands; the outcome comes back through ended(). */
  readonly dial: (address: string) => void;
  /** It could not be connected to, for the first time in a row; it is dialled again at `nextAt`. */
  readonly onMissing: (address: string, why: string, waitMs: number) => void;
}

export class KeptNeighbours {
  readonly #options: KeptNeighboursOptions;
  readonly #plan: KeptPlan;
  /** Links that we dialled as configured ones, by address. */
  readonly #links = new LazyMap<Link, string>();

  constructor(options: KeptNeighboursOptions) {
    this.#options = options;
    this.#plan = new KeptPlan(options.addresses, options.random);
  }

  get addresses(): string[] {
    return this.#plan.addresses;
  }

  /** Keeps these from now on; links to others stay as any links do. */
  use(addresses: readonly string[]): void {
    this.#plan.addresses = addresses;
  }

  has(link: Link): boolean {
    const address = this.#links.get(link);
    return address !== undefined && this.#plan.has(address);
  }

  /** Connected, or when each is dialled next and why it is not there. */
  report(): KeptReport[] {
    return this.#plan.report(this.#options.isConnected);
  }

  /** Dials those that are due; when the next one is. */
  round(now: number): number {
    for (const address of this.#plan.due(now, this.#options.isConnected)) this.#options.dial(address);
    return this.#plan.nextAt(this.#options.isConnected);
  }

  onUnlinked(link: Link, now: number): void {
    const address = this.#links.get(link);
    if (address === undefined) return;
    this.#links.delete(link);
    this.#plan.onLost(address, link.ended?.code ?? 0, link.ended?.text ?? '', now);
  }

  /** The dial has ended. */
  ended(address: string, attempt: DialResult, now: number): void {
    if (attempt.kind === 'linked') this.#links.set(attempt.link, address);
    this.#plan.onOutcome(address, outcomeOf(attempt), now);
    const kept = this.report().find(other => other.address === address);
    if (kept?.state === 'waiting' && kept.failures === 1)
      this.#options.onMissing(address, kept.why ?? 'unknown', kept.nextAt - now);
  }
}

function outcomeOf(attempt: DialResult): KeptOutcome {
  if (attempt.kind === 'linked') return { kind: 'linked' };
  if (attempt.kind === 'refused') return { kind: 'refused', code: attempt.refusal.code, text: attempt.refusal.text };
  const unsent = attempt.reason === 'DIAL_ABORTED' || attempt.reason === 'DIAL_BUSY';
  return unsent ? { kind: 'postponed' } : { kind: 'unreached', text: attempt.text };
}
