// Links of limited rate: shares are max-min fair, transfers end when their units have flowed, one after the other on each connection.
import fc from 'fast-check';
import t from 'tap';
import { FluidLinks } from '../../sim/fluid-links.ts';
import { Network } from '../../sim/network.ts';
import { SeededRandom } from '../../sim/seeded-random.ts';

function linksOf(up: number[], down: number[]): { links: FluidLinks; network: Network<never> } {
  const network = new Network<never>({ nodes: up.length, random: new SeededRandom(1) });
  return { network, links: new FluidLinks(network, { up, down }) };
}

t.test('two to one share its downlink, and what one leaves the other takes', async t => {
  const { network, links } = linksOf([10, 2, 10], [10, 10, 8]);
  const ends: [string, number][] = [];
  const note = (name: string) => (): void => void ends.push([name, Math.round(network.now)]);
  links.send(0, 2, 12, note('fast'));
  links.send(1, 2, 4, note('slow'));
  links.send(1, 2, 2, note('second on the same connection'));
  t.strictSame([links.rate(0, 2), links.rate(1, 2)], [6, 2]);
  network.run();
  t.strictSame(ends, [
    ['fast', 2_000],
    ['slow', 2_000],
    ['second on the same connection', 3_000],
  ]);
  t.equal(links.active, 0);
});

t.test('what is cancelled or cut flows no more', async t => {
  const { network, links } = linksOf([1, 1], [9, 9]);
  let done = 0;
  const first = links.send(0, 1, 5, () => done++);
  links.send(0, 1, 1, () => done++);
  network.run(1_000);
  links.cancel(0, 1, first);
  network.run(2_000);
  t.strictSame([done, links.active], [1, 0]);
  links.send(0, 1, 1, () => done++);
  links.cut(1);
  network.run();
  t.strictSame([done, links.rate(0, 1)], [1, 0]);
});

t.test('a rate of 0 or without end is refused', async t => {
  t.throws(() => linksOf([0], [1]), RangeError);
  t.throws(() => linksOf([1], [Number.POSITIVE_INFINITY]), RangeError);
});

t.test('each connection has a full link on which none is faster', async t => {
  const rate = fc.integer({ min: 1, max: 20 });
  const rates = fc.array(rate, { minLength: 6, maxLength: 6 });
  const pairs = fc.uniqueArray(fc.tuple(fc.nat(5), fc.nat(5)), { minLength: 1, maxLength: 20, selector: String });
  const fair = fc.property(rates, rates, pairs, (up, down, pairs) => {
    const { links } = linksOf(up, down);
    for (const [from, to] of pairs) links.send(from, to, 1, () => undefined);
    const of = pairs.map(([from, to]) => links.rate(from, to));
    const isBottleneck = (i: number, end: 0 | 1): boolean => {
      const node = pairs[i]?.[end] ?? 0;
      const over = of.filter((_, j) => pairs[j]?.[end] === node);
      const capacity = (end === 0 ? up : down)[node] ?? 0;
      const total = over.reduce((sum, one) => sum + one, 0);
      if (total > capacity + 1e-6) throw new Error('more flows than the link carries');
      return total > capacity - 1e-6 && Math.max(...over) <= (of[i] ?? 0) + 1e-6;
    };
    return pairs.every((_, i) => [isBottleneck(i, 0), isBottleneck(i, 1)].includes(true));
  });
  t.doesNotThrow(() => fc.assert(fair, { seed: 1 }));
});

t.test('all that is sent takes as long as the units over the rate, whatever the order', async t => {
  const sent = fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 30 }), units => {
    const { network, links } = linksOf([2, 5, 5, 5], [5, 5, 5, 5]);
    let done = 0;
    for (const [i, unit] of units.entries()) links.send(0, 1 + (i % 3), unit, () => done++);
    network.run();
    const total = units.reduce((sum, unit) => sum + unit, 0);
    return done === units.length && Math.abs(network.now - total * 500) < 1;
  });
  t.doesNotThrow(() => fc.assert(sent, { seed: 1, numRuns: 50 }));
});
