import t from 'tap';
import { K } from '../../../protocol/dht/bucket.ts';
import { compareDistance, randomKuid } from '../../../protocol/dht/kuid.ts';
import { SizeEstimate } from '../../../protocol/dht/size-estimate.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';

t.test('the density around targets tells the size of the network', async t => {
  const random = new SeededRandom(1);
  for (const nodes of [100, 5_000]) {
    const kuids = Array.from({ length: nodes }, () => randomKuid(random));
    const estimate = new SizeEstimate();
    for (let i = 0; i < 20; i++) {
      const target = randomKuid(random);
      const nearest = kuids.toSorted((a, b) => compareDistance(target, a, b)).slice(0, K);
      estimate.aroundTarget(target, nearest, i);
    }
    t.ok(estimate.size > nodes / 1.5 && estimate.size < nodes * 1.5, `${estimate.size} for ${nodes}`);
  }
});

t.test('what others say counts as one word among many', async t => {
  const random = new SeededRandom(2);
  const estimate = new SizeEstimate();
  t.equal(estimate.size, 1);
  estimate.fromOther(1_000, 0);
  t.equal(estimate.size, 1_000);
  const kuids = Array.from({ length: 500 }, () => randomKuid(random));
  for (let i = 0; i < 5; i++) {
    const target = randomKuid(random);
    estimate.aroundTarget(target, kuids.toSorted((a, b) => compareDistance(target, a, b)).slice(0, K), 1);
  }
  const before = estimate.size;
  for (let i = 0; i < 100; i++) estimate.fromOther(4_000_000_000, 2);
  t.ok(estimate.size < 1.6 * before, `${estimate.size} after ${before}`);
  estimate.fromOther(2 ** 159, 3);
  estimate.fromOther(Number.NaN, 3);
  t.ok(Number.isSafeInteger(estimate.size));
});
