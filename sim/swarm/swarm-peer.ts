// A peer of a swarm: its neighbours, what it asks them for, and to whom it uploads.
import type { FluidLinks } from '../fluid-links.ts';
import type { Network } from '../network.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { Choker, ROUND_MS, SNUBBED_MS } from './choker.ts';
import { type Neighbour, newNeighbour } from './neighbour.ts';
import type { PeerDirectory } from './peer-directory.ts';
import { type FileShape, PiecePicker } from './piece-picker.ts';
import type { SwarmMessage } from './swarm-message.ts';

/** `free rider`: uploads to nobody. `silent`: unchokes as others do, and sends nothing. */
export type Conduct = 'contributor' | 'free rider' | 'silent';

export interface PeerRules extends FileShape {
  /** Neighbours that a peer looks for; it takes twice as many. */
  readonly neighbours: number;
  readonly rarestFirst: boolean;
  readonly endGame: boolean;
  readonly pex: boolean;
}

export interface Surroundings {
  readonly network: Network<SwarmMessage>;
  readonly links: FluidLinks;
  readonly directory: PeerDirectory;
  readonly rules: PeerRules;
  /** All of the block has come to `to`. */
  onBlock(to: number, from: number, block: number): void;
  onFinished(peer: number): void;
}

/** Requests on their way to a neighbour: the connection does not fall idle between two blocks. */
const PIPELINE = 2;
const ANNOUNCE_MS = 60_000;
const PEX_ROUNDS = 6;
const PEX_MOST = 50;
const KNOWN_MOST = 500;

export class SwarmPeer {
  readonly picker: PiecePicker;
  readonly conduct: Conduct;
  readonly neighbours = new Map<number, Neighbour>();
  joinedAt = 0;
  finishedAt: number | null = null;
  readonly #id: number;
  readonly #world: Surroundings;
  readonly #choker: Choker;
  readonly #known = new Set<number>();
  readonly #dialled = new Set<number>();
  #announcedAt = Number.NEGATIVE_INFINITY;
  #rounds = 0;

  constructor(id: number, conduct: Conduct, world: Surroundings, random: SeededRandom) {
    this.#id = id;
    this.#world = world;
    this.conduct = conduct;
    this.#choker = new Choker(random.fork());
    this.picker = new PiecePicker({ ...world.rules, random: random.fork() });
  }

  /** Comes into the swarm, and knows these addresses already, as of a link with them. */
  join(known: readonly number[] = []): void {
    const { network } = this.#world;
    this.joinedAt = network.now;
    this.#announce();
    this.learn(known);
    network.every(this.#id, ROUND_MS, () => this.#round());
  }

  learn(peers: readonly number[]): void {
    for (const peer of peers) if (peer !== this.#id && this.#known.size < KNOWN_MOST) this.#known.add(peer);
    this.#connect();
  }

  #announce(): void {
    this.#announcedAt = this.#world.network.now;
    this.#world.directory.announce(this.#id, peers => this.learn(peers));
  }

  #connect(): void {
    for (const peer of this.#known) {
      if (this.neighbours.size + this.#dialled.size >= this.#world.rules.neighbours) return;
      this.#known.delete(peer);
      if (this.neighbours.has(peer) || this.#dialled.has(peer)) continue;
      this.#dialled.add(peer);
      this.#send(peer, { kind: 'handshake', has: this.picker.has.slice() });
    }
  }

  #send(to: number, message: SwarmMessage): void {
    this.#world.network.send(this.#id, to, message);
  }

  receive(message: SwarmMessage, from: number): void {
    if (message.kind === 'handshake') this.#meet(from, message.has);
    const neighbour = this.neighbours.get(from);
    if (neighbour === undefined) return;
    switch (message.kind) {
      case 'have':
        if (neighbour.has[message.piece] === 1) break;
        neighbour.has[message.piece] = 1;
        this.picker.copies[message.piece] = (this.picker.copies[message.piece] ?? 0) + 1;
        if (this.picker.has[message.piece] === 0) this.#showInterest(from, neighbour, true);
        break;
      case 'interested':
        neighbour.isInterested = message.yes;
        break;
      case 'choke':
        neighbour.unchokesUs = !message.yes;
        if (message.yes) this.picker.onChoked(from);
        break;
      case 'request':
        this.#serve(from, neighbour, message.block);
        break;
      case 'cancel':
        this.#stopSending(from, neighbour, message.block);
        break;
      case 'reject':
        this.#release(neighbour, message.block);
        break;
      case 'pex':
        this.learn(message.peers);
        break;
      default:
    }
    this.#ask(from, neighbour);
  }

  #meet(from: number, has: Uint8Array): void {
    if (this.neighbours.has(from)) return;
    const answers = this.#dialled.delete(from);
    if (!answers && this.neighbours.size >= 2 * this.#world.rules.neighbours) return;
    const { now } = this.#world.network;
    const neighbour = newNeighbour(has, now);
    this.neighbours.set(from, neighbour);
    for (const [piece, one] of has.entries())
      if (one === 1) this.picker.copies[piece] = (this.picker.copies[piece] ?? 0) + 1;
    if (!answers) this.#send(from, { kind: 'handshake', has: this.picker.has.slice() });
    this.#showInterest(from, neighbour, this.picker.wants(has));
  }

  #showInterest(from: number, neighbour: Neighbour, yes: boolean): void {
    if (neighbour.isInteresting === yes) return;
    neighbour.isInteresting = yes;
    neighbour.usefulAt = this.#world.network.now;
    this.#send(from, { kind: 'interested', yes });
  }

