// The domain name system: delegation from the root down, caches with a time to live, iterative and recursive questions, lost servers.
import { NameServers, type NameServersOptions, TWO_DAYS } from '../dns/name-servers.ts';
import { atMost, equal, type Measure, near, told } from '../measure.ts';
import type { Model, Outcome, Run } from '../model.ts';
import { TraceHash } from '../trace-hash.ts';
import { costsOf, type SearchCosts, type SearchOutcome } from '../workload/search-costs.ts';
import { SharedFiles } from '../workload/shared-files.ts';
import { Zipf } from '../workload/zipf.ts';

const SEARCHES = 200;
const CLIENTS_PER_RESOLVER = 100;
const TOP_LEVELS = 20;
const NAMES_PER_ZONE = 50;
const CACHES = 'Jung, Berger and Balakrishnan, Modeling TTL-based Internet caches, 2003: λT/(1+λT)';
const LECTURE = { source: 'lecture: DNS (Kurose and Ross, section 2.4)' };

type Asked = SearchOutcome & { readonly address: number | null; readonly messages: number };

class Lookups {
  readonly servers: NameServers;
  readonly #random: Run['random'];

  constructor({ servents, parameters, random }: Run, names: number, options: Partial<NameServersOptions> = {}) {
    const { roots = 13, ttl = 3_600, recursive = 0 } = parameters;
    this.#random = random.fork();
    this.servers = new NameServers({
      ...{ random: random.fork(), clients: servents, resolvers: Math.ceil(servents / CLIENTS_PER_RESOLVER) },
      ...{ roots, topLevels: TOP_LEVELS, zones: Math.max(TOP_LEVELS, Math.ceil(names / NAMES_PER_ZONE)) },
      ...{ ttl, referralTtl: TWO_DAYS, recursive: recursive !== 0, addressOf: (name: number) => name },
      ...options,
    });
  }

  /** One question, to its end. */
  ask(client: number, name: number): Asked {
    const { network } = this.servers;
    const begun = network.now;
    const before = network.messages;
    let asked: Asked = { found: false, ms: 0, address: null, messages: 0 };
    this.servers.onAnswer = (_, address) => {
      asked = { found: address !== null, ms: network.now - begun, address, messages: 0 };
    };
    this.servers.ask(client, name);
    network.run();
    return { ...asked, messages: network.messages - before };
  }

  wait(seconds: number): void {
    this.servers.network.run(this.servers.network.now + seconds * 1000);
  }

  loseRoots(count: number): void {
    const { firstRoot, firstTopLevel, network } = this.servers;
    for (let root = firstRoot; root < Math.min(firstRoot + count, firstTopLevel); root++) network.fail(root);
  }

