// What the engine's own functions give, to the last bits; and the same bits on every machine.
import fc from 'fast-check';
import t from 'tap';
import { cosOfTurns, exp, log, log2, power } from '../../sim/exact-math.ts';
import { SeededRandom } from '../../sim/seeded-random.ts';

const isNear = (a: number, b: number): boolean => Math.abs(a - b) <= 4 * Number.EPSILON * Math.max(1e-3, Math.abs(b));
const of = (from: number, to: number) => fc.double({ min: from, max: to, noNaN: true, noDefaultInfinity: true });

t.test('near what the engine gives', async () => {
  fc.assert(fc.property(of(1e-12, 1e12), x => isNear(log(x), Math.log(x)) && isNear(log2(x), Math.log2(x))));
  fc.assert(fc.property(of(-30, 30), x => isNear(exp(x), Math.exp(x))));
  fc.assert(fc.property(of(0, 4), x => Math.abs(cosOfTurns(x) - Math.cos(2 * Math.PI * x)) < 1e-14));
  fc.assert(fc.property(of(1, 1e6), of(-2, 2), (x, y) => Math.abs(power(x, y) / x ** y - 1) < 1e-14));
});

t.test('exact where the result is', async t => {
  for (let k = -40; k <= 40; k++) t.equal(log2(2 ** k), k);
  t.equal(log(1), 0);
  t.equal(exp(0), 1);
  t.strictSame(
    [0, 0.25, 0.5, 0.75].map(turns => cosOfTurns(turns) + 0),
    [1, 0, -1, 0],
  );
});

t.test('of 0 and what is below there is no logarithm', async t => {
  for (const x of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) t.throws(() => log(x), RangeError);
});

t.test('the same draws everywhere', async t => {
  const random = new SeededRandom(1);
  const drawn = Float64Array.from({ length: 4 }, () => random.logNormal(600, 1.2));
  t.equal(
    Buffer.from(drawn.buffer).toString('hex'),
    'dd187d66002c7640ae01f6866d87484043025d2f29dd6440dbf348c2a3666b40',
  );
});
