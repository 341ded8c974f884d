// PARQ: places that are known by id and outlive their connections.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { parseQueued } from '../../../../../protocol/transfer/queue-status.ts';
import { retryMsOf } from '../../../../../protocol/transfer/uploads/queue/poll-times.ts';
import { sizeClassOf } from '../../../../../protocol/transfer/uploads/queue/size-class.ts';
import { readFixture } from '../../../../support/fixtures.ts';
import { MIB, placeOf, slotRequest, uploadQueue } from '../../../../support/upload-queue.ts';

const LIMITS = { slots: 1, slotsPerAddress: 2, queue: 50 };

interface Vectors {
  parq_retry_gtkg: { position: number; seconds: number }[];
  parq_queue_index: { N: number; cases: { MiB: number; queue: number }[] };
}
const vectors = readFixture<Vectors>('vectors/transfer-vectors.json');

t.test('size classes and times of gtk-gnutella', async t => {
  const { N, cases } = vectors.parq_queue_index;
  for (const { MiB, queue } of cases) t.equal(sizeClassOf(MiB * MIB, N), queue, `${MiB} MiB`);
  for (const { position, seconds } of vectors.parq_retry_gtkg) t.equal(retryMsOf(position, false), seconds * 1000);
  t.equal(retryMsOf(1, true), 300_000, 'frozen');
  t.equal(retryMsOf(50, true), retryMsOf(50, false));
});

t.test('a place outlives its connection, and gets the slot in its turn', async t => {
  const queue = uploadQueue(LIMITS);
  t.match(queue.ask(slotRequest(1, 'a'), 0), { kind: 'granted', id: /^[0-9a-f]{32}$/ });
  const first = placeOf(queue.ask(slotRequest(2, 'b'), 0));
  const second = placeOf(queue.ask(slotRequest(3, 'c'), 0));
  t.match(
    [first, second],
    [
      { position: 1, retryMs: 30_000 },
      { position: 2, retryMs: 45_000 },
    ],
  );
  queue.leave(2, 100);
  queue.leave(3, 100);
  t.equal(queue.waiting, 2);
  t.match(
    queue.absent().map(({ address, queue: { position } }) => [address, position]),
    [
      ['b', 1],
      ['c', 2],
    ],
  );
  t.match(placeOf(queue.ask(slotRequest(4, 'c', { id: second.id }), 45_000)), { id: second.id, position: 2 });
  queue.finish(1, 46_000);
  queue.leave(1, 46_000);
  t.match(queue.ask(slotRequest(5, 'd'), 46_000), { kind: 'queued' }, 'the slot is kept for the first');
  t.match(queue.ask(slotRequest(6, 'b', { id: first.id.toUpperCase() }), 47_000), { kind: 'granted', id: first.id });
  t.equal(queue.view(4)?.position, 1);
});

t.test('who does not come back in time loses the place, but not the id', async t => {
  const queue = uploadQueue(LIMITS);
  queue.ask(slotRequest(1, 'a'), 0);
  const { id } = placeOf(queue.ask(slotRequest(2, 'b'), 0));
  placeOf(queue.ask(slotRequest(3, 'c'), 0));
  queue.leave(2, 0);
  queue.tick(129_999);
  t.equal(queue.waiting, 2);
  queue.tick(130_000);
  t.equal(queue.waiting, 1);
  t.match(placeOf(queue.ask(slotRequest(4, 'b', { id }), 131_000)), { id, position: 2 });
  queue.leave(4, 131_000);
  queue.tick(131_000 + 145_000);
  queue.tick(131_000 + 145_000 + 600_000);
  t.not(placeOf(queue.ask(slotRequest(5, 'b', { id }), 900_000)).id, id, 'forgotten at last');
  t.equal(queue.violations.of('unknown_id'), 1);
});

t.test('ids that are wrong, borrowed or in use open no door', async t => {
  const told: unknown[] = [];
  const queue = uploadQueue(LIMITS, { conduct: { violated: (...what) => told.push(what) } });
  const granted = queue.ask(slotRequest(1, 'a'), 0);
  const { id } = placeOf(queue.ask(slotRequest(2, 'b'), 0));
  t.match(
    placeOf(queue.ask(slotRequest(3, 'c', { id }), 5)),
    { position: 2 },
    'borrowed: a place of its own, at the end',
  );
  t.match(placeOf(queue.ask(slotRequest(4, 'd', { id: '0'.repeat(32) }), 6)), { position: 3 });
  const inUse = granted.kind === 'granted' ? granted.id : null;
  t.match(queue.ask(slotRequest(5, 'a', { id: inUse }), 7), { kind: 'busy' });
  t.strictSame(told, [
    ['borrowed_id', 'c', 5],
    ['unknown_id', 'd', 6],
    ['replayed_id', 'a', 7],
  ]);
  t.match(
    placeOf(queue.ask(slotRequest(6, 'b', { id }), 40_000)),
    { id, position: 1 },
    'a new connection of its owner',
  );
  queue.leave(2, 40_000);
  t.equal(queue.view(6)?.id, id, 'the old one says nothing any more');
});

