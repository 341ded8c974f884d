// Tapestry: announcements leave pointers on their way to the root of a key, and searches on their way to it end at the first pointer.
import { log2 } from '../exact-math.ts';
import { drawIdentifiers } from '../keys/identifiers.ts';
import {
  announceAndSearch,
  growth,
  lookUps,
  lookUpsInUnrest,
  memberOf,
  SEARCHES,
  searchesIn,
} from '../keys/look-ups.ts';
import { Plane } from '../keys/plane.ts';
import { Digits } from '../keys/prefix-tables.ts';
import { TapestryNodes } from '../keys/tapestry-nodes.ts';
import { atLeast, atMost, equal, type Measure, near } from '../measure.ts';
import type { Model, Outcome, Run } from '../model.ts';
import { mean } from '../statistics.ts';
import { TraceHash } from '../trace-hash.ts';
import { costsOf, type SearchCosts } from '../workload/search-costs.ts';
import { SharedFiles } from '../workload/shared-files.ts';

const PAPER = 'Zhao et al. 2004';
const SHARE = { unit: 'share' };
const ACK_MS = 500;

interface Built {
  readonly ackMs?: number;
  readonly files?: SharedFiles;
  readonly founders?: number[];
}

function build({ random, parameters }: Run, nodes: number, { ackMs = 0, files, founders }: Built = {}): TapestryNodes {
  const { latencyMs } = new Plane(nodes, random.fork());
  const bits = parameters['bits'] ?? 4;
  const digits = new Digits(bits, Math.floor(32 / bits));
  const founding = founders === undefined ? {} : { founders };
  return new TapestryNodes({
    ids: drawIdentifiers(nodes, random.fork()),
    random,
    digits,
    latencyMs,
    ackMs,
    files,
    ...founding,
  });
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
  for (const node of random.shuffle(Array.from({ length: 100 }, (_, i) => i).filter(i => !tapestry.isMember(i)))) {
    tapestry.join(node, memberOf(tapestry, random));
    network.run(network.now + 3_000);
  }
  network.run(network.now + 60_000);
  const look = (): number => {
    const probes = Array.from({ length: 200 }, () => tapestry.probe(memberOf(tapestry, random), random.next()));
    network.run(network.now + 10_000);
    return mean(probes.map(({ isRight }) => (isRight ? 1 : 0)));
  };
  const arrived = look();
  for (const node of random.sample(
    Array.from({ length: 100 }, (_, i) => i),
    20,
  ))
    network.fail(node);
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
  const unrest = build(run, 100, { ackMs: ACK_MS });
  unrest.keepUp();
  const meanUpMs = 60_000 * (parameters['sessionMinutes'] ?? 60);
  const inUnrest = lookUpsInUnrest(unrest, { random, seconds: run.seconds, meanUpMs });
  trace.addText(unrest.network.trace.hex);
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

function searches(run: Run): SearchCosts {
  const { random, servents } = run;
  return searchesIn(build(run, servents, { files: new SharedFiles({ peers: servents, random: random.fork() }) }));
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
    sessionMinutes: {
      value: 60,
      range: [1, 100000],
      unit: 'min',
      meaning: 'mean time that a node stays; it is away for a quarter of that',
    },
  },
  run,
  searches,
};
