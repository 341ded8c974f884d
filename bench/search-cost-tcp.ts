// The same as search-cost among real daemons on loopback, 60 of them in a few processes: what they count is what went over TCP.
import type { SearchCost } from '../test/support/two-tier.ts';
import { FLOOD, QUESTIONS, RARE, SERVENTS, SHAPE, shares } from './search-cost/network.ts';
import { summaryOf } from './search-cost/summary.ts';
import { TcpNetwork } from './search-cost-tcp/network.ts';

export const about = 'search-cost-tcp: the same among 60 real daemons over loopback; some ten minutes';

const SEED = 1;
const SEARCHES = 5;
const { ultrapeers: ULTRAPEERS, leaves: LEAVES } = SHAPE;

type Costs = Record<keyof typeof QUESTIONS, SearchCost[]>;

/** `searcher` of the nth search: never the one who has the rare file. */
async function measured(network: TcpNetwork, searcher: (n: number) => number): Promise<Costs> {
  const costs = {} as Costs;
  for (const [name, question] of Object.entries(QUESTIONS)) {
    const list: SearchCost[] = [];
    for (let n = 0; n < SEARCHES; n++) {
      const index = searcher(n);
      list.push(await network.searchCost(index === RARE ? index + 1 : index, question));
    }
    costs[name as keyof typeof QUESTIONS] = list;
  }
  return costs;
}

export async function run(): Promise<Record<string, unknown>> {
  const spec = { ...SHAPE, seed: SEED, shares };
  const flat = await TcpNetwork.start({ ...spec, flat: true });
  const flooding = await measured(flat, n => (n * 13 + 2) % SERVENTS).finally(() => flat.stop());
  const tiers = await TcpNetwork.start({ ...spec, flat: false });
  try {
    const leaf = await measured(tiers, n => ULTRAPEERS + ((n * 11 + 3) % LEAVES));
    const ultrapeer = await measured(tiers, n => (n * 5) % ULTRAPEERS);
    const rows = Object.keys(QUESTIONS) as (keyof typeof QUESTIONS)[];
    return {
      servents: SERVENTS,
      ultrapeers: ULTRAPEERS,
      searchesEach: SEARCHES,
      flood: FLOOD,
      ...Object.fromEntries(
        rows.map(name => {
          const costs = { flooding: flooding[name], leaf: leaf[name], ultrapeer: ultrapeer[name] };
          return [name, summaryOf(costs, FLOOD)];
        }),
      ),
    };
  } finally {
    await tiers.stop();
  }
}