  /** The connection is gone. */
  drop(other: number): void {
    this.#dialled.delete(other);
    const neighbour = this.neighbours.get(other);
    if (neighbour === undefined) return;
    this.neighbours.delete(other);
    for (const [piece, one] of neighbour.has.entries())
      if (one === 1) this.picker.copies[piece] = (this.picker.copies[piece] ?? 1) - 1;
    for (const block of neighbour.asked.keys()) this.picker.onReleased(block);
    this.picker.onChoked(other);
  }

  /** Fills the pipeline of requests to a neighbour that unchokes us. */
  #ask(from: number, neighbour: Neighbour): void {
    if (!neighbour.unchokesUs || this.picker.isComplete || !neighbour.isInteresting) return;
    const most = this.#isSnubbedBy(neighbour) ? 1 : PIPELINE;
    while (neighbour.asked.size < most) {
      const block = this.picker.pick(from, neighbour.has, neighbour.asked);
      if (block === null) return;
      this.picker.onAsked(block, from);
      neighbour.asked.set(block, this.#world.network.now);
      this.#send(from, { kind: 'request', block });
    }
  }

  #release(neighbour: Neighbour, block: number): void {
    if (neighbour.asked.delete(block)) this.picker.onReleased(block);
  }

  #serve(to: number, neighbour: Neighbour, block: number): void {
    if (this.conduct === 'silent') return;
    if (!neighbour.isUnchoked || !this.picker.hasBlock(block)) {
      this.#send(to, { kind: 'reject', block });
      return;
    }
    if (neighbour.sending.has(block)) return;
    const { links, rules } = this.#world;
    const units = 1 / (rules.pieces * rules.blocksPerPiece);
    const transfer = links.send(this.#id, to, units, () => {
      neighbour.sending.delete(block);
      this.#world.onBlock(to, this.#id, block);
    });
    neighbour.sending.set(block, transfer);
  }

  #stopSending(to: number, neighbour: Neighbour, block: number): void {
    const transfer = neighbour.sending.get(block);
    if (transfer === undefined) return;
    neighbour.sending.delete(block);
    this.#world.links.cancel(this.#id, to, transfer);
  }

  /** A block has come; false: it was here already. */
  take(block: number, from: number): boolean {
    const neighbour = this.neighbours.get(from);
    if (neighbour !== undefined) {
      neighbour.received++;
      neighbour.usefulAt = this.#world.network.now;
      this.#release(neighbour, block);
    }
    const isNew = !this.picker.hasBlock(block);
    if (isNew) {
      for (const [other, asked] of this.neighbours)
        if (asked.asked.has(block)) {
          this.#release(asked, block);
          this.#send(other, { kind: 'cancel', block });
        }
      if (this.picker.onBlock(block)) this.#onPiece(this.picker.pieceOf(block));
    }
    if (neighbour !== undefined) this.#ask(from, neighbour);
    return isNew;
  }

  #onPiece(piece: number): void {
    for (const [other, neighbour] of this.neighbours) {
      if (neighbour.has[piece] === 0) this.#send(other, { kind: 'have', piece });
      else if (!this.picker.wants(neighbour.has)) this.#showInterest(other, neighbour, false);
    }
    if (!this.picker.isComplete) return;
    this.finishedAt = this.#world.network.now;
    this.#world.onFinished(this.#id);
  }

  #round(): void {
    const { network, rules } = this.#world;
    for (const neighbour of this.neighbours.values())
      for (const [block, askedAt] of neighbour.asked)
        if (this.#isSnubbedBy(neighbour) && network.now - askedAt > SNUBBED_MS) this.#release(neighbour, block);
    for (const [other, neighbour] of this.neighbours) if (!this.#isSnubbedBy(neighbour)) this.#ask(other, neighbour);
    this.#choke();
    if (rules.pex && this.#rounds++ % PEX_ROUNDS === 0) {
      const peers = [...this.neighbours.keys()].slice(-PEX_MOST);
      for (const other of this.neighbours.keys()) this.#send(other, { kind: 'pex', peers });
    }
    if (this.neighbours.size >= rules.neighbours / 2) return;
    this.#dialled.clear(); // those that have not answered by now will not
    this.#connect();
    if (network.now - this.#announcedAt >= ANNOUNCE_MS) this.#announce();
  }

  #isSnubbedBy({ isInteresting, usefulAt }: Neighbour): boolean {
    return isInteresting && !this.picker.isComplete && this.#world.network.now - usefulAt > SNUBBED_MS;
  }

  #choke(): void {
    const candidates = [...this.neighbours].map(([peer, neighbour]) => ({
      peer,
      interested: neighbour.isInterested,
      snubs: this.#isSnubbedBy(neighbour),
      received: neighbour.received + neighbour.receivedBefore,
      connectedAt: neighbour.connectedAt,
    }));
    const chosen =
      this.conduct === 'free rider'
        ? new Set<number>()
        : this.#choker.choose(candidates, this.picker.isComplete, this.#world.network.now);
    for (const [other, neighbour] of this.neighbours) {
      neighbour.receivedBefore = neighbour.received;
      neighbour.received = 0;
      const unchoked = chosen.has(other);
      if (neighbour.isUnchoked === unchoked) continue;
      neighbour.isUnchoked = unchoked;
      this.#send(other, { kind: 'choke', yes: !unchoked });
      if (!unchoked) this.#rejectWaiting(other, neighbour);
    }
  }

  /** All but the block that is on its way. */
  #rejectWaiting(to: number, neighbour: Neighbour): void {
    for (const block of [...neighbour.sending.keys()].slice(1)) {
      this.#stopSending(to, neighbour, block);
      this.#send(to, { kind: 'reject', block });
    }
  }
}
