import t from 'tap';
import { history } from '../../../api/schemas/monitor.ts';
import { History, type Reading, type StoredRing } from '../../../daemon/observation/history.ts';

const START = Date.parse('2026-11-21T10:00:00Z');
const reading = (total: number, peers = 1): Reading => ({
  totals: { messagesIn: total, messagesOut: 0, bytesIn: total * 10, bytesOut: 0, queries: 0 },
  now: { download: 0, upload: 0, peers },
});

/** A clock whose monotonic time begins at 0 in each run, and a store of rings. */
function run(stored = new Map<string, StoredRing>(), wallTime = START) {
  const clock = { at: 0, now: () => clock.at, wallTime: () => wallTime + clock.at };
  const store = {
    get: async (name: string) => stored.get(name),
    put: (name: string, ring: StoredRing) => void stored.set(name, ring),
  };
  const rings = new History(reading(0), clock, store);
  const pass = (at: number, total: number): void => {
    clock.at = at;
    rings.add(reading(total));
  };
  return { rings, pass, stored };
}

t.test('rates of the latest minute, hour and day', async t => {
  const { rings, pass } = run();
  for (let second = 1; second <= 1200; second++) pass(second * 1000, second * 5);
  const view = history.parse(rings.view());
  t.equal(view.minute.messagesIn.length, 60);
  t.equal(view.hour.messagesIn.length, 40);
  t.equal(view.day.messagesIn.length, 2);
  for (const { messagesIn, bytesIn, peers } of Object.values(view))
    t.ok(messagesIn.every(rate => rate === 5) && bytesIn.every(rate => rate === 50) && peers.every(n => n === 1));
  t.equal(view.minute.until, '2026-11-21T10:20:00.000Z');
});

t.test('a suspended machine and totals that shrink make no negative rate', async t => {
  const { rings, pass } = run();
  pass(0, 1000);
  pass(1000, 1000);
  pass(2000, 10);
  pass(2000, 10);
  pass(102_000, 100_010);
  t.strictSame(rings.view().minute.messagesIn, [1000, 0, 1000]);
});

t.test('a day, a month and a year go on after a restart; what was missed is 0', async t => {
  const first = run();
  for (let second = 10; second <= 5400; second += 10) first.pass(second * 1000, second * 5);
  first.rings.keep();
  t.equal(first.rings.view().month.messagesIn.length, 1);
  const hours = 3;
  const second = run(first.stored, START + (1.5 + hours) * 3_600_000);
  await second.rings.start();
  const { minute, day, month, year } = second.rings.view();
  t.strictSame(minute.messagesIn, [], 'it begins anew');
  t.equal(day.messagesIn.length, 9 + 6 * hours);
  t.strictSame(day.messagesIn.slice(8, 11), [5, 0, 0]);
  t.strictSame(month.messagesIn, [5, 5, 0, 0], 'the hour under way is the mean of what was seen of it');
  t.strictSame(year.messagesIn, []);
});

t.test('a clock that was set back, or far forward, breaks nothing', async t => {
  const first = run();
  for (let second = 10; second <= 7200; second += 10) first.pass(second * 1000, second * 5);
  first.rings.keep();
  const past = run(first.stored, START - 86_400_000);
  await past.rings.start();
  t.strictSame(past.rings.view().month.messagesIn, [5, 5]);
  const future = run(first.stored, START + 400 * 366 * 86_400_000);
  await future.rings.start();
  t.equal(future.rings.view().month.messagesIn.length, 720);
  t.ok(future.rings.view().year.messagesIn.every(rate => rate === 0));
});
