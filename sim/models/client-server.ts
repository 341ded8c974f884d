// A file for N peers: from one server, and from the server and the peers together. The time that each takes, measured over links of limited
// rate, beside the least time that is possible. Peers relay as Kumar and Ross describe ("Peer-assisted file distribution: the minimum
// distribution time", 2006): each gets a stripe of the file from the server and passes it to all others; the rest comes from the server.
import { FluidLinks } from '../fluid-links.ts';
import { atMost, equal, type Measure, near } from '../measure.ts';
import type { Model, Outcome, Run, Series } from '../model.ts';
import { Network } from '../network.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { fitLine } from '../statistics.ts';
import { TraceHash } from '../trace-hash.ts';

const HOUR = 3_600_000;
/** Each peer has a connection to each: more would take long to simulate. */
const PEERS_MOST = 60;
const SOURCE = 'lecture: time to distribute a file (Kurose and Ross, section 2.5)';

/** In files an hour. */
export interface Rates {
  readonly server: number;
  readonly uplinks: readonly number[];
  readonly downlink: number;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Hours: max{N·F/us, F/dmin}. */
export function serverTime({ server, uplinks, downlink }: Rates): number {
  return Math.max(uplinks.length / server, 1 / downlink);
}

/** Hours: max{F/us, F/dmin, N·F/(us + Σui)}. */
export function peerTime({ server, uplinks, downlink }: Rates): number {
  return Math.max(1 / server, 1 / downlink, uplinks.length / (server + sum(uplinks)));
}

/** Peers 0 to N - 1 and the server N. */
class Distribution {
  readonly network: Network<never>;
  readonly links: FluidLinks;
  readonly server: number;
  /** Share of the file that each peer has. */
  readonly #has: Float64Array;
  finished = 0;

  constructor({ server, uplinks, downlink }: Rates, random: SeededRandom) {
    this.server = uplinks.length;
    this.#has = new Float64Array(uplinks.length);
    this.network = new Network({ nodes: uplinks.length + 1, random });
    const perSecond = [...uplinks, server].map(rate => rate / 3600);
    this.links = new FluidLinks(this.network, { up: perSecond, down: perSecond.map(() => downlink / 3600) });
  }

  #send(from: number, to: number, share: number, onDone: () => void = () => undefined): void {
    this.links.send(from, to, share, () => {
      this.network.trace.add(from);
      this.network.trace.add(to);
      this.#has[to] = (this.#has[to] ?? 0) + share;
      if ((this.#has[to] ?? 0) > 1 - 1e-9) this.finished++;
      onDone();
    });
  }

  fromServer(): void {
    for (const peer of this.#has.keys()) this.#send(this.server, peer, 1);
  }

  /** Each stripe goes in so many chunks; a chunk is relayed when all of it is there. */
  withPeers(rates: Rates, chunks: number): void {
    const peers = this.#has.length;
    const total = sum(rates.uplinks);
    const relayed = peers === 1 ? 1 : Math.min(1, (total * peerTime(rates)) / (peers - 1));
    for (const [peer, uplink] of rates.uplinks.entries()) {
      const chunk = (relayed * uplink) / total / chunks;
      for (let i = 0; i < chunks; i++)
        this.#send(this.server, peer, chunk, () => {
          for (let other = 0; other < peers; other++) if (other !== peer) this.#send(peer, other, chunk);
        });
      if (relayed < 1) this.#send(this.server, peer, 1 - relayed);
    }
  }

