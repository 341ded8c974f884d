// Asks UDP host caches for first addresses: looks their names up and hands the ping to the UDP side (UdpPings).
import type { Clock } from '../../protocol/ports.ts';
import { canonicalHost, type Endpoint } from '../../protocol/wire/endpoint.ts';
import { addressesOf, type NamePolicy } from '../net/lookup.ts';

/** What a pong under the GUID of our ping said. */
export interface HostCachePong {
  readonly hosts: readonly Endpoint[];
  /** Other caches, HOST:PORT: see parsePackedHostCaches(). */
  readonly hostCaches: readonly string[];
}

/** The UDP side of the servent, as far as bootstrapping needs it. */
export interface UdpPings {
  /**
   * Sends a ping with GGEP SCP. `onPong` is called for the pong with its GUID, once; false when nothing can be sent.
   * Hosts in pongs that come later, or under no GUID of ours, are the UDP side's to judge.
   */
  sendUdpPing(to: Endpoint, onPong: (pong: HostCachePong) => void): boolean;
}

export interface UdpHostCachesOptions {
  pings: UdpPings;
  clock: Clock;
  forbids: (endpoint: Endpoint) => string | null;
  /** See NamePolicy. */
  asksNames: boolean;
  /** An answer may come late, even after a failure was told. */
  onPong: (address: string, pong: HostCachePong) => void;
  /** Nothing was sent to it. Silence is not told: that is a matter of time. */
  onFailed: (address: string, why: string) => void;
  /** A question that could not be sent by then is not sent any more. */
  answerMs: number;
}

export class UdpHostCaches {
  readonly #options: UdpHostCachesOptions;
  #stopped = false;

  constructor(options: UdpHostCachesOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** `address`: HOST:PORT. Never rejects. */
  async ask(address: string): Promise<void> {
    const { clock, answerMs, onFailed } = this.#options;
    const askedAt = clock.now();
    const to = await this.#resolve(address);
    if (this.#stopped || clock.now() - askedAt > answerMs) return;
    const why = typeof to === 'string' ? to : this.#send(address, to);
    if (why !== null) onFailed(address, why);
  }

  /** Where it is, or why that cannot be said. */
  async #resolve(address: string): Promise<Endpoint | string> {
    const { forbids, asksNames } = this.#options;
    const colon = address.lastIndexOf(':');
    const name = address.slice(0, colon).replace(/^\[|\]$/g, '');
    const port = Number(address.slice(colon + 1));
    const policy = { asksNames, forbids: (host: string) => forbids({ host, port }) };
    const host = canonicalHost(name) ?? (await addressOf(name, policy));
    return host instanceof Error ? host.message : { host, port };
  }

  /** Null when it was sent, or why not. */
  #send(address: string, to: Endpoint): string | null {
    const { pings, forbids, onPong } = this.#options;
    const forbidden = forbids(to);
    if (forbidden !== null) return forbidden;
    const sent = pings.sendUdpPing(to, pong => {
      if (!this.#stopped) onPong(address, pong);
    });
    return sent ? null : 'no UDP';
  }
}

async function addressOf(name: string, policy: NamePolicy): Promise<string | Error> {
  try {
    const [first] = await addressesOf(name, policy);
    const { address = name } = first ?? {};
    return canonicalHost(address) ?? address;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
