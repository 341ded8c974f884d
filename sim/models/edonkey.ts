// eDonkey 2000 and eMule: several servers, each with a directory of its clients; files in parts with a hash each; credits for who uploads.
import { atLeast, atMost, equal, type Measure, near, told } from '../measure.ts';
import type { Model, Outcome, Run } from '../model.ts';
import { Network } from '../network.ts';
import { mean } from '../statistics.ts';
import { PART_MB, PartSwarm } from '../transfer/part-swarm.ts';
import { costsOf, type SearchCosts, type SearchOutcome } from '../workload/search-costs.ts';
import { SharedFiles } from '../workload/shared-files.ts';

type Message =
  | { readonly kind: 'publish'; readonly files: readonly number[] }
  | { readonly kind: 'query'; readonly search: number; readonly file: number; readonly asked: number }
  | {
      readonly kind: 'answer';
      readonly search: number;
      readonly file: number;
      readonly asked: number;
      readonly holders: readonly number[];
    };

const SEARCHES = 200;
const PATIENCE_MS = 1000;
const LECTURE = 'lecture: eDonkey';
const EMULE = 'Kulbak, Bickson 2005, "The eMule protocol specification"';

/** Clients 0 to n - 1 and the servers behind them. */
export class EDonkey {
  readonly network: Network<Message>;
  readonly files: SharedFiles;
  readonly outcomes: SearchOutcome[] = [];
  readonly servers: number;
  readonly #clients: number;
  /** Which server a client is logged on to, by its number from 0. */
  readonly #home: Uint32Array;
  readonly #directories: Map<number, number[]>[];
  readonly #searches: { readonly from: number; readonly at: number; answered: number }[] = [];

  constructor({ servents, random, parameters }: Run) {
    const { servers = 10 } = parameters;
    this.servers = servers;
    this.#clients = servents;
    this.network = new Network({ nodes: servents + servers, random: random.fork() });
    this.files = new SharedFiles({ peers: servents, random: random.fork() });
    const homes = random.fork();
    this.#home = Uint32Array.from({ length: servents }, () => homes.below(servers));
    this.#directories = Array.from({ length: servers }, () => new Map());
    this.network.onMessage = (to, message, from) => this.#receive(to, message, from);
    for (let client = 0; client < servents; client++) {
      this.network.send(client, this.#serverOf(client, 0), { kind: 'publish', files: this.files.of[client] ?? [] });
      if (client % 1000 === 0) this.network.run();
    }
    this.network.run();
    this.network.resetCounts();
  }

  /** The server that a client asks after so many others: its own one first. */
  #serverOf(client: number, asked: number): number {
    return this.#clients + (((this.#home[client] ?? 0) + asked) % this.servers);
  }

  #receive(to: number, message: Message, from: number): void {
    if (message.kind === 'answer') {
      const { search, file, asked, holders } = message;
      this.#onAnswer(search, file, asked, holders.length > 0);
      return;
    }
    const directory = this.#directories[to - this.#clients];
    if (message.kind === 'query') {
      const holders = directory?.get(message.file) ?? [];
      this.network.send(to, from, { ...message, kind: 'answer', holders });
      return;
    }
    for (const file of message.files) {
      const holders = directory?.get(file);
      if (holders === undefined) directory?.set(file, [from]);
      else holders.push(from);
    }
  }

  #ask(search: number, file: number, asked: number): void {
    const from = this.#searches[search]?.from ?? 0;
    this.network.send(from, this.#serverOf(from, asked), { kind: 'query', search, file, asked });
    this.network.after(PATIENCE_MS, () => this.#onAnswer(search, file, asked, false));
  }

  /** The answer of the server asked last, or none in time: the next one is asked until there is a result. */
  #onAnswer(search: number, file: number, asked: number, found: boolean): void {
    const state = this.#searches[search];
    if (state === undefined || state.answered > asked) return;
    state.answered = asked + 1;
    if (found) this.outcomes[search] = { found, ms: this.network.now - state.at };
    else if (asked + 1 < this.servers) this.#ask(search, file, asked + 1);
  }

  search(count: number): void {
    for (const { from, file } of this.files.searches(count)) {
      const search = this.outcomes.push({ found: false, ms: 0 }) - 1;
      this.#searches[search] = { from, at: this.network.now, answered: 0 };
      this.#ask(search, file, 0);
      this.network.run();
    }
  }

  failServer(server: number): void {
    this.network.fail(this.#clients + server);
  }
}