  /** Until all have all, or the server fails at that hour. Hours that it took. */
  run(failsAt = Number.POSITIVE_INFINITY): number {
    this.network.run(failsAt * HOUR);
    this.links.cut(this.server);
    this.network.run();
    return this.network.now / HOUR;
  }
}

function run({ servents, parameters, random, onProgress }: Run): Outcome {
  const { server = 10, downlink = 20, chunks = 20 } = parameters;
  const trace = new TraceHash();
  const time = (rates: Rates, how: 'server' | 'peers', failsAt?: number): { hours: number; finished: number } => {
    const distribution = new Distribution(rates, random.fork());
    if (how === 'server') distribution.fromServer();
    else distribution.withPeers(rates, chunks);
    const hours = distribution.run(failsAt);
    trace.addText(distribution.network.trace.hex);
    return { hours, finished: distribution.finished };
  };
  const alike = (peers: number): Rates => ({ server, downlink, uplinks: new Array<number>(peers).fill(1) });

  const most = servents;
  const counts = [1, 2, 5, 10, 15, 20, 25, 30, 35, 40, 50, 60].filter(count => count < most).concat(most);
  const points = counts.map((count, i) => {
    onProgress(i / counts.length);
    return { server: time(alike(count), 'server').hours, peers: time(alike(count), 'peers').hours };
  });
  const ofServer = points.map(point => point.server);
  const ofPeers = points.map(point => point.peers);

  const labels = { unit: 'hours', source: SOURCE };
  const close = (name: string, expected: number, measured: number): Measure =>
    near(name, expected, expected / 20, measured, labels);
  const shown = [...counts.entries()].filter(([, count]) => [1, 10, 30].includes(count) || count === most);
  // each of the three terms is the largest one once
  const mixed = { ...alike(20), uplinks: Array.from({ length: 20 }, () => random.logNormal(1, 0.7)) };
  const slowServer = { ...alike(20), server: 0.5 };
  const slowPeers = { ...alike(20), downlink: 0.8 };
  const mostHours = Math.max(1, 1 / server, 1 / downlink);
  const failsAt = serverTime(alike(most)) / 2;
  const byFormula = counts.map(alike).map(serverTime);
  const slope = fitLine(counts, byFormula).slope;
  return {
    measures: [
      ...shown.map(([i, n]) => close(`from the server, ${n} peers`, serverTime(alike(n)), ofServer[i] ?? 0)),
      ...shown.map(([i, n]) => close(`with the peers, ${n} peers`, peerTime(alike(n)), ofPeers[i] ?? 0)),
      near('growth from the server', slope, slope / 20, fitLine(counts, ofServer).slope, {
        unit: 'hours a peer',
        source: SOURCE,
      }),
      atMost('with the peers, whatever their number', mostHours * 1.05, Math.max(...ofPeers), labels),
      close('with the peers, uplinks that differ', peerTime(mixed), time(mixed, 'peers').hours),
      close('with the peers, uplink of the server is least', peerTime(slowServer), time(slowServer, 'peers').hours),
      close('with the peers, downlinks are least', peerTime(slowPeers), time(slowPeers, 'peers').hours),
      equal('finished though the server fails, from it alone', 0, time(alike(most), 'server', failsAt).finished, {
        unit: 'peers, it fails after half of its time',
        source: SOURCE,
      }),
      equal('finished though the server fails, with the peers', most, time(alike(most), 'peers', failsAt).finished, {
        unit: 'peers, it fails at the same hour',
        source: SOURCE,
      }),
    ],
    series: [
      curve('from the server', counts, ofServer),
      curve('from the server, by formula', counts, byFormula),
      curve('with the peers', counts, ofPeers),
      curve('with the peers, by formula', counts, counts.map(alike).map(peerTime)),
    ],
    traceHash: trace.hex,
  };
}

function curve(name: string, x: readonly number[], y: readonly number[]): Series {
  return { name, axes: ['peers', 'hours'], x, y };
}

export const clientServer: Model = {
  name: 'client-server',
  system: 'A file server, and peers that relay',
  teaches:
    'The time to give a file to all grows with their number from a server, and stays bounded when they pass it on.',
  servents: 35,
  seconds: 3_600,
  bounds: { servents: [1, PEERS_MOST], seconds: null },
  parameters: {
    server: {
      value: 10,
      range: [0.1, 1000],
      unit: 'uplinks of a peer',
      meaning: 'uplink of the server, us; a peer sends the file in one hour',
    },
    downlink: { value: 20, range: [0.1, 1000], unit: 'uplinks of a peer', meaning: 'downlink of each peer, dmin' },
    chunks: {
      value: 20,
      range: [1, 1000],
      whole: true,
      unit: 'chunks',
      meaning: 'in how many pieces a peer’s stripe of the file is relayed',
    },
  },
  run,
};