t.test('a client that lost its id gets its place again, where an address is that of one client', async t => {
  for (const slotsPerAddress of [2, 0]) {
    const queue = uploadQueue({ ...LIMITS, slotsPerAddress });
    queue.ask(slotRequest(1, 'a'), 0);
    const { id } = placeOf(queue.ask(slotRequest(2, 'b', { agent: 'X' }), 0));
    queue.leave(2, 0);
    t.not(placeOf(queue.ask(slotRequest(3, 'b', { agent: 'Y' }), 1)).id, id);
    t.equal(placeOf(queue.ask(slotRequest(4, 'b', { agent: 'X' }), 1)).id === id, slotsPerAddress > 0);
  }
});

t.test('a slot is not a file: the place goes on for another one, in its size class', async t => {
  const queue = uploadQueue({ ...LIMITS, slots: 2 });
  queue.ask(slotRequest(1, 'a', { size: 700 * MIB }), 0);
  queue.ask(slotRequest(2, 'b', { size: 700 * MIB }), 0);
  const early = placeOf(queue.ask(slotRequest(3, 'c', { size: 700 * MIB }), 0));
  t.match(placeOf(queue.ask(slotRequest(4, 'd', { size: MIB }), 1)), { position: 1 });
  t.equal(queue.view(4)?.sizeClass, 2);
  t.match(placeOf(queue.ask(slotRequest(3, 'c', { id: early.id, size: MIB }), 30_000)), { id: early.id, position: 1 });
  t.equal(queue.view(4)?.position, 2, 'who came later is behind');
  queue.finish(1, 31_000);
  t.match(queue.ask(slotRequest(1, 'a', { size: MIB }), 32_000), { kind: 'granted' }, 'nor is a slot that one has');
});

t.test('a client whose connection breaks has its slot for 45 s, once in two minutes', async t => {
  const queue = uploadQueue(LIMITS);
  const granted = queue.ask(slotRequest(1, 'a'), 0);
  const id = granted.kind === 'granted' ? granted.id : null;
  queue.finish(1, 1000, true);
  queue.leave(1, 1000);
  t.ok(queue.busy(45_999));
  t.match(queue.ask(slotRequest(2, 'b'), 30_000), { kind: 'queued' });
  t.match(queue.ask(slotRequest(3, 'a', { id }), 40_000), { kind: 'granted', id });
  queue.leave(3, 50_000);
  t.notOk(queue.busy(50_000), 'the second time');
  t.match(queue.ask(slotRequest(2, 'b'), 60_000), { kind: 'granted' });
  queue.leave(2, 60_000);
  t.ok(queue.busy(104_999));
  t.notOk(queue.busy(105_000));
});

t.test('who has the end of the file leaves the slot at once', async t => {
  const queue = uploadQueue(LIMITS);
  queue.ask(slotRequest(1, 'a'), 0);
  queue.finish(1, 10);
  queue.leave(1, 10);
  t.notOk(queue.busy(10));
  queue.ask(slotRequest(2, 'a', { toEnd: false }), 20);
  queue.finish(2, 30);
  queue.leave(2, 30);
  t.ok(queue.busy(15_029), 'else it may come back for more');
  t.notOk(queue.busy(15_030));
});

t.test('ten polls before their time end the place; who is a little early is not counted', async t => {
  const told: string[] = [];
  const queue = uploadQueue(LIMITS, { conduct: { violated: violation => told.push(violation) } });
  queue.ask(slotRequest(1, 'a'), 0);
  const { id } = placeOf(queue.ask(slotRequest(2, 'b'), 0));
  for (let now = 20_001; now < 500_000; now += 20_001) placeOf(queue.ask(slotRequest(2, 'b', { id }), now));
  for (let i = 1; i < 10; i++) placeOf(queue.ask(slotRequest(2, 'b', { id }), 480_024 + i * 1000));
  const now = 490_024;
  t.match(queue.ask(slotRequest(2, 'b', { id }), now), { kind: 'early', retryMs: 29_000 });
  t.strictSame(told, ['early_polls']);
  t.equal(queue.waiting, 0);
  t.match(queue.ask(slotRequest(2, 'b'), now), { kind: 'queued' }, 'nobody is banned here');
});

