// CAN: zones of a torus of d dimensions; each hop goes to the neighbour nearest to the point, so that paths grow with the d-th root of N.
import { log2, power } from '../exact-math.ts';
import { CanNodes } from '../keys/can-nodes.ts';
import {
  ACK_MS,
  announcedIn,
  failSome,
  growth,
  lookUps,
  lookUpsInUnrest,
  memberOf,
  SESSION_MINUTES,
  searchesOf,
} from '../keys/look-ups.ts';
import { atLeast, equal, type Measure, near, SHARE } from '../measure.ts';
import type { Model, Outcome, Run } from '../model.ts';
import { fitLine, mean } from '../statistics.ts';
import { TraceHash } from '../trace-hash.ts';
import type { SharedFiles } from '../workload/shared-files.ts';

const PAPER = 'Ratnasamy et al. 2001';

interface Built {
  readonly dimensions?: number;
  readonly ackMs?: number;
  readonly files?: SharedFiles;
  readonly founders?: number;
}

function build({ random, parameters }: Run, nodes: number, options: Built = {}): CanNodes {
  return new CanNodes({ nodes, random, dimensions: parameters['dimensions'] ?? 2, ...options });
}

/** The paper's section 2.2: mean path of equal zones. */
const path = (dimensions: number, nodes: number): number => (dimensions / 4) * power(nodes, 1 / dimensions);

function paths({ servents, ...run }: Run): Measure[] {
  return [2, 3, 4].map(dimensions => {
    const { hops } = lookUps(build({ servents, ...run }, servents, { dimensions }), 1000, run.random);
    const source = `${PAPER}, section 2.2: (d/4) N^(1/d)`;
    return near(`path in ${dimensions} dimensions to (d/4) N^(1/d)`, 1, 0.25, hops / path(dimensions, servents), {
      ...SHARE,
      source,
    });
  });
}

/** Share of the torus that members own, and of look-ups that are right. */
function soundness(can: CanNodes, run: Run): { owned: number; right: number } {
  const { network } = can;
  let owned = 0;
  for (const [zone, owner] of can.owner.entries())
    if (owner >= 0 && can.isMember(owner)) owned += can.zones.volume(zone);
  const probes = Array.from({ length: 200 }, () => can.probe(memberOf(can, run.random), run.random.next()));
  network.run(network.now + 20_000);
  return { owned, right: mean(probes.map(({ isRight }) => (isRight ? 1 : 0))) };
}

/** All nodes but one join by messages; then some fail, one after the other. */
function arrivals(run: Run, trace: TraceHash): Measure[] {
  const { random } = run;
  const can = build(run, 100, { ackMs: ACK_MS, founders: 1 });
  const { network } = can;
  can.keepUp();
  for (let node = 1; node < 100; node++) {
    can.join(node, memberOf(can, random));
    network.run(network.now + 5_000);
  }
  const joined = soundness(can, run);
  failSome(can, 20, random, 150_000);
  const failed = soundness(can, run);
  trace.addText(network.trace.hex);
  return [
    equal('part of the torus that members own after joins', 1, joined.owned, {
      ...SHARE,
      source: `${PAPER}, section 2.2: a zone is split in half`,
    }),
    equal('look-ups right after joins', 1, joined.right, { ...SHARE, source: `${PAPER}, section 2.2` }),
    equal('part of the torus that members own after 20 of 100 failed', 1, failed.owned, {
      ...SHARE,
      source: `${PAPER}, section 2.3: takeover`,
    }),
    equal('look-ups right after that', 1, failed.right, { ...SHARE, source: `${PAPER}, section 2.3` }),
  ];
}

function run(run: Run): Outcome {
  const { random, servents, parameters } = run;
  const trace = new TraceHash();
  const dimensions = parameters['dimensions'] ?? 2;
  const sizes = [64, 16, 4, 1].map(part => Math.max(16, Math.round(servents / part)));
  const { series } = growth('look-ups', sizes, log2, nodes => build(run, nodes), random);
  const { slope } = fitLine(sizes.map(log2), series.y.map(log2));
  const largest = build(run, servents);
  const neighbours = mean(Array.from({ length: servents }, (_, node) => largest.neighboursOf(node).length));
  const { placed, found } = announcedIn(build, run, trace);
  const inUnrest = lookUpsInUnrest(build(run, 100, { ackMs: ACK_MS }), run, trace);
  return {
    measures: [
      ...paths(run),
      near('power of N that paths grow with', 1 / dimensions, 0.08, slope, {
        source: `${PAPER}, section 2.2: N^(1/d)`,
      }),
      near('neighbours of a node', 2 * dimensions, 1.2, neighbours, {
        unit: 'nodes',
        source: `${PAPER}, section 2.2: 2 d with equal zones`,
      }),
      equal('announcements at the node of the point', 1, placed, { ...SHARE, source: PAPER }),
      equal('searches that found their file', 1, found, { ...SHARE, source: PAPER }),
      ...arrivals(run, trace),
      atLeast('look-ups right while nodes come and go', 0.85, inUnrest, {
        ...SHARE,
        source: 'aim: the zones of a failed node are without an owner until takeover',
      }),
    ],
    series: [series],
    traceHash: trace.hex,
  };
}

export const can: Model = {
  name: 'can',
  system: 'CAN, a content-addressable network',
  teaches:
    'The state of a node does not grow with N, only with the dimensions, and paths grow with the d-th root of N.',
  servents: 4096,
  seconds: 900,
  parameters: {
    dimensions: { value: 2, range: [1, 8], whole: true, unit: 'dimensions', meaning: 'of the torus: d' },
    sessionMinutes: SESSION_MINUTES,
  },
  run,
  searches: searchesOf(build),
};
