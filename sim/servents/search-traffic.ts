// Counts what searches cost in a network of whole servents: queries, hits and what announces hits, over connections and by datagram.
// Pings, pongs and tables, which pass without any search too, are left out.
import { HEADER_BYTES, Type } from '../../protocol/constants.ts';
import type { Search } from '../../protocol/overlay/queries/search.ts';
import { passingIn } from '../checkers/passing.ts';
import { costsOf, type SearchCosts } from '../workload/search-costs.ts';
import type { Host, HostWire, Medium, Observer } from './medium.ts';

const COUNTED: ReadonlySet<number> = new Set([Type.Query, Type.QueryHit]);

export class SearchTraffic implements Observer {
  readonly taken: Uint32Array;
  messages = 0;
  readonly #medium: Medium;
  /** When each search began, and when its first result came. */
  readonly #begun = new Map<Search, { at: number; first: number | null }>();

  constructor(medium: Medium) {
    this.#medium = medium;
    this.taken = new Uint32Array(medium.hosts.length);
  }

  begun(search: Search): void {
    this.#begun.set(search, { at: this.#medium.clock.ms, first: null });
  }

  onArrived({ to }: HostWire, frames: Buffer): void {
    for (const { type } of passingIn(frames)) if (COUNTED.has(type)) this.#count(to);
  }

  onDatagram(to: Host, bytes: Buffer): void {
    const type = bytes[16] ?? 0;
    if (bytes.length >= HEADER_BYTES && (COUNTED.has(type) || type === Type.Vendor || type === Type.StandardVendor))
      this.#count(to);
  }

  #count({ number }: Host): void {
    this.messages++;
    this.taken[number] = (this.taken[number] ?? 0) + 1;
  }

  onHit(_host: Host, search: Search): void {
    const begun = this.#begun.get(search);
    if (begun !== undefined) begun.first ??= this.#medium.clock.ms;
  }

  get costs(): SearchCosts {
    const outcomes = [...this.#begun.values()].map(({ at, first }) => ({
      found: first !== null,
      ms: (first ?? at) - at,
    }));
    const { taken, messages } = this;
    return costsOf({ nodes: taken.length, messages, taken, trace: this.#medium.trace }, outcomes);
  }
}
