// Gnutella 0.6: this servent. Each node is the daemon's own core, unchanged: ultrapeers with leaves below them, query routing tables,
// dynamic queries, hits out of band; checkers watch all of it.

import { DYNAMIC_QUERY_LIMITS } from '../../protocol/overlay/queries/dynamic-query.ts';
import { Checkers } from '../checkers/checkers.ts';
import { atLeast, atMost, equal, near, told } from '../measure.ts';
import type { Model, Outcome, Run, Series } from '../model.ts';
import { CHURN, churn } from '../servents/churn.ts';
import { INTERNET } from '../servents/conditions.ts';
import { GnutellaNetwork } from '../servents/gnutella-network.ts';
import { SearchTraffic } from '../servents/search-traffic.ts';
import type { VirtualHost } from '../servents/virtual-host.ts';
import { mean, quantile } from '../statistics.ts';
import type { SearchCosts } from '../workload/search-costs.ts';

/** Of a comparison, and of a run, where checkers watch too. */
const SEARCHES = 200;
const SEARCHES_WATCHED = 100;
const PER_SECOND = 10;
/** Virtual seconds until leaves have sent their tables, and until the last searches have ended. */
const SETTLING_SECONDS = 20;
const ENDING_SECONDS = 40;
/** Where servents come and go, searches begin after so many median sessions. */
const CHURN_SESSIONS = 1;
/** Of the servents of a network twice as large, so that there are more than a query looks for. */
const POPULAR_SHARE = 0.4;
const POPULAR = 'popular song';
const POPULAR_SECONDS = 60;
const AIM = 'aim of the project';
const LECTURE = 'lecture: dynamic queries end at 50 to 200 results';

function networkOf(
  { random, servents, parameters }: Run,
  alsoShares?: (number: number) => readonly string[],
): GnutellaNetwork {
  return new GnutellaNetwork({
    ...{ seed: random.next(), servents, conditions: INTERNET },
    ultrapeerShare: parameters['ultrapeerShare'] ?? 0.1,
    leafLinks: parameters['leafLinks'] ?? 3,
    ultrapeerLinks: parameters['ultrapeerLinks'] ?? 10,
    limits: {
      ttlMax: parameters['ttl'] ?? 4,
      dynamicQuery: {
        ...DYNAMIC_QUERY_LIMITS,
        ownGoal: parameters['ownGoal'] ?? DYNAMIC_QUERY_LIMITS.ownGoal,
        leafGoal: parameters['leafGoal'] ?? DYNAMIC_QUERY_LIMITS.leafGoal,
        probes: parameters['probes'] ?? DYNAMIC_QUERY_LIMITS.probes,
      },
    },
    ...(alsoShares === undefined ? {} : { alsoShares }),
  });
}

function search(network: GnutellaNetwork, run: Run, searches: number): SearchTraffic {
  const { internet, files } = network;
  internet.run(1_000 * SETTLING_SECONDS);
  const { session = 0 } = run.parameters;
  if (session > 0) {
    const sessions = { ...CHURN, sessionMedian: session, pauseMedian: session / 5 };
    churn(internet, network.hosts, sessions, run.random.fork(), host => network.remind(host));
    internet.run(1_000 * session * CHURN_SESSIONS);
  }
  const traffic = new SearchTraffic(internet);
  internet.watch(traffic);
  for (let asked = 0; asked < searches; asked += PER_SECOND) {
    for (const { from, file } of files.searches(PER_SECOND)) {
      if (!network.isThere(from, file)) continue;
      const begun = network.search(from, file);
      if (begun !== null) traffic.begun(begun);
    }
    internet.run(1_000);
    run.onProgress(asked / searches);
  }
  internet.run(1_000 * ENDING_SECONDS);
  return traffic;
}

/** Results with which searches for a file of most servents end. */
function popularResults(run: Run): { ofLeaves: number[]; ofUltrapeers: number[] } {
  const shares = run.random.fork();
  const larger = { ...run, servents: 2 * run.servents };
  const network = networkOf(larger, number => (shares.chance(POPULAR_SHARE) ? [`${POPULAR} ${number}.ogg`] : []));
  const { internet, leaves, ultrapeers } = network;
  internet.run(1_000 * SETTLING_SECONDS);
  const ask = (host: VirtualHost) => host.search(POPULAR);
  const [ofLeaves, ofUltrapeers] = [leaves.slice(0, 5).map(ask), ultrapeers.slice(0, 5).map(ask)];
  internet.run(1_000 * POPULAR_SECONDS);
  return { ofLeaves: ofLeaves.map(({ hits }) => hits), ofUltrapeers: ofUltrapeers.map(({ hits }) => hits) };
}

