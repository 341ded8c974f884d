// How often a key is asked for and stored at: requests a minute, smoothed.

const MINUTE_MS = 60_000;
const WEIGHT = 0.25;
/** Above these a key is loaded (gtk-gnutella). */
const GETS_MAX = 5;
const STORES_MAX = 8;

export class RequestLoad {
  #gets = 0;
  #stores = 0;
  #getLoad = 0;
  #storeLoad = 0;
  #minuteAt: number;

  constructor(now: number) {
    this.#minuteAt = now;
  }

  countGet(now: number): void {
    this.#pass(now);
    this.#gets++;
  }

  countStore(now: number): void {
    this.#pass(now);
    this.#stores++;
  }

  /** Requests a minute, for VALUE. */
  gets(now: number): number {
    this.#pass(now);
    return this.#getLoad;
  }

  isLoaded(now: number): boolean {
    this.#pass(now);
    return this.#getLoad > GETS_MAX || this.#storeLoad > STORES_MAX;
  }

  /** So many STOREs that FIND_NODE for the key is not answered any more. */
  isStormed(now: number): boolean {
    this.#pass(now);
    return this.#storeLoad > STORES_MAX;
  }

  #pass(now: number): void {
    const minutes = Math.floor((now - this.#minuteAt) / MINUTE_MS);
    if (minutes <= 0) return;
    this.#minuteAt += minutes * MINUTE_MS;
    const fade = (1 - WEIGHT) ** (minutes - 1);
    this.#getLoad = (WEIGHT * this.#gets + (1 - WEIGHT) * this.#getLoad) * fade;
    this.#storeLoad = (WEIGHT * this.#stores + (1 - WEIGHT) * this.#storeLoad) * fade;
    this.#gets = 0;
    this.#stores = 0;
  }
}
