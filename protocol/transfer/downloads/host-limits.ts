// Connections to one address over all downloads: how many at a time, how soon after one another, and how many an hour while it has not answered.

export interface HostLimitNumbers {
  /** At a time; null: any. */
  readonly connections: number | null;
  /** From one connect to the next: gtk-gnutella bans a host that connects more than five times a minute. */
  readonly spacingMs: number;
  /** An hour, to an address that has not answered as a source does: lists of alternates make us no weapon ... */
  readonly hearsayDials: number;
  /** ... and forged query hits neither. A source that fails is tried again four to six times in its first hour. */
  readonly unansweredDials: number;
}

export const HOST_LIMITS: HostLimitNumbers = {
  connections: 2,
  spacingMs: 12_000,
  hearsayDials: 6,
  unansweredDials: 20,
};

interface Host {
  connections: number;
  dialledAt: number;
  /** When it last answered as a source does. */
  answeredAt: number;
  /** Start of the hour in which the dials are counted. */
  hourAt: number;
  /** Without an answer. */
  dials: number;
  /** More were wanted in this hour. */
  isRefused: boolean;
}

const HOUR_MS = 3_600_000;
/** Addresses that are remembered. Those without a connection are forgotten first, the oldest of them. */
const HOSTS_MAX = 16_384;
/** When to look again for a free connection. */
const FULL_MS = 2000;

export class HostLimits {
  readonly #limits: HostLimitNumbers;
  /** In order of their last connect. */
  readonly #hosts = new Map<string, Host>();
  #refused = 0;

  constructor(limits: HostLimitNumbers = HOST_LIMITS) {
    this.#limits = limits;
  }

  /** Hours of addresses in which connects were put off, as the address had had its share and not answered. */
  get refused(): number {
    return this.#refused;
  }

  /** When this address may be connected to: not after `now` if it may at once. `hearsay`: only others named it. */
  readyAt(address: string, hearsay: boolean, now: number): number {
    const host = this.#hosts.get(address);
    if (host === undefined) return now;
    const { connections, spacingMs, hearsayDials, unansweredDials } = this.#limits;
    if (connections !== null && host.connections >= connections) return now + FULL_MS;
    const spaced = host.dialledAt + spacingMs;
    if (now < host.answeredAt + HOUR_MS || now >= host.hourAt + HOUR_MS) return spaced;
    if (host.dials < (hearsay ? hearsayDials : unansweredDials)) return spaced;
    if (!host.isRefused) this.#refused++;
    host.isRefused = true;
    return Math.max(spaced, host.hourAt + HOUR_MS);
  }

  /** `isOurs`: we dial it; else it called us. */
  onConnect(address: string, isOurs: boolean, now: number): void {
    const host = this.#hosts.get(address) ?? {
      connections: 0,
      dialledAt: now,
      answeredAt: Number.NEGATIVE_INFINITY,
      hourAt: now,
      dials: 0,
      isRefused: false,
    };
    if (now >= host.hourAt + HOUR_MS) {
      host.hourAt = now;
      host.dials = 0;
      host.isRefused = false;
    }
    host.connections++;
    host.dialledAt = now;
    if (isOurs) host.dials++;
    this.#hosts.delete(address);
    this.#forgetOne();
    this.#hosts.set(address, host);
  }

  /** It gave a part of a file, or said when it will. */
  onAnswer(address: string, now: number): void {
    const host = this.#hosts.get(address);
    if (host === undefined) return;
    host.answeredAt = now;
    host.dials = 0;
  }

  onClose(address: string): void {
    const host = this.#hosts.get(address);
    if (host !== undefined) host.connections--;
  }

  #forgetOne(): void {
    if (this.#hosts.size < HOSTS_MAX) return;
    for (const [address, { connections }] of this.#hosts) {
      if (connections > 0) continue;
      this.#hosts.delete(address);
      return;
    }
  }
}
