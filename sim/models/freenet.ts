// Freenet: a request goes to the node that is known for the nearest key, comes back when it can go no further, and takes another way while its
// hops to live last; what is found is kept by every node on the way back (Clarke, Sandberg, Wiley and Hong 2000).
import { type Found, FreenetNetwork } from '../freenet/freenet-network.ts';
import { atLeast, atMost, near, told } from '../measure.ts';
import type { Model, Outcome, Run } from '../model.ts';
import { mean, quantile } from '../statistics.ts';
import { costsOf, type SearchCosts } from '../workload/search-costs.ts';
import { SharedFiles } from '../workload/shared-files.ts';

const SEARCHES = 200;
const CLARKE = 'Clarke et al. 2000, section 5';
const PROBE_HTL = 500;

function searches(run: Run): SearchCosts {
  const { htl = 20, links = 8 } = run.parameters;
  const freenet = new FreenetNetwork(run);
  freenet.startAsSmallWorld(links, run.random.fork());
  const files = new SharedFiles({ peers: run.servents, random: run.random.fork() });
  const wanted = files.searches(SEARCHES);
  // those that nobody asks for are left out: the copies that an insert leaves push none out, as a node has room for more
  for (const file of new Set(wanted.map(({ file }) => file)))
    freenet.request(files.holders[file]?.[0] ?? 0, file, htl, { inserts: true });
  freenet.network.resetCounts();
  freenet.outcomes.length = 0;
  for (const { from, file } of wanted) freenet.request(from, file, htl);
  return costsOf(freenet.network, freenet.outcomes);
}

function run(run: Run): Outcome {
  const { htl = 20, steps = 5000, files: room = 50, references = 250 } = run.parameters;
  const freenet = new FreenetNetwork(run);
  const { network, nodes } = freenet;
  freenet.startAsRing();
  const random = run.random.fork();
  const someone = (): number => {
    for (;;) {
      const node = random.below(run.servents);
      if (network.isUp(node)) return node;
    }
  };
  let inserted = 0;
  const probe = (count: number): Found[] =>
    Array.from({ length: count }, () =>
      freenet.request(someone(), random.below(inserted), PROBE_HTL, { leavesCopies: false }),
    );
  const pathOf = (probes: readonly Found[]): number =>
    quantile(
      probes.map(({ hops }) => hops),
      0.5,
    );
  const times: number[] = [];
  const paths: number[] = [];
  let probes: Found[] = [];
  let longest = 0;
  for (let step = 1; step <= steps; step++) {
    if (inserted === 0 || random.chance(0.5)) freenet.request(someone(), inserted++, htl, { inserts: true });
    else longest = Math.max(longest, freenet.request(someone(), random.below(inserted), htl).hops);
    if (step % Math.ceil(steps / 10) !== 0 && step !== 100 && step !== steps) continue;
    probes = probe(step === steps ? 100 : 40);
    times.push(step);
    paths.push(pathOf(probes));
    run.onProgress((0.9 * step) / steps);
  }
  const popular = inserted++;
  freenet.request(someone(), popular, htl, { inserts: true });
  const copiesBefore = freenet.copies(popular);
  const asked = Array.from({ length: 200 }, () => freenet.request(someone(), popular, htl).hops);
  const copiesAfter = freenet.copies(popular);
  for (const node of random.sample([...nodes.keys()], Math.round(0.3 * run.servents))) network.fail(node);
  const survivors = probe(100);
  const labels = { unit: 'hops', source: CLARKE };
  return {
    measures: [
      atLeast('median path after 100 steps', 50, paths[0] ?? 0, labels),
      near('median path in the end', 6, 3, paths.at(-1) ?? 0, labels),
      told('share of probes in the end that find the file', mean(probes.map(({ found }) => Number(found))), {
        source: 'this run: files that nobody asks for are pushed out',
      }),
      atMost('hops of a request', htl, longest, { unit: 'hops', source: 'hops to live' }),
      atMost('files of a node', room, Math.max(...nodes.map(({ files }) => files)), { unit: 'files', source: CLARKE }),
      atMost('references of a node', references, Math.max(...nodes.map(node => node.references)), {
        unit: 'nodes',
        source: CLARKE,
      }),
      atLeast('copies after 200 requests, to those before', 2, copiesAfter / copiesBefore, {
        unit: 'ratio',
        source: `${CLARKE}: files are copied to where they are asked for`,
      }),
      atMost('mean hops of the last 50 of these', 4, mean(asked.slice(-50)), labels),
      told('mean hops of the first 50 of these', mean(asked.slice(0, 50)), labels),
      atMost('median path when 30 % of the nodes are gone', 20, pathOf(survivors), labels),
    ],
    series: [{ name: 'learning', axes: ['requests and inserts', 'median path, hops'], x: times, y: paths }],
    traceHash: network.trace.hex,
  };
}

export const freenet: Model = {
  name: 'freenet',
  system: 'Freenet',
  teaches:
    'Nodes that remember who had which key learn to route, and copies move to where they are asked for; nothing is sure to be kept.',
  servents: 1000,
  seconds: 60,
  bounds: { seconds: null },
  parameters: {
    htl: { value: 20, range: [1, 1000], whole: true, unit: 'hops', meaning: 'hops to live of a request or insert' },
    steps: {
      value: 5000,
      range: [100, 1000000],
      whole: true,
      unit: 'requests',
      meaning: 'requests and inserts by which the network learns',
    },
    files: { value: 50, range: [1, 100000], whole: true, unit: 'files', meaning: 'that a node keeps' },
    references: { value: 250, range: [1, 100000], whole: true, unit: 'nodes', meaning: 'that a node remembers' },
    links: {
      value: 8,
      range: [0, 1000],
      whole: true,
      unit: 'links',
      meaning: 'to far nodes, where the shared searches start',
    },
  },
  run,
  searches,
};
