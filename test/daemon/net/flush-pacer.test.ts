import t from 'tap';
import { type Flushable, FlushPacer } from '../../../daemon/net/flush-pacer.ts';

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

/** Turns and timers that end when the test says so. */
class Turns {
  readonly #immediates: (() => void)[] = [];
  readonly #timeouts: { round: () => void; ms: number }[] = [];

  setImmediate(round: () => void): void {
    this.#immediates.push(round);
  }

  setTimeout(round: () => void, ms: number): void {
    this.#timeouts.push({ round, ms });
  }

  /** Ends the turn. */
  end(): void {
    for (const round of this.#immediates.splice(0)) round();
  }

  /** Fires the timers; returns how long each was to wait, in milliseconds. */
  fire(): number[] {
    return this.#timeouts.splice(0).map(({ round, ms }) => {
      round();
      return ms;
    });
  }
}

t.test('while writes are few the end of the turn is soon enough, and all go together', t => {
  const turns = new Turns();
  let now = 0;
  const pacer = new FlushPacer(COSTS, () => now, turns);
  const [a, b] = [new Counter(), new Counter()];
  pacer.schedule(a);
  pacer.schedule(b);
  t.equal(a.flushes, 0, 'not in the middle of the turn');
  turns.end();
  t.strictSame([a.flushes, b.flushes, pacer.rounds], [1, 1, 1]);
  now = 0.1;
  pacer.schedule(b);
  turns.end();
  t.strictSame([a.flushes, b.flushes, pacer.rounds], [1, 2, 2], 'a tenth of a millisecond later too');
  t.end();
});

t.test('once writes are dear everybody waits for one timer', t => {
  const turns = new Turns();
  let now = 0;
  const pacer = new FlushPacer(COSTS, () => now, turns);
  const [a, b, c] = [new Counter(), new Counter(), new Counter()];
  for (const counter of [a, b, c]) pacer.schedule(counter);
  turns.end();
  t.equal(pacer.rounds, 1);
  now = 0.5;
  pacer.schedule(a);
  pacer.schedule(b);
  turns.end();
  t.equal(a.flushes, 1, 'not at the end of this turn');
  t.strictSame(turns.fire(), [1], 'one timer for both');
  t.equal(pacer.rounds, 2);
  t.strictSame([a.flushes, b.flushes], [2, 2]);
  now = 10;
  pacer.schedule(b);
  turns.end();
  t.equal(b.flushes, 3, 'at once again after a quiet time');
  t.end();
});

t.test('what a write holds counts too', t => {
  const turns = new Turns();
  const now = 0;
  const pacer = new FlushPacer({ ...COSTS, writeUs: 0, frameUs: 3000 }, () => now, turns);
  const a = new Counter();
  pacer.schedule(a);
  turns.end();
  pacer.schedule(a);
  turns.end();
  t.equal(a.flushes, 1);
  t.equal(turns.fire().length, 1);
  t.equal(a.flushes, 2);
  t.end();
});

t.test('who asks again during a round waits for the next one', t => {
  const turns = new Turns();
  let now = 0;
  const pacer = new FlushPacer(COSTS, () => now, turns);
  const a = new Counter();
  a.onFlush = () => {
    if (a.flushes < 3) pacer.schedule(a);
    now += 10;
  };
  pacer.schedule(a);
  turns.end();
  t.equal(a.flushes, 1);
  turns.end();
  turns.end();
  t.equal(a.flushes, 3);
  t.equal(pacer.rounds, 3);
  t.end();
});
