// The textbook's ring of peers (Kurose and Ross, Computer Networking, 6th edition, section 2.6.2): each knows its predecessor, its first
// and second successor, and perhaps some shortcuts; it pings both successors and repairs the ring when one is silent.
import type { SeededRandom } from '../seeded-random.ts';
import type { SharedFiles } from '../workload/shared-files.ts';
import { Circle, NOBODY, successorOf } from './identifiers.ts';
import { KeyOverlay } from './key-overlay.ts';

type Own =
  /** To a successor; the first one takes the sender for its predecessor. */
  | { readonly kind: 'ping'; readonly isFirst: boolean }
  | { readonly kind: 'pong'; readonly isFirst: boolean; readonly successor: number }
  | { readonly kind: 'place'; readonly predecessor: number; readonly second: number }
  | { readonly kind: 'new successor' }
  | { readonly kind: 'join' };

export interface RingOptions {
  /** Ascending. */
  readonly ids: Uint32Array;
  readonly bits?: number;
  readonly random: SeededRandom;
  /** Shortcut number j leads to the peer of the key that is 2^(bits - j) further. */
  readonly shortcuts?: number;
  readonly files?: SharedFiles | undefined;
  /** How long an acknowledgement of a hop is waited for; 0: there are none. */
  readonly ackMs?: number;
  /** How often each peer pings its successors. */
  readonly pingMs?: number;
}

/** How long a pong is waited for. */
const PONG_MS = 1_000;
/** A route's level: by the tables of the peer before, this one has the key. */
const LAST = 1;

export class RingPeers extends KeyOverlay<Own, 'a place'> {
  readonly first: Uint32Array;
  readonly second: Uint32Array;
  readonly predecessor: Uint32Array;
  readonly #ids: Uint32Array;
  readonly #circle: Circle;
  readonly #shortcuts: readonly Uint32Array[];
  /** Called when a peer has lost both successors, and for each further ping without an answer. */
  onCutOff: (peer: number) => void = () => undefined;
  readonly #pingMs: number;
  readonly #firstHeardAt: Float64Array;
  readonly #secondHeardAt: Float64Array;
  readonly #predecessorHeardAt: Float64Array;
  /** How often each peer has joined, so that what a former session began ends. */
  readonly #sessions: Uint16Array;

