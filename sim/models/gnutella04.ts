// Gnutella 0.4: every servent sends a query on to all its neighbours until the TTL is used up; hits go back the way the query came.
import { atLeast, atMost, equal, told } from '../measure.ts';
import type { Model, Outcome, Run, Series } from '../model.ts';
import { Network } from '../network.ts';
import { mean } from '../statistics.ts';
import type { Graph } from '../topology/graph.ts';
import { OVERLAY_PARAMETERS, overlayOf } from '../topology/overlay.ts';
import { distancesFrom } from '../topology/paths.ts';
import { costsOf, type SearchCosts, type SearchOutcome } from '../workload/search-costs.ts';
import { SharedFiles } from '../workload/shared-files.ts';

type Message =
  | {
      readonly kind: 'query';
      readonly guid: number;
      readonly file: number;
      readonly ttl: number;
      readonly hops: number;
    }
  | { readonly kind: 'hit'; readonly guid: number; readonly hopsOut: number; readonly hops: number };

const SEARCHES = 200;
const LARGE = 20_000;
const NO_FILE = -1;
const RITTER = 'Ritter 2001, "Why Gnutella can’t scale": n · ((n - 1)^t - 1) / (n - 2)';

/** Servents that a query reaches at most: a tree of `degree` links each, `ttl` links deep. */
const reachAtMost = (degree: number, ttl: number): number =>
  degree === 2 ? 2 * ttl : (degree * ((degree - 1) ** ttl - 1)) / (degree - 2);

export class Gnutella04 {
  readonly network: Network<Message>;
  readonly overlay: Graph;
  readonly files: SharedFiles;
  readonly outcomes: SearchOutcome[] = [];
  /** Servents that each search reached, without the asker. */
  readonly reached: number[] = [];
  queries = 0;
  /** Queries that a servent had seen: dropped. */
  repeated = 0;
  hits = 0;
  /** Hits that took more or fewer links back than the query had taken. */
  astray = 0;
  readonly #ttl: number;
  readonly #begun: number[] = [];
  /** For each GUID under way, who has seen it and from whom: the route tables of all servents. */
  readonly #routes = new Map<number, Map<number, number>>();

  constructor({ servents, random, parameters }: Run) {
    this.#ttl = parameters['ttl'] ?? 7;
    this.network = new Network({ nodes: servents, random: random.fork() });
    this.overlay = overlayOf(servents, parameters, random.fork());
    this.files = new SharedFiles({ peers: servents, random: random.fork() });
    this.network.onMessage = (to, message, from) =>
      message.kind === 'query' ? this.#onQuery(to, message, from) : this.#onHit(to, message);
  }

  #onQuery(servent: number, message: Message & { kind: 'query' }, from: number): void {
    const { guid, file, ttl, hops } = message;
    const seen = this.#routes.get(guid);
    if (seen === undefined) return;
    this.queries++;
    if (seen.has(servent)) {
      this.repeated++;
      return;
    }
    seen.set(servent, from);
    this.reached[guid] = (this.reached[guid] ?? 0) + 1;
    if (this.files.has(servent, file)) this.network.send(servent, from, { kind: 'hit', guid, hopsOut: hops, hops: 1 });
    if (ttl > 1) this.#flood(servent, { ...message, ttl: ttl - 1, hops: hops + 1 }, from);
  }

  #flood(servent: number, message: Message, butTo: number): void {
    for (const next of this.overlay.neighbours(servent)) if (next !== butTo) this.network.send(servent, next, message);
  }

  #onHit(servent: number, message: Message & { kind: 'hit' }): void {
    const { guid, hopsOut, hops } = message;
    const back = this.#routes.get(guid)?.get(servent);
    if (back === undefined) return;
    if (back !== servent) {
      this.network.send(servent, back, { ...message, hops: hops + 1 });
      return;
    }
    this.hits++;
    if (hops !== hopsOut) this.astray++;
    if (this.outcomes[guid]?.found === false)
      this.outcomes[guid] = { found: true, ms: this.network.now - (this.#begun[guid] ?? 0) };
  }

  /** Lets one query run out. */
  ask(from: number, file: number, ttl = this.#ttl): void {
    const guid = this.outcomes.push({ found: false, ms: 0 }) - 1;
    this.reached[guid] = 0;
    this.#begun[guid] = this.network.now;
    this.#routes.set(guid, new Map([[from, from]]));
    this.#flood(from, { kind: 'query', guid, file, ttl, hops: 1 }, from);
    this.network.run();
    this.#routes.delete(guid);
  }

  /** One after the other; servents that are down ask nothing. */
  search(count: number, ttl = this.#ttl): void {
    for (const { from, file } of this.files.searches(count)) if (this.network.isUp(from)) this.ask(from, file, ttl);
  }
}

