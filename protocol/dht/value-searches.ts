// Lookups of values for other parts of the servent, which wait for their end: it comes in any case, even when the node is turned off meanwhile.
import type { Dht } from './dht.ts';
import type { DhtValue } from './dht-value.ts';

export type OnValues = (values: readonly DhtValue[], now: number) => void;

export class ValueSearches {
  readonly #node: Pick<Dht, 'parts' | 'joined' | 'findValue'>;
  /** Bounded by the lookups that run and wait. */
  readonly #waiting = new Set<OnValues>();
  /** The node as it was built for its present mode: its lookups end with it. */
  #parts: Dht['parts'] = null;

  constructor(node: Pick<Dht, 'parts' | 'joined' | 'findValue'>) {
    this.#node = node;
  }

  /** Lookups whose end is still to come. */
  get size(): number {
    return this.#waiting.size;
  }

  /** `onValues` is called once: at once and without values when the node has not joined the network. */
  find(key: Buffer, type: string, now: number, onValues: OnValues): void {
    this.settle(now);
    if (!this.#node.joined) {
      onValues([], now);
      return;
    }
    const end: OnValues = (values, at) => {
      if (this.#waiting.delete(end)) onValues(values, at);
    };
    this.#waiting.add(end);
    this.#node.findValue(key, type, now, ({ values }, at) => end(values, at));
  }

  /** Ends the lookups that the node has given up because its mode has changed. */
  settle(now: number): void {
    if (this.#parts === this.#node.parts) return;
    this.#parts = this.#node.parts;
    for (const end of [...this.#waiting]) end([], now);
  }
}
