// Asks UDP host caches for first addresses, one at a time. The datagrams are somebody else's: see UdpPings.
import type { CacheBook } from '../../protocol/bootstrap/cache-book.ts';
import type { Clock } from '../../protocol/ports.ts';
import { canonicalHost, type Endpoint } from '../../protocol/wire/endpoint.ts';
import type { Log } from '../log.ts';
import { addressesOf, type NamePolicy } from '../net/lookup.ts';

/** gtk-gnutella waits as long. */
const ANSWER_MS = 20_000;

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
  book: CacheBook;
  pings: UdpPings;
  clock: Clock;
  log: Log;
  forbids: (endpoint: Endpoint) => string | null;
  /** See NamePolicy. */
  asksNames: boolean;
  onHosts: (hosts: readonly Endpoint[]) => void;
  answerMs?: number;
}

export class UdpHostCaches {
  readonly #options: UdpHostCachesOptions;
  #awaited: { readonly address: string; readonly timer: NodeJS.Timeout } | null = null;
  #stopped = false;

  constructor(options: UdpHostCachesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#options.book.size;
  }

  /** Asks the next cache that may be asked. False when none may, or an answer is awaited. */
  ask(): boolean {
    if (this.#awaited !== null || this.#stopped) return false;
    const { book, clock, answerMs = ANSWER_MS } = this.#options;
    const address = book.next(clock.wallTime());
    if (address === null) return false;
    book.asked(address, clock.wallTime());
    const timer = setTimeout(() => this.#fail(address, 'no answer'), answerMs).unref();
    this.#awaited = { address, timer };
    void this.#send(address);
    return true;
  }

  stop(): void {
    this.#stopped = true;
    this.#rest();
  }

  async #send(address: string): Promise<void> {
    const { pings, forbids, asksNames } = this.#options;
    const colon = address.lastIndexOf(':');
    const name = address.slice(0, colon).replace(/^\[|\]$/g, '');
    const port = Number(address.slice(colon + 1));
    const policy = { asksNames, forbids: (host: string) => forbids({ host, port }) };
    const host = canonicalHost(name) ?? (await addressOf(name, policy));
    if (this.#stopped || this.#awaited?.address !== address) return;
    if (host instanceof Error) {
      this.#fail(address, host.message);
      return;
    }
    const forbidden = forbids({ host, port });
    if (forbidden !== null) this.#fail(address, forbidden);
    else if (!pings.sendUdpPing({ host, port }, pong => this.#onPong(address, pong))) this.#fail(address, 'no UDP');
  }

  #onPong(address: string, { hosts, hostCaches }: HostCachePong): void {
    if (this.#stopped) return;
    const { book, clock, log, onHosts } = this.#options;
    if (this.#awaited?.address === address) this.#rest(); // a late answer is as good
    book.answered(address, clock.wallTime());
    for (const cache of hostCaches) book.heard(cache);
    log.info({ cache: address, hosts: hosts.length }, 'a UDP host cache answered');
    onHosts(hosts);
  }

  #fail(address: string, why: string): void {
    this.#rest();
    this.#options.book.failed(address);
    this.#options.log.info({ cache: address, why }, 'a UDP host cache was of no use');
  }

  #rest(): void {
    if (this.#awaited !== null) clearTimeout(this.#awaited.timer);
    this.#awaited = null;
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
