// What searches of one kind cost on the average, and how many times fewer messages that is than flooding takes.
import type { SearchCost } from '../../test/support/two-tier.ts';

export type Costs = Record<'flooding' | 'leaf' | 'ultrapeer', readonly SearchCost[]>;

function mean(costs: readonly SearchCost[], of: (cost: SearchCost) => number): number {
  return Math.round((10 * costs.reduce((sum, cost) => sum + of(cost), 0)) / costs.length) / 10;
}

/** `flood`: messages that the cheapest flood takes. */
export function summaryOf(costs: Costs, flood: number): Record<string, Record<string, number>> {
  return Object.fromEntries(
    Object.entries(costs).map(([how, list]) => [
      how,
      {
        queries: mean(list, cost => cost.queries),
        hits: mean(list, cost => cost.hits),
        found: mean(list, cost => cost.found),
        records: mean(list, cost => cost.records),
        foundNothing: list.filter(cost => cost.found === 0).length,
        timesFewer: Math.round((10 * flood) / mean(list, cost => cost.queries)) / 10,
      },
    ]),
  );
}
