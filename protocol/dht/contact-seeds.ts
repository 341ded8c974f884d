// Addresses at which there may be nodes: saved contacts, pongs with GGEP DHT, packed contacts, configured hosts. They are pinged until
// the routing table has nodes to begin with. One that does not answer a PING is asked for nodes around us: after a quick restart nodes
// owe us no PONG yet, for they answer one PING each 30 s.
import type { Random } from '../ports.ts';
import { type Endpoint, endpointKey, isIpv6, type Reach, reachOf } from '../wire/endpoint.ts';
import type { RequestBody, Requests } from './requests.ts';

const SEEDS_MAX = 256;
const AT_ONCE = 5;
/** Between two PINGs of a seed; G answers one each 30 s. */
const AGAIN_MS = 60_000;
const TRIES_MAX = 5;

interface Seed {
  readonly endpoint: Endpoint;
  tries: number;
  dueAt: number;
}

export class ContactSeeds {
  readonly #own: Buffer;
  readonly #reaches: readonly Reach[];
  readonly #requests: Requests;
  readonly #random: Random;
  readonly #seeds = new Map<string, Seed>();
  #waiting = 0;

  constructor(own: Buffer, reaches: readonly Reach[], requests: Requests, random: Random) {
    this.#own = own;
    this.#reaches = reaches;
    this.#requests = requests;
    this.#random = random;
  }

  get size(): number {
    return this.#seeds.size;
  }

  get nextAt(): number {
    if (this.#waiting >= AT_ONCE) return Number.POSITIVE_INFINITY;
    let at = Number.POSITIVE_INFINITY;
    for (const { dueAt } of this.#seeds.values()) at = Math.min(at, dueAt);
    return at;
  }

  /** Above the bound a random one makes room, so that nobody can push all others out. */
  add(endpoints: readonly Endpoint[], now: number): void {
    for (const endpoint of endpoints) {
      const key = endpointKey(endpoint);
      const { host, port } = endpoint;
      if (port === 0 || isIpv6(host) || !this.#reaches.includes(reachOf(host)) || this.#seeds.has(key)) continue;
      if (this.#seeds.size >= SEEDS_MAX) {
        const chosen = [...this.#seeds.keys()][this.#random.below(this.#seeds.size)];
        if (chosen !== undefined) this.#seeds.delete(chosen);
      }
      this.#seeds.set(key, { endpoint, tries: 0, dueAt: now });
    }
  }

  /** Pings some of those that are due. */
  tick(now: number): void {
    for (const [key, seed] of this.#seeds) {
      if (this.#waiting >= AT_ONCE) return;
      if (seed.dueAt > now) continue;
      seed.dueAt = now + AGAIN_MS;
      if (seed.tries++ >= TRIES_MAX) {
        this.#seeds.delete(key);
        continue;
      }
      this.#ask(key, seed.endpoint, { kind: 'ping' }, now);
    }
  }

  #ask(key: string, endpoint: Endpoint, body: RequestBody, now: number): void {
    this.#waiting++;
    const sent = this.#requests.ask({ kuid: null, endpoint }, body, now, {
      onAnswer: () => {
        this.#waiting--;
        this.#seeds.delete(key); // it is known now
      },
      onSilence: at => {
        this.#waiting--;
        if (body.kind === 'ping') this.#ask(key, endpoint, { kind: 'findNode', target: this.#own }, at);
      },
    });
    if (!sent) this.#waiting--;
  }
}
