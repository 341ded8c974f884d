// What one address has in the queue.
import { LazyMap } from '../../../lazy-map.ts';

export interface AddressLoad {
  readonly address: string;
  /** Slots. */
  held: number;
  waiting: number;
  /** All its entries, those that waited and are remembered too. */
  entries: number;
  /** When it was last called back. */
  calledAt: number;
  /** Scratch of one look through a lane: which look, and the turns that this address has had in it. */
  look: object | null;
  turns: number;
}

export class AddressLoads {
  readonly #loads = new LazyMap<string, AddressLoad>();

  get(address: string): AddressLoad {
    let load = this.#loads.get(address);
    if (load === undefined) {
      load = { address, held: 0, waiting: 0, entries: 0, calledAt: Number.NEGATIVE_INFINITY, look: null, turns: 0 };
      this.#loads.set(address, load);
    }
    return load;
  }

  /** An address without entries is forgotten. */
  forget(load: AddressLoad): void {
    if (load.entries === 0) this.#loads.delete(load.address);
  }

  /** The address with most entries that wait; null: none waits. */
  greediest(): AddressLoad | null {
    let most: AddressLoad | null = null;
    for (const load of this.#loads.values()) if (load.waiting > (most?.waiting ?? 0)) most = load;
    return most;
  }
}
