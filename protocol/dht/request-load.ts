// How often a key is asked for and stored at: requests a minute, smoothed. A network (/24) counts once a minute for each, or one alone could
// keep others from storing by what it asks, stores and removes.

const MINUTE_MS = 60_000;
const WEIGHT = 0.25;
/** Above these a key is loaded (gtk-gnutella). */
const GETS_MAX = 5;
const STORES_MAX = 8;
/** Networks that are counted in a minute: so many load a key by themselves. */
const NETWORKS_MAX = 40;

export class RequestLoad {
  /** Networks of this minute; null: none. */
  #gets: Set<string> | null = null;
  #stores: Set<string> | null = null;
  #getLoad = 0;
  #storeLoad = 0;
  #minuteAt: number;

  constructor(now: number) {
    this.#minuteAt = now;
  }

  countGet(network: string, now: number): void {
    this.pass(now);
    this.#gets = withNetwork(this.#gets, network);
  }

  countStore(network: string, now: number): void {
    this.pass(now);
    this.#stores = withNetwork(this.#stores, network);
  }

  /** Requests a minute, for VALUE. */
  gets(now: number): number {
    this.pass(now);
    return this.#getLoad;
  }

  isLoaded(now: number): boolean {
    this.pass(now);
    return this.#getLoad > GETS_MAX || this.#storeLoad > STORES_MAX;
  }

  /** So many STOREs that FIND_NODE for the key is not answered any more. */
  isStormed(now: number): boolean {
    this.pass(now);
    return this.#storeLoad > STORES_MAX;
  }

  /** Counts minutes that are over. Called now and then, so that networks of keys that nobody asks for are let go. */
  pass(now: number): void {
    const minutes = Math.floor((now - this.#minuteAt) / MINUTE_MS);
    if (minutes <= 0) return;
    this.#minuteAt += minutes * MINUTE_MS;
    const fade = (1 - WEIGHT) ** (minutes - 1);
    this.#getLoad = (WEIGHT * (this.#gets?.size ?? 0) + (1 - WEIGHT) * this.#getLoad) * fade;
    this.#storeLoad = (WEIGHT * (this.#stores?.size ?? 0) + (1 - WEIGHT) * this.#storeLoad) * fade;
    this.#gets = null;
    this.#stores = null;
  }
}

function withNetwork(networks: Set<string> | null, network: string): Set<string> {
  const counted = networks ?? new Set<string>();
  if (counted.size < NETWORKS_MAX) counted.add(network);
  return counted;
}