t.test('the first keep their connections, the others come back', async t => {
  const queue = uploadQueue({ slots: 1, slotsPerAddress: 0, queue: 50 });
  queue.ask(slotRequest(1, 'a'), 0);
  const actives = Array.from({ length: 12 }, (_, i) => {
    const admission = queue.ask(slotRequest(i + 2, `b${i}`, { crowded: i === 5 }), 0);
    return admission.kind === 'queued' && admission.place.active;
  });
  t.strictSame(actives, [...Array(5).fill(true), false, ...Array(4).fill(true), false, false]);
});

t.test('the rest of a file that takes no time goes out without a slot', async t => {
  const queue = uploadQueue(LIMITS);
  const rest = (connection: number, bytes: number) =>
    queue.ask(slotRequest(connection, `b${connection}`, { bytes, toEnd: true }), 20_000).kind;
  queue.ask(slotRequest(1, 'a'), 0);
  queue.tick(0);
  t.equal(rest(2, 1000), 'queued', 'how fast we are is not known yet');
  queue.bytesSent += 200_000;
  queue.tick(10_000); // 20 kB/s
  t.equal(rest(2, 100_001), 'queued');
  t.equal(rest(2, 100_000), 'granted');
  t.equal(rest(3, 100_000), 'granted');
  t.equal(rest(4, 100_000), 'queued', 'two at a time');
  queue.finish(2, 21_000);
  t.equal(rest(4, 100_000), 'granted');
  t.strictSame([queue.sending, queue.waiting], [1, 3], 'their places stay');
});

t.test('an estimate of the time until the turn', async t => {
  const queue = uploadQueue({ ...LIMITS, slots: 2 });
  queue.ask(slotRequest(1, 'a'), 0);
  queue.ask(slotRequest(2, 'b'), 0);
  queue.tick(0);
  queue.bytesSent += 2_000_000;
  queue.tick(10_000); // 100 kB/s each
  queue.ask(slotRequest(3, 'c', { size: 2_000_000 }), 10_000);
  queue.ask(slotRequest(4, 'd', { size: 2_000_000 }), 10_000);
  t.strictSame([queue.view(3)?.etaSeconds, queue.view(4)?.etaSeconds], [0, 10]);
});

t.test('a slot is not kept for ever for who does not come', async t => {
  const queue = uploadQueue({ ...LIMITS, slotsPerAddress: 0 });
  queue.ask(slotRequest(1, 'a'), 0);
  for (let i = 0; i < 20; i++) queue.ask(slotRequest(i + 2, `b${i}`), i);
  const { id } = placeOf(queue.ask(slotRequest(30, 'c'), 20));
  t.equal(queue.view(30)?.position, 21);
  for (let i = 0; i < 20; i++) queue.leave(i + 2, 30);
  for (const { queue: place, address } of queue.absent()) if (address !== 'c') t.ok(queue.cancel(place.id));
  queue.leave(30, 40); // it was told to come in 330 s
  queue.finish(1, 40);
  queue.leave(1, 40);
  queue.tick(40);
  t.equal(queue.absent()[0]?.queue.why, 'slot_kept');
  t.equal(queue.ask(slotRequest(31, 'd'), 120_039).kind, 'queued');
  queue.tick(120_040);
  t.equal(queue.absent()[0]?.queue.why, 'passed_over');
  t.equal(queue.ask(slotRequest(31, 'd'), 120_041).kind, 'granted');
  t.match(placeOf(queue.ask(slotRequest(32, 'c', { id }), 200_000)), { position: 1 }, 'the next slot is its');
});

t.test('nobody starves: of many addresses with files of all sizes, each gets its turn', async () => {
  const client = fc.record({ address: fc.nat({ max: 6 }), size: fc.constantFrom(1, 2, 90, 200, 400, 900) });
  fc.assert(
    fc.property(
      fc.array(client, { minLength: 2, maxLength: 40 }),
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom(0, 1, 2),
      (clients, slots, slotsPerAddress) => {
        const queue = uploadQueue({ slots, slotsPerAddress, queue: 50 });
        const served = new Set<number>();
        const sending: number[] = [];
        let now = 0;
        // newcomers go on all the time, from addresses of their own and one that never has enough
        for (let round = 0; served.size < clients.length; round++) {
          assert.ok(round < 600, `${clients.length - served.size} were never served`);
          now += 60_000;
          queue.tick(now);
          for (const connection of sending.splice(0)) {
            queue.finish(connection, now);
            queue.leave(connection, now);
          }
          const asking = clients.map((each, i) => ({ ...each, connection: i })).filter((_, i) => !served.has(i));
          const newcomer = { connection: 1000 + round, address: round % 2 === 0 ? 99 : 100 + round, size: 1 };
          for (const { connection, address, size } of [...asking, newcomer]) {
            const request = slotRequest(connection, String(address), { level: 'active', size: size * MIB });
            if (queue.ask(request, now).kind !== 'granted') continue;
            sending.push(connection);
            if (connection < 1000) served.add(connection);
          }
          assert.ok(sending.length <= slots);
        }
      },
    ),
    { numRuns: 60 },
  );
});

