// Clients that fetch parts from each other: credits by eMule's rule, and every client gets every part once.
import fc from 'fast-check';
import t from 'tap';
import { SeededRandom } from '../../../sim/seeded-random.ts';
import { creditOf, PartSwarm } from '../../../sim/transfer/part-swarm.ts';

t.test('credit: between 1 and 10, twice the ratio, the root of what was given', async t => {
  t.equal(creditOf(0.5, 0), 1, 'less than 1 MB counts for nothing');
  t.equal(creditOf(14, 0), 4);
  t.equal(creditOf(100, 100), 2);
  t.equal(creditOf(10, 100), 1);
  t.equal(creditOf(1000, 10), 10);
});

t.test('all have all parts in the end, and only damaged ones came again', async t => {
  const shape = { seed: fc.nat(), clients: fc.integer({ min: 2, max: 12 }), parts: fc.integer({ min: 1, max: 12 }) };
  const property = fc.property(
    fc.record(shape),
    fc.boolean(),
    fc.constantFrom(0, 0.2),
    (shape, withCredits, damage) => {
      const { seed, clients, parts } = shape;
      const swarm = new PartSwarm({
        ...{ clients, parts, withCredits, damage, sources: 1, random: new SeededRandom(seed) },
        shares: client => client % 2 === 0,
        partMs: 1000,
        askAgainMs: 2000,
      });
      swarm.network.run(3_600_000);
      return swarm.doneAt.every(at => at !== null) && swarm.fetched - swarm.damaged === (clients - 1) * parts;
    },
  );
  t.doesNotThrow(() => fc.assert(property, { seed: 1, numRuns: 40 }));
});
