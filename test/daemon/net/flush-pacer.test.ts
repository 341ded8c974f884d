import t from 'tap';
import { type Flushable, FlushPacer } from '../../../daemon/net/flush-pacer.ts';
import { eventually } from '../../support/loopback.ts';

class Counter implements Flushable {
  flushes = 0;
  onFlush: (() => void) | null = null;
  flush(): number {
    this.flushes++;
    this.onFlush?.();
    return 1;
  }
}

/** A write a millisecond, two ahead. */
const COSTS = { writeUs: 1000, frameUs: 0, usPerMs: 1000, burstUs: 2000, waitMsMax: 1 };

const turn = () => new Promise(resolve => setImmediate(resolve));

t.test('while writes are few the end of the turn is soon enough, and all go together', async t => {
  let now = 0;
  const pacer = new FlushPacer(COSTS, () => now);
  const [a, b] = [new Counter(), new Counter()];
  pacer.schedule(a);
  pacer.schedule(b);
  t.equal(a.flushes, 0, 'not in the middle of the turn');
  await turn();
  t.strictSame([a.flushes, b.flushes, pacer.rounds], [1, 1, 1]);
  now = 0.1;
  pacer.schedule(b);
  await turn();
  t.strictSame([a.flushes, b.flushes, pacer.rounds], [1, 2, 2], 'a tenth of a millisecond later too');
});

t.test('once writes are dear everybody waits for one timer', async t => {
  let now = 0;
  const pacer = new FlushPacer(COSTS, () => now);
  const [a, b, c] = [new Counter(), new Counter(), new Counter()];
  for (const counter of [a, b, c]) pacer.schedule(counter);
  await turn();
  t.equal(pacer.rounds, 1);
  now = 0.5;
  pacer.schedule(a);
  pacer.schedule(b);
  await turn();
  t.equal(a.flushes, 1, 'not at the end of this turn');
  await eventually('the timer fired', () => pacer.rounds === 2);
  t.strictSame([a.flushes, b.flushes], [2, 2]);
  now = 10;
  pacer.schedule(b);
  await turn();
  t.equal(b.flushes, 3, 'at once again after a quiet time');
});

t.test('what a write holds counts too', async t => {
  const now = 0;
  const pacer = new FlushPacer({ ...COSTS, writeUs: 0, frameUs: 3000 }, () => now);
  const a = new Counter();
  pacer.schedule(a);
  await turn();
  pacer.schedule(a);
  await turn();
  t.equal(a.flushes, 1);
  await eventually('the timer fired', () => a.flushes === 2);
});

t.test('who asks again during a round waits for the next one', async t => {
  let now = 0;
  const pacer = new FlushPacer(COSTS, () => now);
  const a = new Counter();
  a.onFlush = () => {
    if (a.flushes < 3) pacer.schedule(a);
    now += 10;
  };
  pacer.schedule(a);
  await turn();
  t.equal(a.flushes, 1);
  await eventually('the others came', () => a.flushes === 3);
  t.equal(pacer.rounds, 3);
});
