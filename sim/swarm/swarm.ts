// A swarm: a seed and peers that fetch one file from each other, on links of limited rate. The file has size 1, and an uplink of 1 sends
// it once in `fileSeconds`.
import { FluidLinks } from '../fluid-links.ts';
import { Network } from '../network.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { PeerDirectory } from './peer-directory.ts';
import type { SwarmMessage } from './swarm-message.ts';
import { type Conduct, type PeerRules, type Surroundings, SwarmPeer } from './swarm-peer.ts';

export interface SwarmOptions extends PeerRules {
  readonly random: SeededRandom;
  /** Besides the seed. */
  readonly peers: number;
  /** Nodes that come after the peers: trackers. */
  readonly servers: number;
  readonly fileSeconds: number;
  /** Of the seed, in uplinks of a peer; the downlink of each. */
  readonly seedUplink: number;
  readonly downlink: number;
  readonly conductOf?: (peer: number) => Conduct;
  readonly directory: (network: Network<SwarmMessage>, random: SeededRandom) => PeerDirectory;
}

/** Between two computations of the shares of links: little beside the seconds that a block takes. */
const PAUSE_MS = 250;

/** Peers 1 to n, and the seed 0. */
export class Swarm implements Surroundings {
  readonly network: Network<SwarmMessage>;
  readonly links: FluidLinks;
  readonly directory: PeerDirectory;
  readonly rules: PeerRules;
  readonly peers: readonly SwarmPeer[];
  /** Blocks that came, and those of them that were there already. */
  blocks = 0;
  wasted = 0;
  /** Called when a peer has the whole file. */
  onFinished: (peer: number) => void = () => undefined;
  /** Blocks that the seed has sent. */
  sentBySeed = 0;

  constructor(options: SwarmOptions) {
    const { random, peers, servers, fileSeconds, seedUplink, downlink, conductOf = () => 'contributor' } = options;
    this.rules = options;
    this.network = new Network({ nodes: 1 + peers + servers, random: random.fork() });
    const nodes = Array.from({ length: 1 + peers }, (_, node) => node);
    const up = nodes.map(node => (node === 0 ? seedUplink : 1) / fileSeconds);
    const down = nodes.map(() => downlink / fileSeconds);
    this.links = new FluidLinks(this.network, { up, down }, PAUSE_MS);
    this.directory = options.directory(this.network, random.fork());
    this.peers = nodes.map(
      node => new SwarmPeer(node, node === 0 ? 'contributor' : conductOf(node), this, random.fork()),
    );
    this.peers[0]?.picker.fill();
    this.network.onMessage = (to, message, from) => {
      this.directory.receive(to, message, from);
      this.peers[to]?.receive(message, from);
    };
  }

  onBlock(to: number, from: number, block: number): void {
    this.blocks++;
    if (from === 0) this.sentBySeed++;
    if (this.peers[to]?.take(block, from) === false) this.wasted++;
  }

  /** The peer comes after so many seconds. */
  join(peer: number, seconds: number, known: readonly number[] = []): void {
    this.network.after(seconds * 1000, () => this.peers[peer]?.join(known));
  }

  /** The peer goes, and its neighbours notice at once. */
  leave(peer: number): void {
    this.network.fail(peer);
    this.links.cut(peer);
    for (const other of this.peers) other.drop(peer);
  }

  /** Those that have the whole file, but for the seed. */
  get finished(): SwarmPeer[] {
    return this.peers.slice(1).filter(({ finishedAt }) => finishedAt !== null);
  }

  /** Seconds that each of them took. */
  times(which: (peer: SwarmPeer) => boolean = () => true): number[] {
    return this.finished.filter(which).map(({ joinedAt, finishedAt }) => ((finishedAt ?? 0) - joinedAt) / 1000);
  }

  /** Lets time pass until those have finished who can, at most so many seconds. */
  run(seconds: number, isDone: () => boolean = () => this.finished.length === this.peers.length - 1): void {
    const STEP_MS = 20_000;
    while (this.network.now < seconds * 1000 && !isDone()) this.network.run(this.network.now + STEP_MS);
  }
}