  /** Share of questions that come at random, one a second on average, which the cache answers. */
  hitRate(popularity: Zipf, seconds: number): number {
    const { network } = this.servers;
    let asked = 0;
    let toZones = 0;
    const next = (): void => {
      asked++;
      this.servers.ask(0, popularity.draw(this.#random));
      if (network.now < seconds * 1000) network.after(this.#random.exponential(1000), next);
    };
    next();
    network.run();
    for (let node = this.servers.firstZone; node < network.nodes; node++) toZones += network.taken[node] ?? 0;
    return 1 - toZones / asked;
  }
}

function searches(run: Run): SearchCosts {
  const files = new SharedFiles({ peers: run.servents, random: run.random.fork() });
  const addressOf = (name: number): number | null => files.holders[name]?.[0] ?? null;
  const lookups = new Lookups(run, run.servents, { addressOf });
  const outcomes = files.searches(SEARCHES).map(({ from, file }) => lookups.ask(from, file));
  return costsOf(lookups.servers.network, outcomes);
}

/** The share that is to be expected: each name comes at random, and is kept for `ttl` seconds from when it was asked for. */
function hitRateByFormula(popularity: Zipf, names: number, ttl: number): number {
  let rate = 0;
  for (let name = 0; name < names; name++) {
    const asked = popularity.share(name) * ttl;
    rate += (popularity.share(name) * asked) / (1 + asked);
  }
  return rate;
}

function run(run: Run): Outcome {
  const { ttl = 3_600, roots = 13 } = run.parameters;
  const trace = new TraceHash();
  const names = 5_000;
  const uncached = { ttl: 0, referralTtl: 0 };
  const all: Lookups[] = [];
  const lookups = (options: Partial<NameServersOptions> = {}): Lookups => {
    const made = new Lookups(run, names, options);
    all.push(made);
    return made;
  };
  const rootLoad = ({ servers }: Lookups): number => {
    let load = 0;
    for (let root = servers.firstRoot; root < servers.firstTopLevel; root++) load += servers.network.taken[root] ?? 0;
    return load;
  };

  const iterative = lookups({ ...uncached, recursive: false });
  const recursive = lookups({ ...uncached, recursive: true });
  const byIterative = iterative.ask(0, 7).messages;
  const byRecursive = recursive.ask(0, 7).messages;

  // one name again and again, and another one beside it
  let address = 1;
  const cached = lookups({ recursive: false, addressOf: () => address });
  const zones = cached.servers.network.nodes - cached.servers.firstZone;
  cached.ask(0, 7);
  const again = cached.ask(0, 7).messages;
  const sameZone = cached.ask(0, 7 + zones).messages;
  const sameTopLevel = cached.ask(0, 7 + TOP_LEVELS).messages;
  address = 2;
  const stale = cached.ask(0, 7).address ?? 0;
  cached.wait(ttl);
  const fresh = cached.ask(0, 7).address ?? 0;

  const foundOf = (from: Lookups, first: number): number => {
    const asked = Array.from({ length: 100 }, (_, i) => from.ask(i % run.servents, first + i));
    return asked.filter(({ found }) => found).length / asked.length;
  };
  const oneLost = lookups({ ...uncached, recursive: false });
  oneLost.loseRoots(1);
  const cold = lookups({ recursive: false });
  cold.loseRoots(roots);
  const warm = lookups({ recursive: false, resolvers: 1 });
  for (let name = 0; name < TOP_LEVELS; name++) warm.ask(0, name);
  warm.loseRoots(roots);
  const whileKept = foundOf(warm, 100);
  warm.wait(TWO_DAYS);
  const afterwards = foundOf(warm, 300);
  const zoneLost = lookups({ ...uncached, recursive: false });
  zoneLost.servers.network.fail(zoneLost.servers.zoneServer(7));
  const lostZone = zoneLost.ask(0, 7).found;
  const otherZones = Array.from({ length: zones - 1 }, (_, i) => zoneLost.ask(0, 8 + i)).every(({ found }) => found);

  const popularity = new Zipf(names, 1);
  const ttls = [10, 60, 300, 1_200];
  const rates = ttls.map(seconds => lookups({ ttl: seconds, resolvers: 1 }).hitRate(popularity, 5_000 + 4 * seconds));
  const byFormula = ttls.map(seconds => hitRateByFormula(popularity, names, seconds));
  for (const { servers } of all) trace.addText(servers.network.trace.hex);

  const messages = (name: string, expected: number, measured: number): Measure =>
    equal(name, expected, measured, { unit: 'messages', ...LECTURE });
  return {
    measures: [
      messages('a look-up by iterative questions, nothing cached', 8, byIterative),
      messages('by recursive questions', 8, byRecursive),
      messages('of these to root servers, iterative', 1, rootLoad(iterative)),
      messages('of these to root servers, recursive', 2, rootLoad(recursive)),
      messages('a look-up of a name that is cached', 2, again),
      messages('of another name of the zone', 4, sameZone),
      messages('of another zone of the top level', 6, sameTopLevel),
      equal('address that was changed, within its time to live', 1, stale, {
        unit: 'address',
        source: 'RFC 1034, section 3.6',
      }),
      equal('afterwards', 2, fresh, { unit: 'address', source: 'RFC 1034, section 3.6' }),
      ...ttls.map((seconds, i) =>
        near(`answers from the cache, kept ${seconds} s`, byFormula[i] ?? 0, 0.03, rates[i] ?? 0, { source: CACHES }),
      ),
      equal('found, one root server is lost', 1, foundOf(oneLost, 0), { unit: 'of all', ...LECTURE }),
      equal('found, all root servers are lost, top levels cached', 1, whileKept, { unit: 'of all', ...LECTURE }),
      atMost('after two days', 0, afterwards, { unit: 'of all', ...LECTURE }),
      atMost('found, all root servers are lost, nothing cached', 0, foundOf(cold, 0), { unit: 'of all', ...LECTURE }),
      equal('found, the server of its zone is lost', 'no', lostZone ? 'yes' : 'no', LECTURE),
      equal('found in all other zones', 'yes', otherZones ? 'yes' : 'no', LECTURE),
      told('messages to root servers, of some 9800 of these look-ups', rootLoad(all.at(-1) as Lookups), LECTURE),
    ],
    series: [
      { name: 'answers from the cache', axes: ['seconds kept', 'share'], x: ttls, y: rates },
      { name: 'answers from the cache, by formula', axes: ['seconds kept', 'share'], x: ttls, y: byFormula },
    ],
    traceHash: trace.hex,
  };
}

export const dns: Model = {
  name: 'dns',
  system: 'Domain Name System',
  teaches: 'A tree of servers delegates, and caches with a time to live keep its root out of nearly every look-up.',
  servents: 100,
  seconds: 86_400,
  bounds: { seconds: null },
  parameters: {
    ttl: {
      value: 3_600,
      range: [0, 1000000],
      unit: 's',
      meaning: 'how long an answer is kept; a referral is kept for two days',
    },
    roots: { value: 13, range: [1, 100], whole: true, unit: 'servers', meaning: 'root servers' },
    recursive: {
      value: 0,
      range: [0, 1],
      whole: true,
      unit: '0 or 1',
      meaning: 'servers ask on for resolvers in "sim compare"',
    },
  },
  run,
  searches,
};
