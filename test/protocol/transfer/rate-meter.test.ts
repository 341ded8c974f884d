import t from 'tap';
import { RateMeter } from '../../../protocol/transfer/rate-meter.ts';

t.test('a steady flow shows as its rate', async t => {
  const meter = new RateMeter(500);
  for (let now = 500; now < 20_500; now += 100) meter.add(1000, now);
  const rate = meter.bytesPerSecond(20_400);
  t.ok(rate > 9000 && rate < 11_000, `${rate}`);
});

t.test('a flow that stops is forgotten', async t => {
  const meter = new RateMeter(0);
  meter.add(1e6, 100);
  t.ok(meter.bytesPerSecond(1000) >= 1e6);
  t.ok(meter.bytesPerSecond(5000) <= 200_000);
  t.equal(meter.bytesPerSecond(9000), 0);
  t.equal(meter.bytesPerSecond(1e9), 0);
});

t.test('nothing yet is no rate, and the first moment no wild one', async t => {
  const meter = new RateMeter(1234);
  t.equal(meter.bytesPerSecond(1234), 0);
  meter.add(1000, 1234);
  t.equal(meter.bytesPerSecond(1235), 4000);
});
