// The configured neighbours: dialled for ever, ever more rarely while they are not there.
import type { Link } from '../../protocol/overlay/link.ts';
import type { Clock } from '../../protocol/ports.ts';
import type { Log } from '../log.ts';
import type { Attempt } from '../net/handshaker.ts';

const RETRY_MS = 1000;
const RETRY_MAX_MS = 60_000;

/** One of them and when to dial it next. */
interface Kept {
  readonly address: string;
  retryAt: number;
  failures: number;
  dialling: boolean;
  link: Link | null;
}

export interface KeptNeighboursOptions {
  /** HOST:PORT. */
  addresses: readonly string[];
  clock: Clock;
  log: Log;
  connect: (address: string) => Promise<Attempt>;
  /** It may have connected to us by itself. */
  isConnected: (address: string) => boolean;
}

export class KeptNeighbours {
  readonly #options: KeptNeighboursOptions;
  #kept: readonly Kept[] = [];

  constructor(options: KeptNeighboursOptions) {
    this.#options = options;
    this.addresses = options.addresses;
  }

  /** Links to those who are none any more stay as any others. */
  set addresses(addresses: readonly string[]) {
    const before = new Map(this.#kept.map(kept => [kept.address, kept]));
    this.#kept = addresses.map(
      address => before.get(address) ?? { address, retryAt: 0, failures: 0, dialling: false, link: null },
    );
  }

  get size(): number {
    return this.#kept.length;
  }

  has(link: Link): boolean {
    return this.#kept.some(kept => kept.link === link);
  }

  round(now: number): void {
    for (const kept of this.#kept) {
      if (kept.link === null && !kept.dialling && now >= kept.retryAt) void this.#dial(kept);
    }
  }

  onUnlinked(link: Link): void {
    for (const kept of this.#kept) {
      if (kept.link !== link) continue;
      kept.link = null;
      kept.retryAt = this.#options.clock.now() + RETRY_MS;
    }
  }

  async #dial(kept: Kept): Promise<void> {
    const { clock, log, connect, isConnected } = this.#options;
    kept.dialling = true;
    const attempt = await connect(kept.address);
    kept.dialling = false;
    if (attempt.kind === 'linked') {
      kept.link = attempt.link;
      kept.failures = 0;
      return;
    }
    const why = attempt.kind === 'refused' ? `${attempt.refusal.code} ${attempt.refusal.text}` : attempt.text;
    if (isConnected(kept.address)) kept.failures = 0;
    else if (kept.failures++ === 0)
      log.warn({ address: kept.address, why }, 'a configured neighbour is not there; trying again');
    kept.retryAt = clock.now() + Math.min(RETRY_MS * 2 ** kept.failures, RETRY_MAX_MS);
  }
}