  constructor({ ids, bits = 32, random, shortcuts = 0, files, ackMs = 0, pingMs = 15_000 }: RingOptions) {
    super({ nodes: ids.length, random, files, ackMs });
    this.#ids = ids;
    this.#circle = new Circle(bits);
    const peers = ids.length;
    this.first = Uint32Array.from(ids, (_, peer) => (peer + 1) % peers);
    this.second = Uint32Array.from(ids, (_, peer) => (peer + 2) % peers);
    this.predecessor = Uint32Array.from(ids, (_, peer) => (peer + peers - 1) % peers);
    this.#shortcuts = Array.from({ length: shortcuts }, (_, j) =>
      ids.map(id => successorOf(ids, this.#circle.plus(id, 2 ** (bits - 1 - j)), () => true)),
    );
    this.#pingMs = pingMs;
    this.#firstHeardAt = new Float64Array(peers);
    this.#secondHeardAt = new Float64Array(peers);
    this.#predecessorHeardAt = new Float64Array(peers);
    this.#sessions = new Uint16Array(peers);
  }

  /** The peer that has the key: the first up from it. */
  ownerOf(key: number): number {
    return successorOf(this.#ids, key, peer => this.network.isUp(peer));
  }

  next(at: number, route: { readonly key: number; level: number }): number | null {
    const [self, key] = [this.#id(at), route.key];
    if (route.level === LAST || this.#isOwn(at, key)) return at;
    let next = this.first[at] ?? NOBODY;
    if (next === NOBODY) return null;
    if (this.#circle.isBetween(key, self, this.#id(next))) {
      route.level = LAST;
      return next;
    }
    for (const shortcuts of this.#shortcuts) {
      const shortcut = shortcuts[at] ?? NOBODY;
      const leads = this.#circle.distance(self, this.#id(shortcut)) > this.#circle.distance(self, this.#id(next));
      if (shortcut !== NOBODY && leads && this.#circle.isBetween(this.#id(shortcut), self, key)) next = shortcut;
    }
    return next;
  }

  #isOwn(at: number, key: number): boolean {
    const predecessor = this.predecessor[at] ?? NOBODY;
    return predecessor !== NOBODY && this.#circle.isBetween(key, this.#id(predecessor), this.#id(at));
  }

  override forget(at: number, silent: number): void {
    for (const shortcuts of this.#shortcuts) if (shortcuts[at] === silent) shortcuts[at] = NOBODY;
    this.#lose(at, silent);
  }

  /** From now on each peer pings its successors. */
  keepUp(): void {
    for (let peer = 0; peer < this.#ids.length; peer++) this.#keepPinging(peer);
  }

  join(peer: number, known: number): void {
    this.#sessions[peer] = (this.#sessions[peer] ?? 0) + 1;
    for (const table of [this.first, this.second, this.predecessor, ...this.#shortcuts]) table[peer] = NOBODY;
    this.seekPlace(peer, known);
    this.#keepPinging(peer);
  }

  /** Asks for the first peer above it. */
  seekPlace(peer: number, known: number): void {
    this.tell(peer, known, { kind: 'join' });
  }

  #id(peer: number): number {
    return this.#ids[peer] ?? 0;
  }

  #keepPinging(peer: number): void {
    const session = this.#sessions[peer];
    this.network.every(peer, this.#pingMs, () => {
      if (this.#sessions[peer] !== session) return false;
      this.#ping(peer, this.first[peer] ?? NOBODY, true);
      this.#ping(peer, this.second[peer] ?? NOBODY, false);
      return true;
    });
  }

  #ping(peer: number, successor: number, isFirst: boolean): void {
    if (successor === NOBODY || successor === peer) return;
    const { network } = this;
    const sentAt = network.now;
    this.tell(peer, successor, { kind: 'ping', isFirst });
    network.after(PONG_MS, () => {
      const heardAt = (isFirst ? this.#firstHeardAt : this.#secondHeardAt)[peer] ?? 0;
      if (heardAt < sentAt && network.isUp(peer)) this.#lose(peer, successor);
    });
  }

  /** One of its successors is silent: the other one becomes the first, and is asked for its own. */
  #lose(peer: number, silent: number): void {
    if (this.predecessor[peer] === silent) this.predecessor[peer] = NOBODY;
    const second = this.second[peer] ?? NOBODY;
    if (this.first[peer] === silent) {
      if (second === NOBODY || second === silent) {
        this.onCutOff(peer);
        return;
      }
      this.first[peer] = second;
    } else if (second !== silent) return;
    this.second[peer] = NOBODY;
    this.#ping(peer, this.first[peer] ?? NOBODY, true);
  }

  override isMember(peer: number): boolean {
    return this.network.isUp(peer) && this.first[peer] !== NOBODY;
  }

  protected answer(peer: number, _asked: 'a place', joining: number): void {
    if (joining === peer) return;
    const predecessor = this.predecessor[peer] ?? NOBODY;
    this.tell(peer, joining, { kind: 'place', predecessor, second: this.first[peer] ?? NOBODY });
    this.predecessor[peer] = joining;
    this.#predecessorHeardAt[peer] = this.network.now;
  }

  protected receive(to: number, message: Own, from: number): void {
    if (!this.isMember(to) && message.kind !== 'place') return; // old neighbours must notice that it was away
    switch (message.kind) {
      case 'join':
        this.ask(to, this.#circle.plus(this.#id(from), 1), 'a place', from);
        return;
      case 'place':
        this.first[to] = from;
        this.second[to] = message.second;
        if (this.predecessor[to] === NOBODY) this.predecessor[to] = message.predecessor;
        if (message.predecessor !== NOBODY) this.tell(to, message.predecessor, { kind: 'new successor' });
        return;
      case 'new successor': {
        const first = this.first[to] ?? NOBODY;
        if (first !== NOBODY && !this.#circle.isBetween(this.#id(from), this.#id(to), this.#id(first))) return;
        if (first !== from) this.second[to] = first;
        this.first[to] = from;
        return;
      }
      case 'ping':
        if (message.isFirst) this.#onPredecessor(to, from);
        this.tell(to, from, { kind: 'pong', isFirst: message.isFirst, successor: this.first[to] ?? NOBODY });
        return;
      case 'pong':
        (message.isFirst ? this.#firstHeardAt : this.#secondHeardAt)[to] = this.network.now;
        if (message.isFirst && this.first[to] === from && message.successor !== to) this.second[to] = message.successor;
    }
  }

  /** The peer `from` takes this one for its first successor. */
  #onPredecessor(peer: number, from: number): void {
    const before = this.predecessor[peer] ?? NOBODY;
    const isSilent = this.network.now - (this.#predecessorHeardAt[peer] ?? 0) > 2 * this.#pingMs + PONG_MS;
    const isNearer = before === NOBODY || this.#circle.isBetween(this.#id(from), this.#id(before), this.#id(peer));
    if (before !== from && !isSilent && !isNearer) return;
    this.predecessor[peer] = from;
    this.#predecessorHeardAt[peer] = this.network.now;
  }
}
