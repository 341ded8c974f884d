// Kademlia: distance by exclusive or, buckets that prefer old contacts, and look-ups of alpha requests at a time, so that a silent node costs little.
import { log2, power } from '../exact-math.ts';
import { drawIdentifiers } from '../keys/identifiers.ts';
import { KademliaNodes, type KademliaOptions } from '../keys/kademlia-nodes.ts';
import { announceAndSearch, growth, lookUps, lookUpsInUnrest, SESSION_MINUTES, searchesOf } from '../keys/look-ups.ts';
import { atLeast, atMost, equal, type Measure, near, SHARE } from '../measure.ts';
import type { Model, Outcome, Run } from '../model.ts';
import { mean } from '../statistics.ts';
import { TraceHash } from '../trace-hash.ts';
import { SharedFiles } from '../workload/shared-files.ts';

const PAPER = 'Maymounkov and Mazières 2002';

type Built = Partial<Pick<KademliaOptions, 'alpha' | 'files'>>;

function build({ random, parameters }: Run, nodes: number, options: Built = {}): KademliaNodes {
  const refreshMs = 1000 * (parameters['refreshSeconds'] ?? 300);
  const [k, alpha] = [parameters['k'] ?? 20, parameters['alpha'] ?? 3];
  return new KademliaNodes({ ids: drawIdentifiers(nodes, random.fork()), random, k, alpha, refreshMs, ...options });
}

/** Milliseconds of look-ups when so large a part of the nodes has just failed. */
function timeAmongFailed(run: Run, alpha: number, failed: number): number {
  const kademlia = build(run, 1000, { alpha });
  for (let node = 0; node < 1000; node++) if (run.random.chance(failed)) kademlia.network.fail(node);
  return lookUps(kademlia, 100, run.random).ms;
}

/** Values stored at k nodes each outlive the failure of half of all nodes. */
function halfFails(run: Run, trace: TraceHash): Measure[] {
  const { random } = run;
  const kademlia = build(run, 300, {
    files: new SharedFiles({ peers: 300, random: random.fork(), replicasPerPeer: 1 }),
  });
  const { placed, found } = announceAndSearch(kademlia);
  for (let node = 0; node < 300; node++) if (random.chance(0.5)) kademlia.network.fail(node);
  const { right } = lookUps(kademlia, 200, random);
  const before = kademlia.files?.outcomes.length ?? 0;
  const outcomes = kademlia.files?.search(400).slice(before) ?? [];
  const still = outcomes.filter((_, i) => kademlia.network.isUp(kademlia.files?.searchers[before + i] ?? 0));
  trace.addText(kademlia.network.trace.hex);
  return [
    equal('announcements at the closest node', 1, placed, { ...SHARE, source: `${PAPER}, section 2.3` }),
    equal('searches that found their file', 1, found, { ...SHARE, source: `${PAPER}, section 2.3` }),
    atLeast('look-ups right when half of the nodes have just failed', 0.99, right, {
      ...SHARE,
      source: `${PAPER}, section 2.2: timeouts, and k contacts in a bucket`,
    }),
    atLeast('searches that find their file then', 0.99, mean(still.map(outcome => (outcome.found ? 1 : 0))), {
      ...SHARE,
      source: `${PAPER}, section 3: lost only when all k fail, 2^-k`,
    }),
  ];
}

/** Bits of a key that an answer settles: that of the bucket, and those that the best of its k contacts happens to share besides. */
function bitsPerAnswer(k: number): number {
  let bits = 1;
  for (let more = 1; more <= 32; more++) bits += 1 - power(1 - power(2, -more), k);
  return bits;
}

function run(run: Run): Outcome {
  const { random, servents, parameters } = run;
  const trace = new TraceHash();
  const sizes = [64, 16, 4, 1].map(part => Math.max(32, Math.round(servents / part)));
  const { line, series, last } = growth('look-ups', sizes, log2, nodes => build(run, nodes), random);
  const { right } = lookUps(build(run, servents), 200, random);
  const bits = bitsPerAnswer(parameters['k'] ?? 20);
  const source = `${PAPER}, section 3: log N; the best of k contacts has ${bits.toFixed(1)} bits more right`;
  const [one, many] = [timeAmongFailed(run, 1, 0.3), timeAmongFailed(run, parameters['alpha'] ?? 3, 0.3)];
  const inUnrest = lookUpsInUnrest(build(run, 150), run, trace);
  return {
    measures: [
      near('requests one after the other', log2(servents) / bits, 0.5, last, { unit: 'requests', source }),
      near('requests gained with each doubling', 1 / bits, 0.05, line.slope, { unit: 'requests', source }),
      atLeast('fit of log2 N', 0.9, line.r2, { unit: 'r²', source: `${PAPER}, section 3: O(log N)` }),
      equal('look-ups that end at the closest node', 1, right, { ...SHARE, source: `${PAPER}, section 3` }),
      ...halfFails(run, trace),
      atMost('time with alpha to time with one request at a time, 30 % of the nodes silent', 0.7, many / one, {
        ...SHARE,
        source: `${PAPER}, section 2.3: alpha requests at a time avoid waiting for timeouts`,
      }),
      atLeast('look-ups right while nodes come and go', 0.98, inUnrest, { ...SHARE, source: 'aim' }),
    ],
    series: [series],
    traceHash: trace.hex,
  };
}

export const kademlia: Model = {
  name: 'kademlia',
  system: 'Kademlia, as in the DHTs of eMule and BitTorrent',
  teaches:
    'A symmetric distance lets every message teach contacts; asking alpha nodes at a time makes silent ones cheap.',
  servents: 4096,
  seconds: 600,
  parameters: {
    k: {
      value: 20,
      range: [1, 100],
      whole: true,
      unit: 'nodes',
      meaning: 'contacts in a bucket, and nodes that keep a value',
    },
    alpha: { value: 3, range: [1, 100], whole: true, unit: 'requests', meaning: 'of a look-up at one time' },
    refreshSeconds: { value: 300, range: [10, 86400], unit: 's', meaning: 'between two refreshed buckets of a node' },
    sessionMinutes: SESSION_MINUTES,
  },
  run,
  searches: searchesOf(build),
};
