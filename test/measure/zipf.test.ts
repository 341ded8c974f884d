import t from 'tap';
import { fitZipf } from '../../measure/zipf.ts';
import { SeededRandom } from '../../sim/seeded-random.ts';

/** Draws by p(r) ~ r^-s, and how often each was drawn. */
function drawn(s: number, things: number, draws: number, seed: number): { count: number; of: number }[] {
  const random = new SeededRandom(seed);
  const sums: number[] = [];
  let sum = 0;
  for (let rank = 1; rank <= things; rank++) {
    sum += rank ** -s;
    sums.push(sum);
  }
  const counts = new Array<number>(things).fill(0);
  for (let n = 0; n < draws; n++) {
    const at = (random.below(2 ** 30) / 2 ** 30) * sum;
    let [low, high] = [0, things - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) > at) high = middle;
      else low = middle + 1;
    }
    counts[low] = (counts[low] ?? 0) + 1;
  }
  return counts.map(count => ({ count, of: 1 }));
}

t.test('a known exponent comes out within the stated error', async t => {
  for (const s of [0.6, 0.8, 1, 1.2, 1.6]) {
    const fit = fitZipf(drawn(s, 5_000, 60_000, 7));
    t.ok(fit !== null && Math.abs(fit.exponent - s) <= fit.error, `${s}: ${fit?.exponent} ± ${fit?.error}`);
    t.ok(fit !== null && fit.error < 0.1);
  }
});

t.test('exact frequencies give the exact exponent; too few give none', async t => {
  const exact = Array.from({ length: 200 }, (_, i) => ({ count: Math.round(1e6 / (i + 1)), of: 1 }));
  t.ok(Math.abs((fitZipf(exact)?.exponent ?? 0) - 1) < 0.001);
  t.equal(fitZipf([]), null);
  t.equal(fitZipf([{ count: 9, of: 1 }]), null);
  t.ok(Math.abs(fitZipf([{ count: 100, of: 50 }])?.exponent ?? 1) < 0.001, 'all as frequent');
});