/** Messages a servent that a flood over all links would take. */
function floodingCost({ parameters: { ultrapeerShare = 0, ultrapeerLinks = 0, leafLinks = 0 } }: Run): number {
  const links = (ultrapeerShare * ultrapeerLinks) / 2 + (1 - ultrapeerShare) * leafLinks;
  return 2 * links - 1;
}

/** Messages a search that each of the hosts took, busiest first. */
function loadSeries(name: string, hosts: readonly VirtualHost[], { taken }: SearchTraffic): Series {
  const loads = hosts.map(({ number }) => (taken[number] ?? 0) / SEARCHES_WATCHED).sort((a, b) => b - a);
  return { name, axes: ['servents, busiest first', 'messages a search'], x: loads.map((_, i) => i + 1), y: loads };
}

function searches(run: Run): SearchCosts {
  return search(networkOf(run), run, SEARCHES).costs;
}

function run(run: Run): Outcome {
  const network = networkOf(run);
  const { internet, ultrapeers, leaves } = network;
  const checkers = new Checkers(internet);
  internet.watch(checkers);
  const traffic = search(network, run, SEARCHES_WATCHED);
  const { costs } = traffic;
  const links = ultrapeers.map(({ servent }) => servent.overlay.counts.ultrapeers);
  const { ofLeaves, ofUltrapeers } = popularResults(run);
  const results = [...ofLeaves, ...ofUltrapeers];
  const median = quantile(results, 0.5);
  return {
    measures: [
      atLeast('success', 0.95, costs.success, { source: AIM }),
      atMost('latency of the first result', 5_000, costs.latencyMs, { unit: 'ms', source: AIM }),
      atMost('messages a search, by servents', floodingCost(run), costs.messages / run.servents, {
        unit: 'messages a servent',
        source: 'Ritter 2001: a flood crosses each link twice but those of the tree',
      }),
      equal('rules broken', 0, checkers.findings.total, {
        source: 'checkers: relaying, way back, tables, truth, bounds',
      }),
      atLeast('results of a popular search, at least', 50, median, { unit: 'results', source: LECTURE }),
      atMost('results of a popular search, at most', 200, median, { unit: 'results', source: LECTURE }),
      told('results of a popular search, most', Math.max(...results), { unit: 'results', source: 'this run' }),
      near('links of an ultrapeer', run.parameters['ultrapeerLinks'] ?? 10, 2, mean(links), {
        unit: 'links',
        source: 'setting',
      }),
      told('messages a search', costs.messages, { unit: 'messages', source: 'this run' }),
      told('descriptors checked', checkers.checked, { unit: 'descriptors', source: 'this run' }),
    ],
    series: [loadSeries('leaves', leaves, traffic), loadSeries('ultrapeers', ultrapeers, traffic)],
    traceHash: internet.trace.hex,
  };
}

export const gnutella06: Model = {
  name: 'gnutella06',
  system: 'Gnutella 0.6 (this servent)',
  teaches: 'Ultrapeers answer for their leaves, and a query asks no further than it has to.',
  servents: 200,
  seconds: SETTLING_SECONDS + SEARCHES_WATCHED / PER_SECOND + ENDING_SECONDS,
  bounds: { seconds: null },
  parameters: {
    ultrapeerShare: { value: 0.1, range: [0.01, 1], unit: 'of all servents', meaning: 'servents that are ultrapeers' },
    leafLinks: { value: 3, range: [1, 20], whole: true, unit: 'links', meaning: 'ultrapeers of a leaf' },
    ultrapeerLinks: {
      value: 10,
      range: [2, 200],
      whole: true,
      unit: 'links',
      meaning: 'links of an ultrapeer to others, on average',
    },
    ttl: { value: 4, range: [1, 10], whole: true, unit: 'hops', meaning: 'largest TTL of a query' },
    ownGoal: {
      value: DYNAMIC_QUERY_LIMITS.ownGoal,
      range: [1, 100000],
      whole: true,
      unit: 'results',
      meaning: 'at which a query of an ultrapeer ends',
    },
    leafGoal: {
      value: DYNAMIC_QUERY_LIMITS.leafGoal,
      range: [1, 100000],
      whole: true,
      unit: 'results',
      meaning: 'at which each ultrapeer of a leaf ends',
    },
    probes: {
      value: DYNAMIC_QUERY_LIMITS.probes,
      range: [1, 100],
      whole: true,
      unit: 'ultrapeers',
      meaning: 'asked by the first step of a query',
    },
    session: { value: 0, range: [0, 86400], unit: 's', meaning: 'median session of a servent; 0: all stay' },
  },
  run,
  searches,
};