function searches(run: Run): SearchCosts {
  const edonkey = new EDonkey(run);
  edonkey.search(SEARCHES);
  return costsOf(edonkey.network, edonkey.outcomes);
}

/** Half of the clients share, the other half does not; how long each half needs for the file, in hours. */
function halves(run: Run, withCredits: boolean, damage: number) {
  const { swarm: fetching = 40, sources = 4, parts = 40 } = run.parameters;
  const clients = fetching + sources;
  const shares = (client: number): boolean => client < sources || client % 2 === 0;
  const swarm = new PartSwarm({
    ...{ clients, sources, parts, random: run.random.fork(), shares, withCredits, damage },
    partMs: 190_000, // at 50 kB/s
    askAgainMs: 300_000,
  });
  swarm.network.run(10 * 86_400_000);
  const hours = (share: boolean): number => {
    const done = swarm.doneAt.flatMap((at, client) =>
      client >= sources && shares(client) === share && at !== null ? at : [],
    );
    return mean(done) / 3_600_000;
  };
  const unfinished = swarm.doneAt.filter(at => at === null).length;
  return { swarm, sharers: hours(true), riders: hours(false), unfinished, needed: fetching * parts };
}

function transfers(run: Run): { measures: Measure[]; traceHash: string } {
  const credited = halves(run, true, 0);
  const uncredited = halves(run, false, 0);
  const damaged = halves(run, true, 0.1);
  const unfinished = credited.unfinished + uncredited.unfinished + damaged.unfinished;
  return {
    measures: [
      equal('clients without the whole file in the end', 0, unfinished, { unit: 'clients', source: LECTURE }),
      atMost('time of sharers to that of free riders, with credits', 0.9, credited.sharers / credited.riders, {
        unit: 'ratio',
        source: EMULE,
      }),
      near('the same without credits', 1, 0.1, uncredited.sharers / uncredited.riders, {
        unit: 'ratio',
        source: 'nothing tells them apart',
      }),
      told('time of sharers, with credits', credited.sharers, { unit: 'h', source: 'this run' }),
      told('time of free riders, with credits', credited.riders, { unit: 'h', source: 'this run' }),
      near(
        'parts fetched again when a tenth arrives damaged',
        damaged.needed / 9,
        4 * Math.sqrt(damaged.needed * 0.1),
        damaged.swarm.fetched - damaged.needed,
        {
          unit: `parts of ${PART_MB} MB`,
          source: 'only a part with a wrong hash is fetched again: 0.1 / 0.9 of those needed, ± four deviations',
        },
      ),
    ],
    traceHash: [credited, uncredited, damaged].map(({ swarm }) => swarm.network.trace.hex).join(''),
  };
}

function run(run: Run): Outcome {
  const edonkey = new EDonkey(run);
  const { network, servers } = edonkey;
  edonkey.search(SEARCHES);
  const costs = costsOf(network, edonkey.outcomes);
  run.onProgress(0.3);
  edonkey.failServer(0);
  edonkey.search(SEARCHES);
  const after = edonkey.outcomes.slice(SEARCHES).filter(({ found }) => found).length / SEARCHES;
  const fetched = transfers(run);
  network.trace.addText(fetched.traceHash);
  return {
    measures: [
      equal('success', 1, costs.success, { source: `${LECTURE}: all servers are asked in turn` }),
      atMost('messages a search', 2 * servers, costs.messages, { unit: 'messages', source: 'two for each server' }),
      told('messages a search that the busiest server takes', costs.loadMost, { unit: 'messages', source: 'this run' }),
      atLeast('success when one server failed', 1 - 2 / servers, after, { source: `${LECTURE}: no single directory` }),
      ...fetched.measures,
    ],
    series: [],
    traceHash: network.trace.hex,
  };
}

export const edonkey: Model = {
  name: 'edonkey',
  system: 'eDonkey 2000 and eMule',
  teaches:
    'Several directories outlive one of them, parts with hashes limit damage, and credits make it pay to upload.',
  servents: 1000,
  seconds: 60,
  bounds: { seconds: null },
  parameters: {
    servers: { value: 10, range: [1, 1000], whole: true, unit: 'servers', meaning: 'that clients log on to' },
    swarm: {
      value: 40,
      range: [2, 1000],
      whole: true,
      unit: 'clients',
      meaning: 'that fetch one file from each other',
    },
    sources: { value: 4, range: [1, 1000], whole: true, unit: 'clients', meaning: 'that have the file from the start' },
    parts: { value: 40, range: [1, 10000], whole: true, unit: 'parts', meaning: 'of that file' },
  },
  run,
  searches,
};
