// Nodes of the DHT that come and go: each stays for a random time, falls silent, and a new node comes in its place.
import type { DhtHost } from './dht-host.ts';
import type { DhtNetwork } from './dht-network.ts';

export interface ChurnOptions {
  /** Half of all sessions are longer. */
  readonly medianSessionMs: number;
  /** Mean time until another node comes. */
  readonly awayMs: number;
}

export class Churn {
  readonly #internet: DhtNetwork;
  readonly #options: ChurnOptions;
  left = 0;
  came = 0;

  constructor(internet: DhtNetwork, options: ChurnOptions) {
    this.#internet = internet;
    this.#options = options;
    for (const host of internet.hosts) if (host.isUp) this.#stay(host);
  }

  #stay(host: DhtHost): void {
    const { network, random } = this.#internet;
    network.after(random.exponential(this.#options.medianSessionMs / Math.LN2), () => {
      host.fail();
      this.left++;
      network.after(random.exponential(this.#options.awayMs), () => {
        this.#internet.start(host);
        this.came++;
        this.#stay(host);
      });
    });
  }
}
