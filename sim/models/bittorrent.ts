// BitTorrent: peers exchange the pieces of a file, tit for tat, and find each other by trackers, a distributed table, or through each other.
import { atLeast, atMost, equal, told } from '../measure.ts';
import type { Model, Outcome, Run, Series } from '../model.ts';
import { mean } from '../statistics.ts';
import { DistributedTracker } from '../swarm/distributed-tracker.ts';
import { type PeerDirectory, Trackers } from '../swarm/peer-directory.ts';
import { Swarm, type SwarmOptions } from '../swarm/swarm.ts';
import { TraceHash } from '../trace-hash.ts';
import { peerTime } from './client-server.ts';

/** More peers would take minutes. */
const PEERS_MOST = 200;
const FILE_SECONDS = 1_000;
const BLOCKS_PER_PIECE = 2;
/** Of a tracker's answer. */
const LISTED = 30;
const DHT_NODES = 64;
const LECTURE = { source: 'lecture: BitTorrent' };
const COHEN = { source: 'Cohen, Incentives build robustness in BitTorrent, 2003' };

class Swarms {
  readonly trace = new TraceHash();
  readonly #run: Run;

  constructor(run: Run) {
    this.#run = run;
  }

  of(peers: number, options: Partial<SwarmOptions> = {}): Swarm {
    const { random, parameters } = this.#run;
    const { seedUplink = 10, downlink = 20, pieces = 128, neighbours = 15 } = parameters;
    const { rarestFirst = 1, endGame = 1, pex = 1 } = parameters;
    return new Swarm({
      ...{ random: random.fork(), peers, servers: 1, fileSeconds: FILE_SECONDS, seedUplink, downlink },
      ...{ pieces, blocksPerPiece: BLOCKS_PER_PIECE, neighbours },
      ...{ rarestFirst: rarestFirst !== 0, endGame: endGame !== 0, pex: pex !== 0 },
      directory: (network, random) => new Trackers(network, [1 + peers], LISTED, random),
      ...options,
    });
  }

  /** Until all have finished who can. */
  run(swarm: Swarm, isDone?: () => boolean, seconds = this.#run.seconds): Swarm {
    swarm.run(seconds, isDone);
    this.trace.addText(swarm.network.trace.hex);
    return swarm;
  }

  /** All come at once, and stay when they have finished. */
  flashCrowd(peers: number, options: Partial<SwarmOptions> = {}): Swarm {
    const swarm = this.of(peers, options);
    for (const peer of swarm.peers.keys()) swarm.join(peer, 0);
    return this.run(swarm);
  }

  /** A fifth or so uploads nothing; the others go when they have finished. */
  withFreeRiders(peers: number, share: number): Swarm {
    const riders = Math.round(peers * share);
    const swarm = this.of(peers, { seedUplink: 3, conductOf: peer => (peer <= riders ? 'free rider' : 'contributor') });
    leaveWhenFinished(swarm, peer => peer > riders);
    for (const peer of swarm.peers.keys()) swarm.join(peer, 0);
    return this.run(swarm);
  }

  /**
   * Half of the peers come, then the first tracker fails, then the others come: those that know only the tracker, or other ways too.
   * How many of these finish.
   */
  trackerFails(
    peers: number,
    way: 'one tracker' | 'two trackers' | 'distributed' | 'exchange' | 'one address',
  ): number {
    const servers = way === 'distributed' ? 1 + DHT_NODES : 2;
    const first = 1 + peers;
    const swarm = this.of(peers, {
      ...{ servers, seedUplink: 1, pieces: 32, fileSeconds: FILE_SECONDS / 4, pex: way === 'exchange' },
      directory: (network, random) => {
        const trackers = new Trackers(network, way === 'two trackers' ? [first, first + 1] : [first], LISTED, random);
        const nodes = Array.from({ length: DHT_NODES }, (_, i) => first + 1 + i);
        return way === 'distributed' ? both(trackers, new DistributedTracker(network, nodes, random)) : trackers;
      },
    });
    leaveWhenFinished(swarm, () => true);
    const half = Math.floor(peers / 2);
    for (let peer = 0; peer <= peers; peer++) {
      const isLate = peer > half;
      const known = isLate && (way === 'exchange' || way === 'one address') ? [1 + ((peer - half - 1) % half)] : [];
      swarm.join(peer, isLate ? 100 + 5 * (peer - half) : 0, known);
    }
    swarm.network.after(60_000, () => swarm.network.fail(first));
    this.run(swarm, undefined, 1.5 * FILE_SECONDS);
    return swarm.peers.filter(({ finishedAt }, peer) => peer > half && finishedAt !== null).length;
  }

