// Calls to clients that wait without a connection, when a slot is kept for them.
import t from 'tap';
import { AddressLoads } from '../../../../../protocol/transfer/uploads/queue/address-load.ts';
import { QueueEntry } from '../../../../../protocol/transfer/uploads/queue/queue-entry.ts';
import { SlotOffers } from '../../../../../protocol/transfer/uploads/queue/slot-offers.ts';
import { SlotPool } from '../../../../../protocol/transfer/uploads/queue/slot-pool.ts';
import { VirtualInternet } from '../../../../../sim/servents/virtual-internet.ts';
import { placeOf, slotRequest, uploadQueue } from '../../../../support/upload-queue.ts';

const LIMITS = { slots: 1, slotsPerAddress: 2, queue: 50 };
const MINUTE = 60_000;
const node = (host: string) => ({ host, port: 6346 });

/** One has the slot; `addresses` wait without a connection. */
function scene(addresses: readonly string[], limits = LIMITS) {
  const called: [host: string, id: string, now: number][] = [];
  let now = 0;
  const callBack = ({ host }: { host: string }, id: string) => called.push([host, id, now]);
  const queue = uploadQueue(limits, { callBack });
  for (let i = 1; i <= limits.slots; i++) queue.ask(slotRequest(i, 'holder'), 0);
  const ids = addresses.map((host, i) => {
    const { id } = placeOf(queue.ask(slotRequest(100 + i, host, { node: node(host) }), i));
    queue.leave(100 + i, i);
    return id;
  });
  const until = (end: number) => {
    for (; now <= end; now += 1000) queue.tick(now);
  };
  return { queue, ids, called, until };
}

t.test('the first in the queue is called when a slot is free, once', async t => {
  const { queue, ids, called, until } = scene(['1.1.1.1', '1.1.1.2']);
  until(5_000);
  t.strictSame(called, [], 'no slot yet');
  queue.finish(1, 5_500);
  queue.leave(1, 5_500);
  until(60_000);
  t.strictSame(called, [['1.1.1.1', ids[0], 6_000]]);
  const polls = Array.from({ length: 12 }, () => queue.ask(slotRequest(7, '1.1.1.1', { id: ids[0] ?? '' }), 6_100));
  t.match(polls.at(-1), { kind: 'granted' }, 'a client that was called is not early');
});

t.test('who has a connection, no address, or only X-Queue is not called', async t => {
  const { queue, called, until } = scene([]);
  queue.ask(slotRequest(2, '1.1.1.1', { node: node('1.1.1.1') }), 0);
  queue.ask(slotRequest(3, '1.1.1.2'), 0);
  queue.leave(3, 0);
  queue.ask(slotRequest(4, '1.1.1.3', { node: node('1.1.1.3'), level: 'active' }), 0);
  queue.finish(1, 100);
  queue.leave(1, 100);
  until(100_000);
  t.strictSame(called, []);
});

t.test('one address is called once in 12 s', async t => {
  const { queue, called, until } = scene(['1.1.1.1', '1.1.1.1', '1.1.1.2'], {
    ...LIMITS,
    slots: 3,
    slotsPerAddress: 0,
  });
  for (const connection of [1, 2, 3]) {
    queue.finish(connection, 100);
    queue.leave(connection, 100);
  }
  until(60_000);
  t.strictSame(
    called.map(([host, , now]) => [host, now]),
    [
      ['1.1.1.1', 0],
      ['1.1.1.2', 0],
      ['1.1.1.1', 12_000],
    ],
  );
});

t.test('an entry is called each ten minutes, twice when no request follows, 144 times in all', async t => {
  const called: number[] = [];
  let now = 0;
  const offers = new SlotOffers(Number.POSITIVE_INFINITY, () => called.push(now / MINUTE));
  const file = { key: 'k', name: 'n', size: 1 };
  const load = new AddressLoads().get('1.1.1.1');
  const pool = new SlotPool('', 1, 1);
  const entry = new QueueEntry({ id: 'i', load, level: 'parq', agent: null, number: 1, file, pool }, 0);
  entry.node = node('1.1.1.1');
  const until = (end: number) => {
    for (; now <= end; now += MINUTE) offers.offer([entry], now);
  };
  until(60 * MINUTE);
  t.strictSame(called, [0, 10], 'nobody follows');
  entry.callRefusals = 0;
  until(100 * MINUTE);
  t.strictSame(called, [0, 10, 61, 71], 'it asked meanwhile');
  for (let i = 0; i < 200; i++) {
    entry.callRefusals = 0;
    until(now + 10 * MINUTE);
  }
  t.equal(called.length, 144);
});

t.test('a request sets the refusals back', async t => {
  const { queue, ids, called, until } = scene(['1.1.1.1']);
  queue.finish(1, 100);
  queue.leave(1, 100);
  until(2_000);
  t.equal(called.length, 1);
  const id = ids[0] ?? '';
  t.match(queue.record(id, 2_000, 2_000), { calls: 1, callRefusals: 1, callAt: 0 });
  queue.ask(slotRequest(5, '1.1.1.1', { id }), 3_000);
  t.match(queue.record(id, 3_000, 3_000), { calls: 1, callRefusals: 0 });
});

t.test('between two servents: the call comes from the server, and its id opens the slot', async t => {
  const internet = new VirtualInternet(5);
  const server = internet.add({ profile: 'public', settings: { uploads: LIMITS } });
  const client = internet.add({ profile: 'public' });
  internet.run(2_000);
  const { uploads } = server.servent;
  const now = () => internet.clock.ms;
  uploads.ask(slotRequest(1, '5.9.9.9'), now());
  const { host } = client.endpoint;
  const { id } = placeOf(uploads.ask(slotRequest(2, host, { node: client.endpoint }), now()));
  uploads.leave(2, now());
  internet.run(5_000);
  t.strictSame(client.calledBy, []);
  uploads.leave(1, now());
  internet.run(60_000);
  t.match(client.calledBy, [{ server: `${server.endpoint.host}:6346`, id }]);
  t.match(uploads.ask(slotRequest(3, host, { id }), now()), { kind: 'granted', id });
});
