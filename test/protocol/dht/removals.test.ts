import t from 'tap';
import { DhtCounters } from '../../../protocol/dht/dht-counters.ts';
import type { DhtMessage } from '../../../protocol/dht/dht-message.ts';
import type { DhtValue } from '../../../protocol/dht/dht-value.ts';
import { REMOVALS_MAX, Removals } from '../../../protocol/dht/removals.ts';
import type { Addressee, RequestBody, RequestEnds, Requests } from '../../../protocol/dht/requests.ts';
import { contactOf, endpointOf } from '../../support/dht-contacts.ts';

const creator = contactOf(Buffer.alloc(20, 1), endpointOf(1));

interface Sent {
  readonly to: Addressee;
  readonly body: RequestBody;
  readonly ends: RequestEnds;
}

/** Keepers of values, of which some say nothing. Answers come with the next step of 100 ms. */
function scene(isSilent: (to: Addressee) => boolean = () => false) {
  let waiting: Sent[] = [];
  let stores = 0;
  let asks = 0;
  let most = 0;
  const ask = (to: Addressee, body: RequestBody, _now: number, ends: RequestEnds): boolean => {
    waiting.push({ to, body, ends });
    asks++;
    if (body.kind === 'store') stores++;
    most = Math.max(most, waiting.length);
    return true;
  };
  const { removals: ends } = new DhtCounters();
  const removals = new Removals({ ask } as unknown as Requests, ends);
  let now = 0;
  const step = (): void => {
    now += 100;
    const answered = waiting;
    waiting = [];
    for (const { to, body, ends } of answered) {
      if (isSilent(to) || body.kind !== 'store') ends.onSilence?.(now);
      else ends.onAnswer?.(acknowledged(body.values, to), true, now);
    }
    removals.tick(now);
  };
  const run = (steps: number): void => {
    for (let i = 0; i < steps; i++) step();
  };
  return { removals, ends, run, stores: () => stores, asks: () => asks, most: () => most, now: () => now };
}

function acknowledged(values: readonly DhtValue[], { kuid, endpoint }: Addressee): DhtMessage {
  const contact = contactOf(kuid as Buffer, endpoint);
  const header = { muid: Buffer.alloc(16), contact, instance: 1, firewalled: false, leaving: false };
  const statuses = values.map(({ key, creator: { kuid: by }, data }) => {
    return { key, creator: by, code: data.length === 0 ? 1 : 2, text: '' };
  });
  return { kind: 'storeAck', header, statuses };
}

function numbered(n: number): DhtValue {
  const key = Buffer.alloc(20);
  key.writeUInt32BE(n);
  return { creator, key, type: 'ALOC', version: 1, data: Buffer.from('here') };
}

const keepers = Array.from({ length: 20 }, (_, i) => {
  const target = contactOf(Buffer.alloc(20, 100 + i), endpointOf(100 + i));
  return { target, token: Buffer.alloc(4) };
});

t.test('thousands of values are removed from every node that keeps them, at a pace', async t => {
  const { removals, ends, run, stores, most } = scene();
  for (let n = 0; n < 3_000; n++) removals.add(`${n}`, numbered(n), keepers, 0);
  t.equal(removals.waiting, 60_000);
  run(600);
  t.ok(stores() >= 1_500 && stores() <= 1_600, `${stores()} in a minute`);
  run(24_000);
  t.equal(ends.of('removed'), 60_000);
  t.equal(removals.waiting, 0);
  t.ok(most() <= 64, 'room for other requests is left');
  t.equal(removals.nextAt, Number.POSITIVE_INFINITY);
});

t.test('what is more than may wait is left out, and counted', async t => {
  const { removals, ends } = scene();
  for (let n = 0; n < 4_000; n++) removals.add(`${n}`, numbered(n), keepers, 0);
  t.equal(removals.waiting, REMOVALS_MAX);
  t.equal(ends.of('left_out'), 80_000 - REMOVALS_MAX);
});

t.test('a node that says nothing is asked some times again, and holds nobody up', async t => {
  const silent = keepers[0]?.target.kuid as Buffer;
  const { removals, ends, run } = scene(({ kuid }) => kuid?.equals(silent) === true);
  removals.add('one', numbered(1), keepers, 0);
  run(10);
  t.equal(ends.of('removed'), 19);
  t.equal(removals.waiting, 1, 'later');
  run(6_000);
  t.equal(ends.of('silent'), 1);
  t.equal(removals.waiting, 0);
});

t.test('a value that is published again is removed no more', async t => {
  const { removals, ends, run, stores, now } = scene();
  for (let n = 0; n < 100; n++) removals.add(`${n}`, numbered(n), keepers, 0);
  for (let n = 0; n < 100; n++) removals.cancel(`${n}`);
  run(100);
  t.strictSame([stores(), removals.waiting], [0, 0]);
  removals.add('1', numbered(1), keepers, now());
  run(100);
  t.equal(ends.of('removed'), 20);
});

t.test('of a value that is published again, removals on their way are not repeated', async t => {
  let isLost = true;
  const { removals, run, asks, now } = scene(() => isLost);
  removals.add('1', numbered(1), keepers, 0);
  removals.tick(now());
  const sent = asks();
  t.ok(sent > 0);
  removals.cancel('1');
  run(1);
  isLost = false;
  run(10_000);
  t.strictSame([asks(), removals.waiting], [sent, 0]);
});
