// The configured neighbours: dialled when KeptPlan says so, and known by their links.
import { type KeptOutcome, KeptPlan, type KeptReport } from '../../protocol/overlay/kept-plan.ts';
import type { Link } from '../../protocol/overlay/link.ts';
import type { Clock, Random } from '../../protocol/ports.ts';
import type { Log } from '../log.ts';
import type { Attempt } from '../net/handshaker.ts';

export interface KeptNeighboursOptions {
  /** HOST:PORT. */
  addresses: readonly string[];
  clock: Clock;
  random: Pick<Random, 'below'>;
  log: Log;
  connect: (address: string) => Promise<Attempt>;
  /** It may have connected to us by itself. */
  isConnected: (address: string) => boolean;
}

export class KeptNeighbours {
  readonly #options: KeptNeighboursOptions;
  readonly #plan: KeptPlan;
  /** Those of our own making, by address; at most one for each configured one, and those that were. */
  readonly #links = new Map<Link, string>();

  constructor(options: KeptNeighboursOptions) {
    this.#options = options;
    this.#plan = new KeptPlan(options.addresses, options.random);
  }

  /** Links to those who are none any more stay as any others. */
  set addresses(addresses: readonly string[]) {
    this.#plan.addresses = addresses;
    for (const [link, address] of this.#links) if (!addresses.includes(address)) this.#links.delete(link);
  }

  get addresses(): string[] {
    return this.#plan.addresses;
  }

  has(link: Link): boolean {
    return this.#links.has(link);
  }

  report(): KeptReport[] {
    return this.#plan.report(this.#options.isConnected);
  }

  round(now: number): void {
    for (const address of this.#plan.due(now, this.#options.isConnected)) void this.#dial(address);
  }

  onUnlinked(link: Link): void {
    const address = this.#links.get(link);
    if (address === undefined) return;
    this.#links.delete(link);
    this.#plan.onLost(address, link.ended?.code ?? 0, link.ended?.text ?? '', this.#options.clock.now());
  }

  async #dial(address: string): Promise<void> {
    const { clock, log, connect } = this.#options;
    const attempt = await connect(address);
    if (attempt.kind === 'linked' && this.#plan.addresses.includes(address)) this.#links.set(attempt.link, address);
    this.#plan.onOutcome(address, outcomeOf(attempt), clock.now());
    const kept = this.report().find(other => other.address === address);
    if (kept?.state !== 'waiting' || kept.failures !== 1) return;
    const seconds = Math.round((kept.nextAt - clock.now()) / 1000);
    log.warn({ address, why: kept.why, seconds }, 'a configured neighbour is not there; trying again');
  }
}

function outcomeOf(attempt: Attempt): KeptOutcome {
  if (attempt.kind === 'linked') return { kind: 'linked' };
  if (attempt.kind === 'refused') return { kind: 'refused', code: attempt.refusal.code, text: attempt.refusal.text };
  const unsent = attempt.reason === 'DIAL_ABORTED' || attempt.reason === 'DIAL_BUSY';
  return unsent ? { kind: 'postponed' } : { kind: 'unreached', text: attempt.text };
}
