// Asks recorded queries in a network of whole servents in virtual time, which share files made of what was recorded.

import { queryText } from '../../protocol/overlay/queries/question.ts';
import type { Search } from '../../protocol/overlay/queries/search.ts';
import { SeededRandom } from '../seeded-random.ts';
import { INTERNET } from '../servents/conditions.ts';
import { GnutellaNetwork } from '../servents/gnutella-network.ts';

export interface ReplayedQuery {
  /** Milliseconds since the first one. */
  readonly at: number;
  readonly text: string;
  /** Servents that answered when it was recorded. */
  readonly answered: number;
}

export interface VirtualReplayOptions {
  readonly seed: number;
  readonly servents: number;
  /** 2: twice as fast as recorded. */
  readonly speed: number;
  /** Virtual seconds; later queries are left out. */
  readonly secondsMax: number;
  /** Hits were recorded: as many servents have a file as answered. Else a stand-in: as many as asked for it, and one. */
  readonly hits: boolean;
  readonly onProgress: (share: number) => void;
}

export interface VirtualReplay {
  readonly sent: number;
  readonly answered: number;
  /** Files in all hits. */
  readonly files: number;
  readonly unsent: Readonly<Record<string, number>>;
  /** Virtual seconds from the first query to the last. */
  readonly seconds: number;
  readonly traceHash: string;
  /** Placed in the network. */
  readonly shared: number;
}

const SETTLING_MS = 20_000;
const ENDING_MS = 40_000;
const SHARED_MAX = 50_000;

/** What each servent shares, by its number. */
function filesOf(queries: readonly ReplayedQuery[], { servents, hits }: VirtualReplayOptions, random: SeededRandom) {
  const holders = new Map<string, number>();
  for (const { text, answered } of queries) {
    const name = queryText(text);
    const known = holders.get(name) ?? (hits ? 0 : 1);
    holders.set(name, hits ? Math.max(known, answered) : known + 1);
  }
  const files = Array.from({ length: servents }, (): string[] => []);
  const numbers = files.map((_, number) => number);
  let shared = 0;
  for (const [name, count] of holders) {
    if (name === '' || shared >= SHARED_MAX) continue;
    for (const number of random.sample(numbers, Math.min(count, servents))) {
      files[number]?.push(`${name}.ogg`);
      shared++;
    }
  }
  return { files, shared };
}

export function replayInVirtualNetwork(
  queries: readonly ReplayedQuery[],
  options: VirtualReplayOptions,
): VirtualReplay {
  const { seed, servents, speed, secondsMax, onProgress } = options;
  const random = new SeededRandom(seed);
  const { files, shared } = filesOf(queries, options, random.fork());
  const network = new GnutellaNetwork({
    ...{ seed: random.next(), servents, conditions: INTERNET },
    ...{ ultrapeerShare: 0.1, leafLinks: 3, ultrapeerLinks: 10 },
    alsoShares: number => files[number] ?? [],
  });
  const { internet, hosts } = network;
  internet.run(SETTLING_MS);
  const began = internet.clock.ms;
  const searches: Search[] = [];
  const unsent: Record<string, number> = {};
  let lastAt = began;
  for (const [i, { at, text }] of queries.entries()) {
    if (at / speed > secondsMax * 1000) {
      unsent['too late'] = queries.length - i;
      break;
    }
    const early = began + at / speed - internet.clock.ms;
    if (early > 0) internet.run(early);
    const host = hosts[random.below(hosts.length)];
    if (host === undefined) break;
    try {
      searches.push(host.search(text));
      lastAt = internet.clock.ms;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      unsent['no word that servents search for'] = (unsent['no word that servents search for'] ?? 0) + 1;
    }
    onProgress(i / queries.length);
  }
  internet.run(ENDING_MS);
  return {
    sent: searches.length,
    answered: searches.filter(({ hits }) => hits > 0).length,
    files: searches.reduce((sum, { hits }) => sum + hits, 0),
    unsent,
    seconds: (lastAt - began) / 1000,
    traceHash: internet.trace.hex,
    shared,
  };
}
