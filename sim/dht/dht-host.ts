// A host of the simulated DHT: one node at an address, its timer, and restarts.
import { Dht, type DhtMode } from '../../protocol/dht/dht.ts';
import type { DhtRules } from '../../protocol/dht/dht-rules.ts';
import { randomKuid } from '../../protocol/dht/kuid.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import type { Network } from '../network.ts';
import type { SeededRandom } from '../seeded-random.ts';

/** What hosts know of the network that they are in. */
export interface DhtMedium {
  readonly network: Network<Buffer>;
  readonly random: SeededRandom;
  readonly rules: DhtRules;
  readonly now: number;
  deliver(from: number, bytes: Buffer, to: Endpoint): void;
}

export class DhtHost {
  readonly number: number;
  readonly endpoint: Endpoint;
  readonly #internet: DhtMedium;
  #dht: Dht;
  #starts = 0;
  /** Of the nodes that were here before. */
  #bytesBefore = 0;
  #wakeAt = Number.POSITIVE_INFINITY;
  /** What it does with datagrams in place of its node, as an attacker. */
  impostor: ((bytes: Buffer, from: Endpoint) => void) | null = null;

  constructor(internet: DhtMedium, number: number, endpoint: Endpoint) {
    this.#internet = internet;
    this.number = number;
    this.endpoint = endpoint;
    this.#dht = this.#fresh();
  }

  get dht(): Dht {
    return this.#dht;
  }

  get isUp(): boolean {
    return this.#dht.mode !== 'off' && this.#internet.network.isUp(this.number);
  }

  /** In and out, of this node and of those that were here before it. */
  get bytes(): number {
    const { bytesIn, bytesOut } = this.#dht.counters;
    return this.#bytesBefore + bytesIn + bytesOut;
  }

  #fresh(): Dht {
    const { random, rules } = this.#internet;
    this.#starts++;
    return new Dht({
      kuid: randomKuid(random),
      vendor: 'SRVT',
      instance: (this.#starts % 255) + 1,
      rules,
      random: random.fork(),
      endpoint: () => this.endpoint,
      send: (bytes, to) => this.#internet.deliver(this.number, bytes, to),
    });
  }

  /** A new node with a KUID of its own. */
  start(seeds: readonly Endpoint[], mode: DhtMode = 'active'): Dht {
    this.#internet.network.revive(this.number);
    if (this.#dht.mode !== 'off') {
      this.#bytesBefore = this.bytes;
      this.#dht = this.#fresh();
    }
    this.#dht.setMode(mode, this.#internet.now);
    this.#dht.seed(seeds, this.#internet.now);
    this.#wakeAt = Number.POSITIVE_INFINITY;
    this.wake();
    return this.#dht;
  }

  /** It falls silent without a word. */
  fail(): void {
    this.#internet.network.fail(this.number);
  }

  receive(bytes: Buffer, from: Endpoint): void {
    if (this.impostor !== null) {
      this.impostor(bytes, from);
      return;
    }
    this.#dht.receive(bytes, from, this.#internet.now);
    this.wake();
  }

  /** Sets the timer for what is due next, which a call may have brought forward. */
  wake(): void {
    const { network } = this.#internet;
    const at = Math.max(network.now, this.#dht.nextAt);
    if (at >= this.#wakeAt || at === Number.POSITIVE_INFINITY) return;
    this.#wakeAt = at;
    const dht = this.#dht;
    network.after(at - network.now, () => {
      if (this.#wakeAt !== at || dht !== this.#dht) return;
      this.#wakeAt = Number.POSITIVE_INFINITY;
      if (!this.isUp) return;
      dht.tick(network.now);
      this.wake();
    });
  }
}
