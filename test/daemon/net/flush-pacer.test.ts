import t from 'tap';
import { type Flushable, FlushPacer } from '../../../daemon/net/flush-pacer.ts';
import { eventually } from '../../support/loopback.ts';

class Counter implements Flushable {
  flushes = 0;
  onFlush: (() => void) | null = null;
  flush(): void {
    this.flushes++;
    this.onFlush?.();
  }
}

const turn = () => new Promise(resolve => setImmediate(resolve));

t.test('after a quiet time the end of the turn is soon enough, and all go together', async t => {
  let now = 0;
  const pacer = new FlushPacer(1, () => now);
  const [a, b] = [new Counter(), new Counter()];
  pacer.schedule(a);
  pacer.schedule(b);
  t.equal(a.flushes, 0, 'not in the middle of the turn');
  await turn();
  t.strictSame([a.flushes, b.flushes, pacer.rounds], [1, 1, 1]);
  now = 1;
  pacer.schedule(b);
  await turn();
  t.strictSame([a.flushes, b.flushes, pacer.rounds], [1, 2, 2]);
});

t.test('within an interval of the last round everybody waits for one timer', async t => {
  let now = 0;
  const pacer = new FlushPacer(1, () => now);
  const [a, b] = [new Counter(), new Counter()];
  pacer.schedule(a);
  await turn();
  now = 0.5;
  pacer.schedule(a);
  pacer.schedule(b);
  await turn();
  await eventually('the timer fired', () => pacer.rounds === 2);
  t.strictSame([a.flushes, b.flushes], [2, 1]);
  now = 0.9;
  pacer.schedule(b);
  await eventually('it fired again', () => pacer.rounds === 3);
  t.equal(b.flushes, 2);
});

t.test('who asks again during a round waits for the next one', async t => {
  let now = 0;
  const pacer = new FlushPacer(1, () => now);
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
