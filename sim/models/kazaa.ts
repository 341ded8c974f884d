// Kazaa (FastTrack): super-peers know the files of a few hundred descendants each, and search among themselves; files come in ranges from
// several peers at once, and a source that stops is replaced.
import { atLeast, atMost, equal, type Measure, near, told } from '../measure.ts';
import type { Model, Outcome, Run } from '../model.ts';
import { Network } from '../network.ts';
import { DESCENDANTS_MOST, SuperPeers } from '../super-peers.ts';
import { RangeDownload, type RangeMessage } from '../transfer/range-download.ts';
import { costsOf, type SearchCosts } from '../workload/search-costs.ts';

const SEARCHES = 200;
const LECTURE = 'lecture: Kazaa, super-peers';
const PARALLEL = 'lecture: Kazaa, parallel downloads and automatic recovery';
/** A file of 64 ranges, each of which a source sends in 10 s. */
const RANGES = 64;
const RANGE_MS = 10_000;
const PATIENCE_MS = 3 * RANGE_MS;

function searches(run: Run): SearchCosts {
  const kazaa = new SuperPeers(run);
  kazaa.search(SEARCHES);
  return costsOf(kazaa.network, kazaa.outcomes);
}

interface Fetched {
  readonly ms: number;
  readonly missing: number;
  readonly repeated: number;
  readonly traceHash: string;
}

/** Fetches from the first sources; `stopping` of them stop after a third of the time that four take for all of it. */
function fetchFrom(
  run: Run,
  sources: readonly number[],
  parallel: number,
  stopping = 0,
  patienceMs = PATIENCE_MS,
): Fetched {
  const network = new Network<RangeMessage>({ nodes: run.servents, random: run.random.fork() });
  const downloader = Array.from({ length: run.servents }, (_, peer) => peer).find(peer => !sources.includes(peer)) ?? 0;
  const download = new RangeDownload({
    ...{ network, downloader, sources, parallel, patienceMs },
    ranges: RANGES,
    rangeMs: () => RANGE_MS,
  });
  network.after((RANGES * RANGE_MS) / 4 / 3, () => {
    for (const source of sources.slice(0, stopping)) network.fail(source);
  });
  download.start();
  network.run();
  const { missing, repeated, doneAt } = download;
  return { ms: doneAt ?? Number.POSITIVE_INFINITY, missing, repeated, traceHash: network.trace.hex };
}

function downloads(run: Run, holders: readonly number[]): { measures: Measure[]; traceHash: string } {
  const all = RANGES * RANGE_MS;
  const four = holders.slice(0, 4);
  const one = fetchFrom(run, four, 1);
  const parallel = fetchFrom(run, four, 4);
  const stopped = fetchFrom(run, four, 4, 2);
  const replaced = fetchFrom(run, holders.slice(0, 6), 4, 2);
  const unrecovered = fetchFrom(run, four, 4, 2, Number.POSITIVE_INFINITY);
  const labels = { unit: 'ms', source: PARALLEL };
  // a third of the time passes with four sources, which bring a third; the two that are left bring two thirds
  const withTwo = all / 4 / 3 + (all * (2 / 3)) / 2;
  return {
    measures: [
      near('a file from one source', all, all / 20, one.ms, { unit: 'ms', source: 'ranges · time of a range' }),
      near('a file from four sources', all / 4, all / 4 / 20, parallel.ms, labels),
      atMost('the same when two of the four stop after a third', withTwo + PATIENCE_MS + RANGE_MS, stopped.ms, labels),
      atMost('the same with two more sources standing by', all / 4 + PATIENCE_MS + 2 * RANGE_MS, replaced.ms, labels),
      equal('ranges missing then', 0, stopped.missing + replaced.missing, { unit: 'ranges', source: PARALLEL }),
      equal('ranges that came twice', 0, stopped.repeated + replaced.repeated, { unit: 'ranges', source: PARALLEL }),
      equal('ranges missing for good without recovery', 2, unrecovered.missing, {
        unit: 'ranges',
        source: 'those that the two were asked for',
      }),
    ],
    traceHash: [one, parallel, stopped, replaced, unrecovered].map(fetched => fetched.traceHash).join(''),
  };
}

const shareFound = (kazaa: SuperPeers, first: number): number => {
  const outcomes = kazaa.outcomes.slice(first);
  return outcomes.filter(({ found }) => found).length / Math.max(1, outcomes.length);
};

function run(run: Run): Outcome {
  const kazaa = new SuperPeers(run);
  const { network, descendants, files, superPeers } = kazaa;
  kazaa.search(SEARCHES);
  const costs = costsOf(network, kazaa.outcomes);
  const fetched = downloads(run, files.holders[0] ?? []);
  network.trace.addText(fetched.traceHash);
  run.onProgress(0.5);
  kazaa.failSuperPeers(0.3);
  kazaa.search(SEARCHES);
  const orphaned = shareFound(kazaa, SEARCHES);
  kazaa.rejoin();
  const first = kazaa.outcomes.length;
  kazaa.search(SEARCHES);
  const loads = Array.from({ length: superPeers }, (_, peer) => descendants[peer] ?? 0);
  const perServent = { unit: 'messages', source: LECTURE };
  return {
    measures: [
      atLeast('success', 0.99, costs.success, { source: LECTURE }),
      atLeast('descendants of the super-peer with fewest', 200, Math.min(...loads), { unit: 'peers', source: LECTURE }),
      atMost('descendants of the one with most', DESCENDANTS_MOST, Math.max(...loads), {
        unit: 'peers',
        source: LECTURE,
      }),
      atMost('messages a search', (run.servents * 3 + 1) / 20, costs.messages, {
        unit: 'messages',
        source: 'a twentieth of a flood over all peers with four links, 3 N + 1',
      }),
      atMost('messages a search that the median peer takes', 0.1, costs.loadMedian, perServent),
      told('messages a search that the busiest super-peer takes', costs.loadMost, perServent),
      ...fetched.measures,
      atMost('success when 30 % of the super-peers are gone', 0.85, orphaned, {
        source: 'their descendants are cut off',
      }),
      atLeast('success when their descendants joined others', 0.97, shareFound(kazaa, first), { source: LECTURE }),
    ],
    series: [
      {
        name: 'descendants',
        axes: ['super-peer, by rank', 'descendants'],
        x: loads.map((_, i) => i + 1),
        y: loads.sort((a, b) => b - a),
      },
    ],
    traceHash: network.trace.hex,
  };
}

export const kazaa: Model = {
  name: 'kazaa',
  system: 'Kazaa (FastTrack)',
  teaches: 'Super-peers search for hundreds of weak peers, and downloads in ranges go on when a source stops.',
  servents: 3000,
  seconds: 60,
  bounds: { seconds: null },
  parameters: {
    descendants: {
      value: 300,
      range: [1, 500],
      whole: true,
      unit: 'peers',
      meaning: 'of a super-peer, on average; it takes 500 at most',
    },
    superLinks: { value: 40, range: [1, 1000], whole: true, unit: 'links', meaning: 'of a super-peer to others' },
    ttl: { value: 2, range: [1, 20], whole: true, unit: 'hops', meaning: 'of a query among super-peers' },
  },
  run,
  searches,
};
