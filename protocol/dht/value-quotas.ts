// How many values one address and one network may have here, be it as their creator or as the node that brought them.
import { LazyMap } from '../lazy-map.ts';
import { networkOf } from './network-limits.ts';

export class ValueQuotas {
  readonly #ofAddress: number;
  readonly #ofNetwork: number;
  readonly #byAddress = new LazyMap<string, number>();
  readonly #byNetwork = new LazyMap<string, number>();

  /** Infinity: no limit. */
  constructor(ofAddress: number, ofNetwork: number) {
    this.#ofAddress = ofAddress;
    this.#ofNetwork = ofNetwork;
  }

  hasRoom(hosts: readonly string[]): boolean {
    return hosts.every(
      host =>
        (this.#byAddress.get(host) ?? 0) < this.#ofAddress &&
        (this.#byNetwork.get(networkOf(host)) ?? 0) < this.#ofNetwork,
    );
  }

  add(hosts: readonly string[]): void {
    for (const host of hosts) {
      change(this.#byAddress, host, 1);
      change(this.#byNetwork, networkOf(host), 1);
    }
  }

  remove(hosts: readonly string[]): void {
    for (const host of hosts) {
      change(this.#byAddress, host, -1);
      change(this.#byNetwork, networkOf(host), -1);
    }
  }
}

function change(counts: LazyMap<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
