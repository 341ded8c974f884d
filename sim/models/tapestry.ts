// Tapestry: announcements leave pointers on their way to the root of a key, and searches on their way to it end at the first pointer.
import { log2 } from '../exact-math.ts';
import { drawIdentifiers } from '../keys/identifiers.ts';
import {
  ACK_MS,
  announceAndSearch,
  failSome,
  growth,
  joinAll,
  lookUps,
  lookUpsInUnrest,
  memberOf,
  SEARCHES,
  SESSION_MINUTES,
  searchesIn,
  searchesOf,
} from '../keys/look-ups.ts';
import { Plane } from '../keys/plane.ts';
import { Digits } from '../keys/prefix-tables.ts';
import { TapestryNodes, type TapestryOptions } from '../keys/tapestry-nodes.ts';
import { atLeast, atMost, equal, type Measure, near, SHARE } from '../measure.ts';
import type { Model, Outcome, Run } from '../model.ts';
import { mean } from '../statistics.ts';
import { TraceHash } from '../trace-hash.ts';
import { costsOf } from '../workload/search-costs.ts';
import { SharedFiles } from '../workload/shared-files.ts';

const PAPER = 'Zhao et al. 2004';

type Built = Pick<TapestryOptions, 'ackMs' | 'files' | 'founders'>;

function build({ random, parameters }: Run, nodes: number, options: Built = {}): TapestryNodes {
  const { latencyMs } = new Plane(nodes, random.fork());
  const bits = parameters['bits'] ?? 4;
  const digits = new Digits(bits, Math.floor(32 / bits));
  return new TapestryNodes({ ids: drawIdentifiers(nodes, random.fork()), random, digits, latencyMs, ...options });
}

/** Files are announced, found by pointers, withdrawn; roots fail and announcements are repeated. */
function objects(run: Run, trace: TraceHash): Measure[] {
  const { random } = run;
  const files = new SharedFiles({ peers: 300, random: random.fork(), files: 100 });
  const tapestry = build(run, 300, { ackMs: ACK_MS, files });
  const { network } = tapestry;
  const { placed, found } = announceAndSearch(tapestry);
  network.resetCounts();
  const byPointer = tapestry.files?.search(SEARCHES).slice(-SEARCHES) ?? [];
  const atRoot = build(run, 300, { files });
  const costs = searchesIn(atRoot);
  const timeByPointer = costsOf(network, byPointer).latencyMs;
  const withdrawn = files.holders[0] ?? [];
  for (const holder of withdrawn) tapestry.files?.withdraw(holder, 0);
  network.run();
  const left = Array.from(tapestry.ids.keys()).filter(
    node => (tapestry.files?.holdersAt(node, 0).length ?? 0) > 0,
  ).length;
  trace.addText(network.trace.hex);
  return [
    equal('announcements at the root of the key', 1, placed, { ...SHARE, source: `${PAPER}, section III-B: publish` }),
    equal('searches that found their file', 1, found, { ...SHARE, source: `${PAPER}, section III-B: locate` }),
    atMost('time of a search by pointers to one by way of the root', 0.9, timeByPointer / costs.latencyMs, {
      ...SHARE,
      source: `${PAPER}, section III-B: pointers on the way`,
    }),
    equal('pointers left once a file is unpublished', 0, left, { source: `${PAPER}, section III-B: unpublish` }),
  ];
}

/** Nodes join a network of four, then a fifth of all fails. */
function arrivals(run: Run, trace: TraceHash): Measure[] {
  const { random } = run;
  const tapestry = build(run, 100, { ackMs: ACK_MS, founders: [10, 30, 60, 80] });
  const { network } = tapestry;
  tapestry.keepUp();
  joinAll(tapestry, random, 3_000);
  network.run(network.now + 60_000);
  const look = (): number => {
    const probes = Array.from({ length: 200 }, () => tapestry.probe(memberOf(tapestry, random), random.next()));
    network.run(network.now + 10_000);
    return mean(probes.map(({ isRight }) => (isRight ? 1 : 0)));
  };
  const arrived = look();
  failSome(tapestry, 20, random);
  network.run(network.now + 300_000);
  const departed = look();
  trace.addText(network.trace.hex);
  return [
    equal('look-ups that end at the one root after arrivals', 1, arrived, {
      ...SHARE,
      source: `${PAPER}, section IV-A: node insertion`,
    }),
    equal('the same after 20 of 100 nodes failed', 1, departed, {
      ...SHARE,
      source: `${PAPER}, section IV-B: node deletion`,
    }),
  ];
}

function run(run: Run): Outcome {
  const { random, servents, parameters } = run;
  const trace = new TraceHash();
  const logarithm = (nodes: number): number => log2(nodes) / (parameters['bits'] ?? 4);
  const sizes = [16, 4, 1].map(part => Math.max(64, Math.round(servents / part)));
  const { line, series } = growth('look-ups', sizes, logarithm, nodes => build(run, nodes), random);
  const { right } = lookUps(build(run, servents), 400, random);
  const inUnrest = lookUpsInUnrest(build(run, 100, { ackMs: ACK_MS }), run, trace);
  return {
    measures: [
      equal('look-ups that end at the one root of the key', 1, right, {
        ...SHARE,
        source: `${PAPER}, section III-A: surrogate routing`,
      }),
      near('messages a look-up gains with each digit of N', 1, 0.25, line.slope, {
        unit: 'messages',
        source: `${PAPER}, section III-A: log N of the base`,
      }),
      ...objects(run, trace),
      ...arrivals(run, trace),
      atLeast('look-ups right while nodes come and go', 0.95, inUnrest, { ...SHARE, source: 'aim' }),
    ],
    series: [series],
    traceHash: trace.hex,
  };
}

export const tapestry: Model = {
  name: 'tapestry',
  system: 'Tapestry',
  teaches:
    'Each key has one root by surrogate routing, and pointers on the way to it let searches end near where they began.',
  servents: 4096,
  seconds: 600,
  parameters: {
    bits: { value: 4, range: [1, 8], whole: true, unit: 'bits', meaning: 'of a digit' },
    sessionMinutes: SESSION_MINUTES,
  },
  run,
  searches: searchesOf(build),
};
