// Random walks: a few walkers go from neighbour to neighbour in place of a flood, and ask the searcher now and then whether to go on
// (Lv, Cao, Cohen, Li and Shenker 2002, "Search and replication in unstructured peer-to-peer networks").
import { atLeast, atMost, near, told } from '../measure.ts';
import type { Model, Outcome, Run } from '../model.ts';
import { Network } from '../network.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { mean } from '../statistics.ts';
import type { Graph } from '../topology/graph.ts';
import { OVERLAY_PARAMETERS, overlayOf } from '../topology/overlay.ts';
import { costsOf, type SearchCosts, type SearchOutcome } from '../workload/search-costs.ts';
import { SharedFiles, type Wanted } from '../workload/shared-files.ts';

/** What goes with a walker; `came`: the servent before. */
interface Walker {
  readonly search: number;
  readonly asker: number;
  readonly file: number;
  readonly steps: number;
  readonly came: number;
}

type Message =
  | { readonly kind: 'step' | 'check'; readonly walker: Walker }
  | { readonly kind: 'answer'; readonly walker: Walker; readonly goOn: boolean }
  | { readonly kind: 'hit'; readonly search: number };

const SEARCHES = 200;
const NO_FILE = -1;
const LV = 'Lv et al. 2002, section 4';

export class RandomWalks {
  readonly network: Network<Message>;
  readonly files: SharedFiles;
  readonly outcomes: SearchOutcome[] = [];
  /** Steps of all walkers of each search, and those after its first hit came. */
  readonly steps: number[] = [];
  readonly stepsAfter: number[] = [];
  /** Different servents that the newest search came to. */
  readonly visited = new Set<number>();
  readonly #overlay: Graph;
  readonly #random: SeededRandom;
  readonly #begun: number[] = [];
  readonly #checkEvery: number;
  #maxSteps = 0;

  constructor({ servents, random, parameters }: Run) {
    this.#checkEvery = parameters['checkEvery'] ?? 4;
    this.network = new Network({ nodes: servents, random: random.fork() });
    this.#overlay = overlayOf(servents, parameters, random.fork());
    this.files = new SharedFiles({ peers: servents, random: random.fork() });
    this.#random = random.fork();
    this.network.onMessage = (to, message, from) => this.#receive(to, message, from);
  }

