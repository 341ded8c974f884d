import t from 'tap';
import { history } from '../../../api/schemas/monitor.ts';
import { History, type Reading } from '../../../daemon/observation/history.ts';

const reading = (total: number, peers = 1): Reading => ({
  totals: { messagesIn: total, messagesOut: 0, bytesIn: total * 10, bytesOut: 0, queries: 0 },
  now: { download: 0, upload: 0, peers },
});

t.test('rates of the latest minute, hour and day', async t => {
  const rings = new History(reading(0), 0);
  for (let second = 1; second <= 1200; second++) rings.add(reading(second * 5), second * 1000);
  const view = history.parse(rings.view(at => Date.parse('2026-11-21T10:00:00Z') + at));
  t.equal(view.minute.messagesIn.length, 60);
  t.equal(view.hour.messagesIn.length, 40);
  t.equal(view.day.messagesIn.length, 2);
  for (const { messagesIn, bytesIn, peers } of Object.values(view))
    t.ok(messagesIn.every(rate => rate === 5) && bytesIn.every(rate => rate === 50) && peers.every(n => n === 1));
  t.equal(view.minute.until, '2026-11-21T10:20:00.000Z');
});

t.test('a suspended machine and totals that shrink make no negative rate', async t => {
  const rings = new History(reading(1000), 0);
  rings.add(reading(10), 1000);
  rings.add(reading(10), 1000);
  rings.add(reading(100_010), 101_000);
  t.strictSame(rings.view(at => at).minute.messagesIn, [0, 1000]);
});