function searches(run: Run): SearchCosts {
  const gnutella = new Gnutella04(run);
  gnutella.search(SEARCHES);
  return costsOf(gnutella.network, gnutella.outcomes);
}

/** Servents that queries of each TTL reach in a network that is much larger than the horizon. */
function horizon(run: Run, ttl: number): Series {
  const large = new Gnutella04({ ...run, servents: LARGE, random: run.random.fork() });
  const ttls = Array.from({ length: ttl }, (_, i) => i + 1);
  const reached = ttls.map(ttl => {
    large.reached.length = 0;
    large.outcomes.length = 0;
    large.search(10, ttl);
    return mean(large.reached);
  });
  return { name: `reach among ${LARGE} servents`, axes: ['TTL', 'servents'], x: ttls, y: reached };
}

function run(run: Run): Outcome {
  const { ttl = 7, degree = 4 } = run.parameters;
  const gnutella = new Gnutella04(run);
  const { network, outcomes, overlay } = gnutella;
  gnutella.search(SEARCHES);
  const costs = costsOf(network, outcomes);
  const { queries, repeated, hits, astray } = gnutella;
  run.onProgress(0.5);
  const reach = horizon(run, ttl);
  const reachInLarge = reach.y.at(-1) ?? 0;
  const asker = run.random.below(run.servents);
  const part = distancesFrom(overlay, asker).reached;
  // each servent sends it over all its links but the one it came by, the asker over all
  const flood = part.reduce((sum, servent) => sum + overlay.degree(servent) - 1, 1);
  const before = gnutella.queries;
  gnutella.ask(asker, NO_FILE, run.servents);
  const whole = gnutella.queries - before;
  outcomes.length = 0;
  for (const servent of run.random.sample([...Array(run.servents).keys()], Math.round(0.3 * run.servents)))
    network.fail(servent);
  gnutella.search(SEARCHES);
  const after = outcomes.filter(({ found }) => found).length / outcomes.length;
  return {
    measures: [
      atLeast('success', 0.99, costs.success, { source: 'lecture: flooding, within the horizon' }),
      equal('queries of a flood that no TTL ends', flood, whole, {
        unit: 'messages',
        source: 'lecture: over all links but the one it came by',
      }),
      told(`queries a search of TTL ${ttl}`, queries / SEARCHES, { unit: 'messages', source: 'this run' }),
      told('share of them that had been seen', repeated / queries, { unit: 'of queries', source: 'this run' }),
      equal('hits that came back another way', 0, astray, { unit: 'hits', source: 'Gnutella 0.4, section 3' }),
      told('hits a search', hits / SEARCHES, { unit: 'hits', source: 'each holder within the horizon answers' }),
      atMost(`reach of TTL ${ttl} among ${LARGE}`, reachAtMost(degree, ttl), reachInLarge, {
        unit: 'servents',
        source: RITTER,
      }),
      atLeast('the same: 80 % of it at least', 0.8 * reachAtMost(degree, ttl), reachInLarge, {
        unit: 'servents',
        source: RITTER,
      }),
      atLeast('success after 30 % failed, without repair', 0.7, after, {
        source: 'lecture: no single point of failure',
      }),
    ],
    series: [reach],
    traceHash: network.trace.hex,
  };
}

export const gnutella04: Model = {
  name: 'gnutella04',
  system: 'Gnutella 0.4',
  teaches:
    'Flooding needs no server and survives losses, costs messages from every servent, and sees no further than its TTL.',
  servents: 1000,
  seconds: 60,
  bounds: { seconds: null },
  parameters: {
    ttl: { value: 7, range: [1, 100], whole: true, unit: 'hops', meaning: 'of a query' },
    ...OVERLAY_PARAMETERS,
  },
  run,
  searches,
};