  #receive(to: number, message: Message, from: number): void {
    switch (message.kind) {
      case 'step':
        this.#onStep(to, message.walker);
        break;
      case 'check': {
        const { walker } = message;
        const goOn = this.outcomes[walker.search]?.found === false;
        this.network.send(to, from, { kind: 'answer', walker, goOn });
        break;
      }
      case 'answer':
        if (message.goOn) this.#step(to, message.walker);
        break;
      case 'hit': {
        const { search } = message;
        if (this.outcomes[search]?.found === false)
          this.outcomes[search] = { found: true, ms: this.network.now - (this.#begun[search] ?? 0) };
      }
    }
  }

  #onStep(servent: number, walker: Walker): void {
    const { search, asker, file, steps } = walker;
    this.visited.add(servent);
    this.steps[search] = (this.steps[search] ?? 0) + 1;
    if (this.outcomes[search]?.found === true) this.stepsAfter[search] = (this.stepsAfter[search] ?? 0) + 1;
    if (servent !== asker && this.files.has(servent, file)) this.network.send(servent, asker, { kind: 'hit', search });
    else if (steps >= this.#maxSteps) return;
    else if (steps % this.#checkEvery === 0) this.network.send(servent, asker, { kind: 'check', walker });
    else this.#step(servent, walker);
  }

  /** To a random neighbour, back only where there is no other way. */
  #step(servent: number, walker: Walker): void {
    const neighbours = this.#overlay.neighbours(servent);
    if (neighbours.length === 0) return;
    let at = this.#random.below(neighbours.length);
    if (neighbours[at] === walker.came && neighbours.length > 1)
      at = (at + 1 + this.#random.below(neighbours.length - 1)) % neighbours.length;
    const next = neighbours[at] ?? servent;
    this.network.send(servent, next, { kind: 'step', walker: { ...walker, steps: walker.steps + 1, came: servent } });
  }

  search(wanted: readonly Wanted[], walkers: number, maxSteps: number): void {
    this.#maxSteps = maxSteps;
    for (const { from, file } of wanted) {
      const search = this.outcomes.push({ found: false, ms: 0 }) - 1;
      this.#begun[search] = this.network.now;
      this.visited.clear();
      for (let i = 0; i < walkers; i++) this.#step(from, { search, asker: from, file, steps: 0, came: from });
      this.network.run();
    }
  }
}

/** The walks and, for each, how many walkers and steps a run asks for. */
function walksOf(run: Run): { walks: RandomWalks; walkers: number; maxSteps: number } {
  const { walkers = 16, maxSteps = 1024 } = run.parameters;
  return { walks: new RandomWalks(run), walkers, maxSteps };
}

function searches(run: Run): SearchCosts {
  const { walks, walkers, maxSteps } = walksOf(run);
  walks.search(walks.files.searches(SEARCHES), walkers, maxSteps);
  return costsOf(walks.network, walks.outcomes);
}

/** Different servents that walkers come to in so many steps each, when nobody has the file: mean of 20 walks. */
function coverage(walks: RandomWalks, walkers: number, steps: number): number {
  const visited = walks.files.searches(20).map(({ from }) => {
    walks.search([{ from, file: NO_FILE }], walkers, steps);
    return walks.visited.size;
  });
  return mean(visited);
}

function run(run: Run): Outcome {
  const { walks, walkers, maxSteps } = walksOf(run);
  const { degree = 4, checkEvery = 4 } = run.parameters;
  walks.search(walks.files.searches(SEARCHES), walkers, maxSteps);
  const costs = costsOf(walks.network, walks.outcomes);
  const after = walks.stepsAfter.reduce((most, steps) => Math.max(most, steps ?? 0), 0);
  run.onProgress(0.5);
  const popular = walks.files.searches(4 * SEARCHES).filter(({ from }) => !walks.files.has(from, 0));
  const first = walks.outcomes.length;
  walks.search(
    popular.map(({ from }) => ({ from, file: 0 })),
    1,
    10_000,
  );
  const stepsToPopular = mean(walks.steps.slice(first));
  const holders = walks.files.holders[0]?.length ?? 1;
  const lengths = [8, 16, 32, 64, 128];
  const many = lengths.map(steps => coverage(walks, walkers, steps));
  const one = coverage(walks, 1, walkers * 16);
  const flood = run.servents * (degree - 1) + 1;
  return {
    measures: [
      atLeast('success', 0.99, costs.success, { source: LV }),
      atMost('messages a search', flood / 3, costs.messages, {
        unit: 'messages',
        source: `a third of a flood over all links: ${flood} / 3; ${LV}`,
      }),
      near('steps of one walker to the most popular file', run.servents / holders, 2, stepsToPopular, {
        unit: 'steps',
        source: 'one in so many servents has it: N / holders',
      }),
      near('servents reached by all walkers in 16 steps, by one in as many together', 1, 0.2, (many[1] ?? 0) / one, {
        unit: 'ratio',
        source: LV,
      }),
      atMost('steps after the first hit, most of a search', walkers * checkEvery, after, {
        unit: 'steps',
        source: 'each walker asks after so many steps',
      }),
      told('latency', costs.latencyMs, { unit: 'ms', source: 'longer than a flood, which takes the shortest path' }),
    ],
    series: [{ name: 'coverage', axes: ['steps of each walker', 'servents'], x: lengths, y: many }],
    traceHash: walks.network.trace.hex,
  };
}

export const randomWalk: Model = {
  name: 'random-walk',
  system: 'Random walks on Gnutella’s overlay',
  teaches: 'A few walkers find popular files with a fraction of a flood’s messages, later; rare files cost as much.',
  servents: 1000,
  seconds: 60,
  bounds: { seconds: null },
  parameters: {
    walkers: { value: 16, range: [1, 1000], whole: true, unit: 'walkers', meaning: 'of a search' },
    maxSteps: {
      value: 1024,
      range: [1, 1000000],
      whole: true,
      unit: 'steps',
      meaning: 'after which a walker gives up',
    },
    checkEvery: {
      value: 4,
      range: [1, 1000000],
      whole: true,
      unit: 'steps',
      meaning: 'after which a walker asks the searcher whether to go on',
    },
    ...OVERLAY_PARAMETERS,
  },
  run,
  searches,
};
