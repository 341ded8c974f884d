import t from 'tap';
import { Settling } from '../../../daemon/library/settling.ts';

t.test('a file that changes under each attempt is tried at longer and longer intervals', async t => {
  const settling = new Settling(30_000);
  const waits: number[] = [];
  let now = 0;
  for (let attempt = 0; attempt < 7; attempt++) {
    settling.onChanged('log', now);
    waits.push(settling.dueAt - now);
    t.ok(settling.isWaiting('log'));
    t.strictSame(settling.take(settling.dueAt - 1), []);
    now = settling.dueAt;
    t.strictSame(settling.take(now), ['log']);
    t.notOk(settling.isWaiting('log'));
  }
  t.strictSame(waits, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  t.equal(settling.dueAt, Number.POSITIVE_INFINITY);
});

t.test('a file that was hashed at last is forgotten, and tried soon when it changes again', async t => {
  const settling = new Settling(30_000);
  settling.onChanged('a', 0);
  settling.onChanged('a', 1000);
  settling.onChanged('b', 1500);
  t.equal(settling.dueAt, 2500);
  settling.forget('a');
  t.strictSame(settling.take(10_000), ['b']);
  settling.onChanged('a', 10_000);
  t.equal(settling.dueAt, 11_000);
});
