// Calls between users: super-peers hold the directory of where users are, and help where callees cannot be reached from outside.
import type { Run } from './model.ts';
import { Network } from './network.ts';
import type { SeededRandom } from './seeded-random.ts';

type Message =
  | { readonly kind: 'register'; readonly user: number }
  | {
      readonly kind: 'look up' | 'found' | 'unknown';
      readonly user: number;
      readonly call: number;
      readonly asker: number;
    }
  | { readonly kind: 'connect' | 'call back'; readonly call: number; readonly caller: number }
  | { readonly kind: 'relay'; readonly call: number; readonly caller: number; readonly callee: number };

export interface Call {
  readonly caller: number;
  readonly callee: number;
  way: 'direct' | 'reversed' | 'relayed' | null;
}

/** Users 0 to n - 1, then the super-peers; the entry of a user is on two of them, by its number. */
export class CallNetwork {
  readonly network: Network<Message>;
  readonly calls: Call[] = [];
  readonly #users: number;
  readonly #superPeers: number;
  /** Super-peers that know where each user is. */
  readonly #directory: Set<number>[];
  readonly #behindNat: Uint8Array;
  readonly #random: SeededRandom;

  constructor({ servents, random, parameters }: Run) {
    const { perSuperPeer = 50, nat = 0.6 } = parameters;
    this.#users = servents;
    this.#superPeers = Math.max(3, Math.round(servents / perSuperPeer));
    this.network = new Network({ nodes: servents + this.#superPeers, random: random.fork() });
    this.#directory = Array.from({ length: this.#superPeers }, () => new Set());
    this.#random = random.fork();
    this.#behindNat = Uint8Array.from({ length: servents }, () => Number(this.#random.chance(nat)));
    this.network.onMessage = (to, message) => this.#receive(to, message);
    for (let user = 0; user < servents; user++)
      for (const copy of [0, 1]) this.network.send(user, this.#keeperOf(user, copy), { kind: 'register', user });
    this.network.run();
    this.network.resetCounts();
  }

  #keeperOf(user: number, copy: number): number {
    return this.#users + ((user + copy) % this.#superPeers);
  }

  #receive(to: number, message: Message): void {
    switch (message.kind) {
      case 'register':
        this.#directory[to - this.#users]?.add(message.user);
        break;
      case 'look up': {
        const known = this.#directory[to - this.#users]?.has(message.user) === true;
        this.network.send(to, message.asker, { ...message, kind: known ? 'found' : 'unknown' });
        break;
      }
      case 'found':
        this.#connect(to, message.user, message.call);
        break;
      case 'unknown':
        break;
      case 'connect':
        this.#done(message.call, 'direct');
        break;
      case 'call back':
        if (to >= this.#users) this.network.send(to, this.calls[message.call]?.callee ?? 0, message);
        else this.#done(message.call, 'reversed');
        break;
      case 'relay':
        if (to >= this.#users) this.network.send(to, message.callee, message);
        else this.#done(message.call, 'relayed');
    }
  }

  #done(call: number, way: Call['way']): void {
    const made = this.calls[call];
    if (made !== undefined) made.way ??= way;
  }

  /** Directly where the callee can be reached; else it is told by a super-peer to call back; with both behind NAT all goes over one. */
  #connect(caller: number, callee: number, call: number): void {
    const { network } = this;
    const superPeer = this.#users + this.#random.below(this.#superPeers);
    if (this.#behindNat[callee] === 0) network.send(caller, callee, { kind: 'connect', call, caller });
    else if (this.#behindNat[caller] === 0) network.send(caller, superPeer, { kind: 'call back', call, caller });
    else network.send(caller, superPeer, { kind: 'relay', call, caller, callee });
  }

  /** A user whose first keeper does not answer in a second asks the second one. */
  call(count: number): void {
    for (let i = 0; i < count; i++) {
      const caller = this.#random.below(this.#users);
      const callee = (caller + 1 + this.#random.below(this.#users - 1)) % this.#users;
      const call = this.calls.push({ caller, callee, way: null }) - 1;
      for (const copy of [0, 1])
        this.network.after(copy * 1000, () => {
          if (this.calls[call]?.way === null)
            this.network.send(caller, this.#keeperOf(callee, copy), {
              kind: 'look up',
              user: callee,
              call,
              asker: caller,
            });
        });
      this.network.run();
    }
  }

  failSuperPeer(superPeer: number): void {
    this.network.fail(this.#users + superPeer);
  }
}