t.test('an address with many places does not hold up those with one', async t => {
  const queue = uploadQueue({ slots: 1, slotsPerAddress: 0, queue: 50 });
  queue.ask(slotRequest(1, 'x'), 0);
  for (let i = 2; i < 32; i++) queue.ask(slotRequest(i, 'greedy'), 0);
  t.match(placeOf(queue.ask(slotRequest(40, 'modest'), 1)), { position: 2 });
});

t.test('one address cannot fill the queue', async t => {
  const queue = uploadQueue({ slots: 1, slotsPerAddress: 1, queue: 10_000 });
  queue.ask(slotRequest(1, 'x'), 0);
  const kinds = Array.from({ length: 70 }, (_, i) => queue.ask(slotRequest(i + 2, 'a', { size: i }), 0).kind);
  t.equal(kinds.filter(kind => kind === 'queued').length, 64);
  t.equal(queue.violations.of('too_many_entries'), 6);
});

t.test('no more than 4,000 entries are remembered; those that missed their time make room', async t => {
  const queue = uploadQueue({ slots: 1, slotsPerAddress: 0, queue: 3999 });
  queue.ask(slotRequest(1, 'x'), 0);
  for (let i = 2; i <= 4000; i++) placeOf(queue.ask(slotRequest(i, `a${i}`), 0));
  t.equal(queue.ask(slotRequest(4001, 'b'), 0).kind, 'busy');
  for (let i = 2; i <= 4000; i++) queue.leave(i, 0);
  queue.tick(1_300_001);
  t.equal(queue.waiting, 0);
  t.equal(queue.ask(slotRequest(4001, 'b'), 1_300_001).kind, 'queued');
});

t.test('what we say is what clients of PARQ read', async t => {
  const { formatQueued, queueIdIn } = await import('../../../../../protocol/transfer/queue-status.ts');
  const id = '6a074979f3201edbf323b6425fef4a53';
  const text = formatQueued({ id, position: 3, length: 40, etaSeconds: 77 }, 120_500);
  t.equal(text, `ID=${id}; position=3; lifetime=120; length=40; ETA=77`);
  t.match(parseQueued(text, 60), { position: 3, length: 40, pollMaxSeconds: 120, etaSeconds: 77, id });
  t.match(parseQueued(formatQueued({ id, position: 3, length: 40, etaSeconds: null }, 1000), 60), { etaSeconds: null });
  t.equal(queueIdIn(`position=2; ID=${id.toUpperCase()}`), id);
  for (const wrong of [null, '', 'position=2', 'ID=1234', `ID=${id}0`, `ID=${id.replace('6', 'g')}`])
    t.equal(queueIdIn(wrong), null);
});

t.test('all places in one look are those of each alone', async () => {
  const client = fc.record({
    address: fc.constantFrom('a', 'b', 'c', 'd'),
    size: fc.constantFrom(MIB, 400 * MIB, 700 * MIB),
  });
  const property = fc.property(
    fc.array(client, { maxLength: 30 }),
    fc.integer({ min: 1, max: 4 }),
    (clients, slots) => {
      const queue = uploadQueue({ slots, slotsPerAddress: 2, queue: 50 });
      for (const [i, { address, size }] of clients.entries()) queue.ask(slotRequest(i, address, { size }), i);
      for (let i = 0; i < clients.length; i += 5) queue.finish(i, 50);
      for (let i = 0; i < clients.length; i += 5) queue.leave(i, 50);
      const alone = clients.flatMap((_, i) => queue.view(i) ?? []);
      for (const i of clients.keys()) if (queue.view(i) !== null) queue.leave(i, 60);
      const together = new Map(queue.absent().map(({ queue }) => [queue.id, queue]));
      for (const view of alone) assert.deepEqual(together.get(view.id), { ...view, active: false });
    },
  );
  fc.assert(property, { numRuns: 200 });
});
