// What one search costs a network of 60 servents: flat and flooding as Gnutella 0.4, and two-tier with query routing and
// dynamic querying. In memory, on a virtual clock: messages are counted, not timed.
import { type SearchCost, searchCost, twoTier } from '../test/support/two-tier.ts';
import { FLOOD, QUESTIONS, SERVENTS, SHAPE, shares } from './search-cost/network.ts';
import { summaryOf } from './search-cost/summary.ts';

export const about = 'search-cost: messages per search in 60 servents, flooding against query routing, in memory';

const SEEDS = 5;
const SEARCHES = 8;
const { ultrapeers: ULTRAPEERS, leaves: LEAVES } = SHAPE;

export async function run(): Promise<Record<string, unknown>> {
  const rows: Record<string, unknown> = {};
  for (const [name, question] of Object.entries(QUESTIONS)) {
    const costs = { flooding: [] as SearchCost[], leaf: [] as SearchCost[], ultrapeer: [] as SearchCost[] };
    for (let seed = 1; seed <= SEEDS; seed++) {
      const flat = twoTier({ ...SHAPE, seed, shares, flat: true, limits: { ttlMax: 7 } });
      const tiers = twoTier({ ...SHAPE, seed, shares });
      for (let n = 0; n < SEARCHES; n++) {
        const [leaf, ultrapeer, anybody] = [
          tiers.leaves[(n * 5 + 1) % LEAVES], // never the one with the rare file
          tiers.ultrapeers[n % ULTRAPEERS],
          flat.network.servents[(n * 7) % SERVENTS],
        ];
        if (!leaf || !ultrapeer || !anybody) throw new Error('a smaller network than said');
        costs.leaf.push(searchCost(tiers.network, leaf, question));
        costs.ultrapeer.push(searchCost(tiers.network, ultrapeer, question));
        costs.flooding.push(searchCost(flat.network, anybody, question));
      }
    }
    rows[name] = summaryOf(costs, FLOOD);
  }
  return { servents: SERVENTS, ultrapeers: ULTRAPEERS, searchesEach: SEEDS * SEARCHES, flood: FLOOD, ...rows };
}
