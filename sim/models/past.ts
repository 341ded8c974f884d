// PAST: a store of files on Pastry; k replicas outlive failures, and diversion of replicas and files fills nearly all of the space.
import { log } from '../exact-math.ts';
import { drawIdentifiers } from '../keys/identifiers.ts';
import { ACK_MS, failSome, memberOf } from '../keys/look-ups.ts';
import { type PastMessage, PastStores } from '../keys/past-stores.ts';
import { PastryNodes } from '../keys/pastry-nodes.ts';
import { Plane } from '../keys/plane.ts';
import { atLeast, atMost, equal, type Measure, SHARE, told } from '../measure.ts';
import type { Model, Outcome, Run, Series } from '../model.ts';
import { TraceHash } from '../trace-hash.ts';

const PAPER = 'Rowstron and Druschel, SOSP 2001';
const MEGABYTE = 2 ** 20;
/** Sizes of files of the paper's web trace: median and mean, in bytes, and the largest one. */
const MEDIAN = 1_312;
const SIGMA = Math.sqrt(2 * log(10_517 / MEDIAN));
const LARGEST = 138 * MEGABYTE;
/** Bytes of all replicas that are offered, in units of the space; 1.5 in the paper, whose trace has more bytes in large files. */
const OFFERED = 1.2;

interface Built {
  readonly diverts: boolean;
  readonly ackMs?: number;
}

function build(
  { random, parameters }: Run,
  nodes: number,
  { diverts, ackMs = 0 }: Built,
): { pastry: PastryNodes<PastMessage>; past: PastStores } {
  const { latencyMs } = new Plane(nodes, random.fork());
  const pastry = new PastryNodes<PastMessage>({
    ids: drawIdentifiers(nodes, random.fork()),
    random,
    leaves: 32,
    latencyMs,
    ackMs,
  });
  const capacity = Float64Array.from(
    { length: nodes },
    () => MEGABYTE * Math.min(51, Math.max(2, 27 + 10.8 * random.normal())),
  );
  const k = parameters['k'] ?? 5;
  const [primaryShare, divertedShare] = diverts
    ? [parameters['primaryShare'] ?? 0.1, parameters['divertedShare'] ?? 0.05]
    : [1, 0];
  const retries = diverts ? (parameters['retries'] ?? 3) : 0;
  return { pastry, past: new PastStores({ pastry, capacity, k, primaryShare, divertedShare, retries }) };
}

/** Inserts files of more bytes, with their replicas, than all nodes have. */
function fillUp(run: Run, diverts: boolean, trace: TraceHash): { past: PastStores; failed: number; series: Series } {
  const { random, servents, parameters } = run;
  const { pastry, past } = build(run, servents, { diverts });
  const sizes = random.fork();
  const room = (OFFERED * past.space) / (parameters['k'] ?? 5);
  const [x, y]: number[][] = [[], []];
  let [asked, file] = [0, 0];
  while (asked < room) {
    const size = Math.min(LARGEST, Math.ceil(sizes.logNormal(MEDIAN, SIGMA)));
    asked += size;
    past.insert(memberOf(pastry, random), file++, size);
    pastry.network.run();
    if (file % 1000 !== 0) continue;
    x?.push(past.utilisation);
    y?.push(1 - past.inserted.size / file);
  }
  trace.addText(pastry.network.trace.hex);
  const name = diverts ? 'refused, with diversion' : 'refused, without diversion';
  return {
    past,
    failed: 1 - past.inserted.size / file,
    series: { name, axes: ['utilisation', 'share of inserts refused'], x: x ?? [], y: y ?? [] },
  };
}

/** Files outlive nodes that fail one after the other, as each leaf set that changes leads to new replicas. */
function failures(run: Run, trace: TraceHash): Measure[] {
  const { random } = run;
  const files = 200;
  const { pastry, past } = build(run, 60, { diverts: true, ackMs: ACK_MS });
  const { network } = pastry;
  for (let file = 0; file < files; file++) past.insert(random.below(60), file, 1_000);
  network.run();
  pastry.keepUp();
  const search = (): number => {
    past.found.clear();
    for (let file = 0; file < files; file++) past.lookUp(memberOf(pastry, random), file);
    network.run(network.now + 10_000);
    return past.found.size / files;
  };
  const before = search();
  failSome(pastry, 20, random, 120_000);
  const oneByOne = search();
  const k = run.parameters['k'] ?? 5;
  const root = memberOf(pastry, random);
  for (const node of pastry.closestLeaves(root, pastry.ids[root] ?? 0, 3 * k)) network.fail(node);
  network.run(network.now + 120_000);
  const atOnce = search();
  trace.addText(network.trace.hex);
  return [
    equal('files found', 1, before, { ...SHARE, source: PAPER }),
    equal('files found after 20 of 60 nodes failed, one each two minutes', 1, oneByOne, {
      ...SHARE,
      source: `${PAPER}, section 3.5: replicas are kept up`,
    }),
    atMost('files found after 3 k adjacent nodes failed at once', 0.99, atOnce, {
      ...SHARE,
      source: 'by construction: all k replicas of some files are gone',
    }),
  ];
}

function run(run: Run): Outcome {
  const trace = new TraceHash();
  const filled = fillUp(run, true, trace);
  const plain = fillUp(run, false, trace);
  return {
    measures: [
      atLeast('space used', 0.95, filled.past.utilisation, {
        ...SHARE,
        source: `${PAPER}, section 5.1: more than 0.95 at the end`,
      }),
      atMost('inserts refused', 0.05, filled.failed, {
        ...SHARE,
        source: `${PAPER}, table 2: 2.8 % with leaf sets of 32`,
      }),
      atMost('space used without diversion', 0.75, plain.past.utilisation, {
        ...SHARE,
        source: `${PAPER}, section 5.1: 0.608`,
      }),
      atLeast('inserts refused without diversion', 0.3, plain.failed, {
        ...SHARE,
        source: `${PAPER}, section 5.1: 51.1 % of a trace larger than the space`,
      }),
      told('file diversions', filled.past.fileDiversions, { source: 'this run' }),
      told('replica diversions', filled.past.replicaDiversions, { source: 'this run' }),
      ...failures(run, trace),
    ],
    series: [filled.series, plain.series],
    traceHash: trace.hex,
  };
}

export const past: Model = {
  name: 'past',
  system: 'PAST, a store on Pastry',
  teaches:
    'Full nodes pass replicas to leaves, and full regions pass files to others, so that nearly all of the space is used.',
  servents: 32,
  seconds: 60,
  bounds: { seconds: null },
  parameters: {
    k: { value: 5, range: [1, 16], whole: true, unit: 'replicas', meaning: 'of a file' },
    primaryShare: {
      value: 0.1,
      range: [0, 1],
      unit: 'share',
      meaning: 'of its free space that a node gives to a replica at most: t_pri',
    },
    divertedShare: { value: 0.05, range: [0, 1], unit: 'share', meaning: 'the same for a diverted replica: t_div' },
    retries: { value: 3, range: [0, 100], whole: true, unit: 'keys', meaning: 'other keys that are tried for a file' },
  },
  run,
};