  /** The seed goes when it has sent so many copies. How many finish without it. */
  seedLeaves(peers: number, copies: number, rarestFirst: boolean): number {
    const swarm = this.of(peers, { rarestFirst, seedUplink: 2 });
    for (const peer of swarm.peers.keys()) swarm.join(peer, 0);
    const blocks = swarm.rules.pieces * BLOCKS_PER_PIECE;
    swarm.run(this.#run.seconds, () => swarm.sentBySeed >= copies * blocks);
    swarm.leave(0);
    return this.run(swarm, () => swarm.links.active === 0).finished.length;
  }
}

function leaveWhenFinished(swarm: Swarm, whether: (peer: number) => boolean): void {
  swarm.onFinished = peer => {
    if (whether(peer)) swarm.network.after(0, () => swarm.leave(peer));
  };
}

function both(one: PeerDirectory, other: PeerDirectory): PeerDirectory {
  return {
    announce(peer, onPeers): void {
      one.announce(peer, onPeers);
      other.announce(peer, onPeers);
    },
    receive(to, message, from): void {
      one.receive(to, message, from);
      other.receive(to, message, from);
    },
  };
}

/** Seconds: the least in which so many peers can have the file. */
function leastTime(peers: number, { parameters }: Run): number {
  const { seedUplink = 10, downlink = 20 } = parameters;
  return FILE_SECONDS * peerTime({ server: seedUplink, downlink, uplinks: new Array<number>(peers).fill(1) });
}

function run(run: Run): Outcome {
  const { freeRiders = 0.2 } = run.parameters;
  const swarms = new Swarms(run);
  const peers = run.servents;
  const crowd = swarms.flashCrowd(peers);
  const longest = Math.max(...crowd.times());
  run.onProgress(0.3);
  const riding = swarms.withFreeRiders(peers, freeRiders);
  const [contributing, free] = (['contributor', 'free rider'] as const).map(conduct =>
    riding.times(peer => peer.conduct === conduct),
  );
  run.onProgress(0.6);
  const few = 12;
  const silent = swarms.flashCrowd(few, {
    pieces: 64,
    endGame: false,
    conductOf: peer => (peer <= few / 4 ? 'silent' : 'contributor'),
  });
  const late = few / 2;
  const unit = `peers of ${late}`;
  const source = 'BEP 5, BEP 11, BEP 12';
  return {
    measures: [
      equal('finished', peers, crowd.finished.length, { unit: 'peers', ...LECTURE }),
      atMost('time until all have it', 1.5, longest / leastTime(peers, run), {
        unit: 'of the least possible',
        source: 'lecture: time to distribute a file with peers',
      }),
      atMost('blocks that came twice', 0.02, crowd.wasted / crowd.blocks, { unit: 'of all', ...COHEN }),
      told('copies that the seed sent', crowd.sentBySeed / (crowd.rules.pieces * BLOCKS_PER_PIECE), COHEN),
      atLeast('free riders take', 1.2, mean(free ?? []) / mean(contributing ?? []), {
        unit: 'of the time of contributors',
        ...COHEN,
      }),
      equal(
        'contributors that finish among free riders',
        peers - Math.round(peers * freeRiders),
        contributing?.length ?? 0,
        {
          unit: 'peers',
          ...COHEN,
        },
      ),
      equal('finished, a quarter of the peers unchokes and sends nothing', few, silent.finished.length, {
        unit: 'peers',
        ...COHEN,
      }),
      equal('latecomers that finish, the one tracker failed', 0, swarms.trackerFails(few, 'one tracker'), {
        unit,
        ...LECTURE,
      }),
      equal('with a second tracker', late, swarms.trackerFails(few, 'two trackers'), { unit, source }),
      equal('with a distributed table', late, swarms.trackerFails(few, 'distributed'), { unit, source }),
      equal('with one address and peer exchange', late, swarms.trackerFails(few, 'exchange'), { unit, source }),
      told('with one address alone', swarms.trackerFails(few, 'one address'), { unit, source }),
      equal('finished, the seed left after 1.3 copies, rarest first', few, swarms.seedLeaves(few, 1.3, true), {
        unit: 'peers',
        source: 'Legout et al., Rarest first and choke algorithms are enough, 2006',
      }),
      atMost('finished, the seed left after 1.3 copies, random order', few - 1, swarms.seedLeaves(few, 1.3, false), {
        unit: 'peers',
        source: 'Legout et al., 2006',
      }),
    ],
    series: [
      finishedOver('all contribute', crowd.times(), peers),
      finishedOver('contributors among free riders', contributing ?? [], contributing?.length ?? 0),
      finishedOver('free riders', free ?? [], free?.length ?? 0),
    ],
    traceHash: swarms.trace.hex,
  };
}

/** Share of the peers that have the file, over time. */
function finishedOver(name: string, times: readonly number[], peers: number): Series {
  const x = [...times].sort((a, b) => a - b);
  return { name, axes: ['seconds', 'share finished'], x, y: x.map((_, i) => (i + 1) / Math.max(1, peers)) };
}

export const bittorrent: Model = {
  name: 'bittorrent',
  system: 'BitTorrent',
  teaches:
    'Who gives gets: tit for tat and rarest first bring a swarm near the least possible time, and it outlives its tracker.',
  servents: 24,
  seconds: 6_000,
  bounds: { servents: [2, PEERS_MOST] },
  parameters: {
    seedUplink: {
      value: 10,
      range: [0.1, 1000],
      unit: 'uplinks of a peer',
      meaning: 'uplink of the seed; a peer’s sends the file in 1000 s',
    },
    downlink: { value: 20, range: [0.1, 1000], unit: 'uplinks of a peer', meaning: 'downlink of each peer' },
    pieces: { value: 128, range: [1, 10000], whole: true, unit: 'pieces', meaning: 'of the file, each of two blocks' },
    neighbours: {
      value: 15,
      range: [1, 200],
      whole: true,
      unit: 'peers',
      meaning: 'that a peer looks for; it takes twice as many',
    },
    freeRiders: { value: 0.2, range: [0, 1], unit: 'share', meaning: 'peers that upload nothing, where there are any' },
    rarestFirst: {
      value: 1,
      range: [0, 1],
      whole: true,
      unit: '0 or 1',
      meaning: 'pieces in order of their rarity, not at random',
    },
    endGame: {
      value: 1,
      range: [0, 1],
      whole: true,
      unit: '0 or 1',
      meaning: 'the last blocks are asked for everywhere',
    },
    pex: {
      value: 1,
      range: [0, 1],
      whole: true,
      unit: '0 or 1',
      meaning: 'neighbours tell each other of theirs every minute',
    },
  },
  run,
};
