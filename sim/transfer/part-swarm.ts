// Clients that fetch the parts of one file from each other. Who waits at an uploader is served by waiting time, times what he earned by
// uploading to it: the credit of eMule. A part is shared as soon as it is whole and its hash is right.
import { Network } from '../network.ts';
import type { SeededRandom } from '../seeded-random.ts';

type Message =
  | { readonly kind: 'ask' | 'nothing' }
  | { readonly kind: 'offer'; readonly parts: ReadonlySet<number> }
  | { readonly kind: 'want'; readonly part: number }
  | { readonly kind: 'part'; readonly part: number; readonly whole: boolean };

/** Of a part: 9,728,000 bytes. */
export const PART_MB = 9.728;

export interface PartSwarmOptions {
  readonly clients: number;
  readonly parts: number;
  readonly random: SeededRandom;
  /** The first so many have the whole file from the start. */
  readonly sources: number;
  /** Those that upload. */
  readonly shares: (client: number) => boolean;
  readonly withCredits: boolean;
  /** Share of the parts that arrive damaged. */
  readonly damage: number;
  /** Of an upload of a part, one at a time. */
  readonly partMs: number;
  /** After which clients ask all others again. */
  readonly askAgainMs: number;
}

/** Factor of the waiting time of a client that gave us, and got from us, so many MB (eMule’s rule, as Kulbak and Bickson 2005 give it). */
export function creditOf(givenMb: number, gotMb: number): number {
  if (givenMb < 1) return 1;
  const ratio = gotMb === 0 ? 10 : (2 * givenMb) / gotMb;
  return Math.max(1, Math.min(10, ratio, Math.sqrt(givenMb + 2)));
}

export class PartSwarm {
  readonly network: Network<Message>;
  /** When each client had all parts, in ms; null before. */
  readonly doneAt: (number | null)[];
  fetched = 0;
  damaged = 0;
  readonly #options: PartSwarmOptions;
  readonly #parts: Set<number>[];
  readonly #underWay: Set<number>[];
  /** Who waits at each client, and since when. */
  readonly #queues: Map<number, number>[];
  readonly #busy: Uint8Array;
  /** Parts from a client to another one, at from · clients + to. */
  readonly #given: Uint32Array;

  constructor(options: PartSwarmOptions) {
    const { clients, sources, parts, random } = options;
    const each = <T>(make: (client: number) => T): T[] => Array.from({ length: clients }, (_, client) => make(client));
    this.#options = options;
    this.network = new Network({ nodes: clients, random: random.fork() });
    this.#parts = each(client => new Set(client < sources ? Array.from({ length: parts }, (_, part) => part) : []));
    this.#underWay = each(() => new Set());
    this.#queues = each(() => new Map());
    this.#busy = new Uint8Array(clients);
    this.#given = new Uint32Array(clients * clients);
    this.doneAt = each(client => (client < sources ? 0 : null));
    this.network.onMessage = (to, message, from) => this.#receive(to, message, from);
    for (let client = sources; client < clients; client++) {
      this.#askAll(client);
      this.network.every(client, options.askAgainMs, () => this.#askAll(client));
    }
  }

  /** False once there is nothing left to ask for. */
  #askAll(client: number): boolean {
    if (this.doneAt[client] !== null) return false;
    for (let other = 0; other < this.#options.clients; other++)
      if (other !== client) this.network.send(client, other, { kind: 'ask' });
    return true;
  }

  #receive(to: number, message: Message, from: number): void {
    switch (message.kind) {
      case 'ask': {
        if (!this.#options.shares(to)) break;
        const queue = this.#queues[to];
        if (queue?.has(from) === false) queue.set(from, this.network.now);
        this.#serve(to);
        break;
      }
      case 'offer':
        this.#choose(to, message.parts, from);
        break;
      case 'nothing':
        this.#free(to);
        break;
      case 'want':
        this.network.after(this.#options.partMs, () => {
          const whole = !this.#options.random.chance(this.#options.damage);
          this.#given[to * this.#options.clients + from] = this.#givenBy(to, from) + 1;
          this.network.send(to, from, { kind: 'part', part: message.part, whole });
          this.#free(to);
        });
        break;
      case 'part':
        this.#onPart(to, message.part, message.whole, from);
    }
  }

  #free(uploader: number): void {
    this.#busy[uploader] = 0;
    this.#serve(uploader);
  }

  /** Offers the own parts to the one with the highest score of those that wait. */
  #serve(uploader: number): void {
    const parts = this.#parts[uploader];
    const queue = this.#queues[uploader];
    if (parts === undefined || queue === undefined || parts.size === 0 || this.#busy[uploader] === 1) return;
    let best: number | null = null;
    let bestScore = -1;
    for (const [client, since] of queue) {
      const score = (this.network.now - since) * this.#creditAt(uploader, client);
      if (score > bestScore) [best, bestScore] = [client, score];
    }
    if (best === null) return;
    queue.delete(best);
    this.#busy[uploader] = 1;
    this.network.send(uploader, best, { kind: 'offer', parts: new Set(parts) });
  }

  #creditAt(uploader: number, client: number): number {
    if (!this.#options.withCredits) return 1;
    return creditOf(PART_MB * this.#givenBy(client, uploader), PART_MB * this.#givenBy(uploader, client));
  }

  #givenBy(from: number, to: number): number {
    return this.#given[from * this.#options.clients + to] ?? 0;
  }

  #choose(client: number, offered: ReadonlySet<number>, uploader: number): void {
    const missing = [...offered].filter(part => !this.#parts[client]?.has(part) && !this.#underWay[client]?.has(part));
    if (missing.length === 0) {
      this.network.send(client, uploader, { kind: 'nothing' });
      return;
    }
    const part = this.#options.random.pick(missing);
    this.#underWay[client]?.add(part);
    this.network.send(client, uploader, { kind: 'want', part });
  }

  #onPart(client: number, part: number, whole: boolean, uploader: number): void {
    this.fetched++;
    this.#underWay[client]?.delete(part);
    if (whole) this.#parts[client]?.add(part);
    else this.damaged++;
    if (this.#parts[client]?.size === this.#options.parts) this.doneAt[client] ??= this.network.now;
    else this.network.send(client, uploader, { kind: 'ask' });
    if (this.#options.shares(client)) this.#serve(client);
  }
}
