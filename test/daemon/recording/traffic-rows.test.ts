import t from 'tap';
import { TrafficRows } from '../../../daemon/recording/traffic-rows.ts';
import { OverlayCounters } from '../../../protocol/overlay/links/counters.ts';
import { Drop, Drops } from '../../../protocol/overlay/links/drops.ts';
import type { Servent } from '../../../protocol/servent.ts';

t.test('a row has what changed, and the connections that there were meanwhile', async t => {
  const counters = new OverlayCounters();
  const drops = new Drops();
  const overlay = { counters, drops, bytesOut: 0, counts: { leaves: 0, ultrapeers: 0 } };
  const rows = new TrafficRows({ overlay, role: { role: 'leaf' } } as unknown as Servent, 1000);
  t.equal(rows.next(1500, false), null, 'nothing has changed');
  counters.queriesIn = 5;
  drops.count(Drop.Duplicate);
  drops.count(Drop.DuplicateSameLink);
  t.match(rows.next(2000, false), {
    span_ms: 1000,
    mode: 'leaf',
    ultrapeers: 0,
    queries_in: 5,
    duplicates_in: 2,
    dropped_in: 2,
  });
  overlay.counts = { leaves: 0, ultrapeers: 3 };
  t.match(rows.next(2500, false), { span_ms: 500, ultrapeers: 0, queries_in: 0 }, 'the time before the change');
  t.equal(rows.next(12_000, false), null);
  t.match(rows.next(12_500, false), { span_ms: 10_000, ultrapeers: 3 }, 'ten seconds without a change');
  t.match(rows.next(13_000, true), { span_ms: 500, ultrapeers: 3 }, 'the last row');
});
