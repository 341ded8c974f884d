// Napster: one server knows who has what; peers ask it, and fetch from each other. When it fails, nothing is found any more.
import { atMost, equal } from '../measure.ts';
import type { Model, Outcome, Run } from '../model.ts';
import { Network } from '../network.ts';
import { costsOf, type SearchCosts, type SearchOutcome } from '../workload/search-costs.ts';
import { SharedFiles } from '../workload/shared-files.ts';

type Message =
  | { readonly kind: 'publish'; readonly files: readonly number[] }
  | { readonly kind: 'query'; readonly search: number; readonly file: number }
  | { readonly kind: 'answer'; readonly search: number; readonly holders: readonly number[] };

const SEARCHES = 200;
const SOURCE = 'lecture: generations of peer-to-peer';

/** Peers 0 to n - 1 and the server n. */
class Napster {
  readonly network: Network<Message>;
  readonly files: SharedFiles;
  readonly server: number;
  readonly directory = new Map<number, number[]>();
  readonly outcomes: SearchOutcome[] = [];
  readonly #begun: number[] = [];

  constructor({ servents, random }: Run) {
    this.server = servents;
    this.network = new Network({ nodes: servents + 1, random: random.fork() });
    this.files = new SharedFiles({ peers: servents, random: random.fork() });
    this.network.onMessage = (to, message, from) => this.#receive(to, message, from);
    for (let peer = 0; peer < servents; peer++)
      this.network.send(peer, this.server, { kind: 'publish', files: this.files.of[peer] ?? [] });
    this.network.run();
    this.network.resetCounts();
  }

  #receive(to: number, message: Message, from: number): void {
    switch (message.kind) {
      case 'publish':
        for (const file of message.files) {
          const holders = this.directory.get(file);
          if (holders === undefined) this.directory.set(file, [from]);
          else holders.push(from);
        }
        break;
      case 'query': {
        const holders = this.directory.get(message.file) ?? [];
        this.network.send(this.server, from, { kind: 'answer', search: message.search, holders });
        break;
      }
      case 'answer': {
        const { search, holders } = message;
        const begun = this.#begun[search] ?? 0;
        this.outcomes[search] = { found: holders.some(peer => peer !== to), ms: this.network.now - begun };
      }
    }
  }

  search(count: number): void {
    for (const { from, file } of this.files.searches(count)) {
      const search = this.outcomes.push({ found: false, ms: 0 }) - 1;
      this.#begun[search] = this.network.now;
      this.network.send(from, this.server, { kind: 'query', search, file });
      this.network.run();
    }
  }
}

function searches(run: Run): SearchCosts {
  const napster = new Napster(run);
  napster.search(SEARCHES);
  return costsOf(napster.network, napster.outcomes);
}

function run(run: Run): Outcome {
  const napster = new Napster(run);
  napster.search(SEARCHES);
  const costs = costsOf(napster.network, napster.outcomes);
  napster.network.fail(napster.server);
  napster.outcomes.length = 0;
  napster.search(SEARCHES);
  const foundAfter = napster.outcomes.filter(({ found }) => found).length;
  return {
    measures: [
      equal('success', 1, costs.success, { source: SOURCE }),
      equal('messages a search', 2, costs.messages, { unit: 'messages', source: SOURCE }),
      equal('load of the server a search', 1, costs.loadMost, { unit: 'messages', source: SOURCE }),
      atMost('found after the server failed', 0, foundAfter, { unit: 'searches', source: SOURCE }),
    ],
    series: [],
    traceHash: napster.network.trace.hex,
  };
}

export const napster: Model = {
  name: 'napster',
  system: 'Napster',
  teaches: 'A central directory answers everything with two messages, and its failure stops all.',
  servents: 1000,
  seconds: 60,
  bounds: { seconds: null },
  parameters: {},
  run,
  searches,
};
