import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import type { Admission } from '../../../../protocol/transfer/uploads/queue/admission.ts';
import type { UploadQueue } from '../../../../protocol/transfer/uploads/upload-queue.ts';
import { slotRequest, uploadQueue } from '../../../support/upload-queue.ts';

const LIMITS = { slots: 2, slotsPerAddress: 0, queue: 3 };
const TIMES = { pollMinMs: 45_000, pollMaxMs: 120_000, graceMs: 15_000 };
const GRANTED = { kind: 'granted', id: null };
const BUSY = { kind: 'busy', retryMs: 60_000 };

/** A client of X-Queue, or of no queue. */
const ask = (queue: UploadQueue, connection: number, address: string, queues: boolean, now: number): Admission =>
  queue.ask(slotRequest(connection, address, { level: queues ? 'active' : 'none' }), now);
const queued = (position: number) => ({ kind: 'queued', place: { position, id: null, active: true } });
const positionOf = (queue: UploadQueue, connection: number) => queue.view(connection)?.position ?? null;

t.test('slots first, then places, then the door', async t => {
  const queue = uploadQueue(LIMITS, { times: TIMES });
  t.strictSame(ask(queue, 1, 'a', true, 0), GRANTED);
  t.notOk(queue.busy(0));
  t.strictSame(ask(queue, 2, 'b', true, 0), GRANTED);
  t.ok(queue.busy(0));
  for (const connection of [3, 4, 5]) {
    t.match(ask(queue, connection, `c${connection}`, true, 0), queued(connection - 2));
  }
  t.strictSame(ask(queue, 6, 'd', true, 0), BUSY, 'the queue is full');
  t.strictSame([queue.sending, queue.waiting], [2, 3]);
});

t.test('who does not know queues gets no place', async t => {
  const queue = uploadQueue({ ...LIMITS, slots: 1 }, { times: TIMES });
  ask(queue, 1, 'a', true, 0);
  t.strictSame(ask(queue, 2, 'b', false, 0), BUSY);
  t.equal(queue.waiting, 0);
});

t.test('a slot that falls free goes to the head of the queue, not to who comes by', async t => {
  const queue = uploadQueue({ ...LIMITS, slots: 1 }, { times: TIMES });
  ask(queue, 1, 'a', true, 0);
  ask(queue, 2, 'b', true, 0);
  ask(queue, 3, 'c', true, 0);
  queue.leave(1, 0);
  t.match(ask(queue, 4, 'd', true, 10), queued(3));
  t.match(ask(queue, 3, 'c', true, 10), queued(2));
  t.strictSame(ask(queue, 2, 'b', true, 10), GRANTED);
  t.equal(positionOf(queue, 3), 1);
  t.equal(positionOf(queue, 2), null);
});

t.test('range after range keeps the slot, a pause longer than the grace loses it', async t => {
  const queue = uploadQueue({ ...LIMITS, slots: 1 }, { times: TIMES });
  ask(queue, 1, 'a', true, 0);
  queue.finish(1, 1000);
  t.match(ask(queue, 2, 'b', true, 15_999), queued(1));
  t.strictSame(ask(queue, 1, 'a', true, 15_999), GRANTED);
  t.ok(queue.busy(1e9), 'while it sends there is no end to it');
  queue.finish(1, 20_000);
  t.strictSame(ask(queue, 2, 'b', true, 35_000), GRANTED);
  t.match(ask(queue, 1, 'a', true, 35_000), queued(1));
});

t.test('who does not poll in time loses the place', async t => {
  const queue = uploadQueue({ ...LIMITS, slots: 1 }, { times: TIMES });
  ask(queue, 1, 'a', true, 0);
  ask(queue, 2, 'b', true, 0);
  ask(queue, 3, 'c', true, 60_000);
  t.equal(positionOf(queue, 3), 2);
  t.match(ask(queue, 3, 'c', true, 120_000), queued(1));
});

t.test('one address takes no more than its share and does not hold up the others', async t => {
  const queue = uploadQueue({ slots: 3, slotsPerAddress: 1, queue: 10 }, { times: TIMES });
  t.strictSame(ask(queue, 1, 'a', true, 0), GRANTED);
  t.match(ask(queue, 2, 'a', true, 0), queued(1));
  t.equal(queue.view(2)?.why, 'address_share');
  t.strictSame(ask(queue, 3, 'b', true, 0), GRANTED);
  t.strictSame(ask(queue, 4, 'c', true, 0), GRANTED);
  t.match(ask(queue, 5, 'd', true, 0), queued(1), 'a second place of a does not count before it');
  queue.leave(1, 0);
  t.strictSame(ask(queue, 2, 'a', true, 0), GRANTED);
});

t.test('no slots at all: nobody is granted', async t => {
  const queue = uploadQueue({ slots: 0, slotsPerAddress: 0, queue: 0 }, { times: TIMES });
  t.strictSame(ask(queue, 1, 'a', true, 0), BUSY);
  t.ok(queue.busy(0));
});

t.test('limits may change under way; who has a slot keeps it', async t => {
  const limits = { ...LIMITS, slots: 2 };
  const queue = uploadQueue(limits, { times: TIMES });
  ask(queue, 1, 'a', true, 0);
  ask(queue, 2, 'b', true, 0);
  limits.slots = 1;
  t.strictSame(ask(queue, 1, 'a', true, 0), GRANTED);
  queue.leave(2, 0);
  t.match(ask(queue, 3, 'c', true, 0), queued(1));
  limits.slots = 5;
  t.strictSame(ask(queue, 3, 'c', true, 0), GRANTED, 'more slots, more size classes');
  queue.leave(3, 0);
  queue.leave(1, 0);
  t.notOk(queue.busy(0));
});

t.test('a full queue: who has most places gives up the last one for who has fewer', async t => {
  const queue = uploadQueue({ slots: 1, slotsPerAddress: 1, queue: 4 }, { times: TIMES });
  ask(queue, 1, 'x', true, 0);
  for (const connection of [2, 3, 4, 5]) ask(queue, connection, 'greedy', true, 0);
  t.match(ask(queue, 6, 'modest', true, 0), queued(2), 'before the second place of the greedy one');
  t.equal(queue.waiting, 4);
  t.equal(queue.view(5), null);
  t.match(ask(queue, 7, 'modest', true, 0), queued(4));
  t.equal(queue.view(4), null);
  t.strictSame(ask(queue, 8, 'modest', true, 0), BUSY, 'it has as many as the greedy one now');
});

t.test('whatever happens, slots, shares and places stay within their limits', async () => {
  const event = fc.record({
    what: fc.constantFrom('ask', 'ask', 'ask', 'finish', 'leave', 'tick'),
    connection: fc.nat({ max: 12 }),
    level: fc.constantFrom('none', 'active', 'parq'),
    size: fc.constantFrom(0, 1000, 200 * 2 ** 20, 2 ** 30),
    id: fc.option(fc.nat({ max: 12 })),
    broken: fc.boolean(),
    slots: fc.constantFrom(3, 3, 3, 2),
    pauseMs: fc.nat({ max: 40_000 }),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), events => {
      const limits = { slots: 3, slotsPerAddress: 2, queue: 4 };
      const queue = uploadQueue(limits, { times: TIMES });
      const sending = new Map<number, string>();
      const ids = new Map<number, string>();
      let now = 0;
      for (const { what, connection, level, size, id, broken, slots, pauseMs } of events) {
        now += pauseMs;
        limits.slots = Math.max(slots, sending.size);
        const address = String(connection % 4);
        const isSending = sending.has(connection);
        if (what === 'ask' && !isSending) {
          const named = id === null ? null : (ids.get(id) ?? null);
          const admission = queue.ask(slotRequest(connection, address, { level, size, id: named, toEnd: false }), now);
          if (admission.kind === 'granted') {
            sending.set(connection, address);
            if (admission.id !== null) ids.set(connection, admission.id);
          }
          if (admission.kind === 'queued') {
            assert.ok(admission.place.position >= 1 && admission.place.position <= 5);
            if (admission.place.id !== null) ids.set(connection, admission.place.id);
          }
        } else if (what === 'tick') assert.ok(queue.tick(now) > now);
        else if (what !== 'ask') {
          sending.delete(connection);
          if (what === 'finish') queue.finish(connection, now, broken);
          else queue.leave(connection, now);
        }
        assert.equal(queue.sending, sending.size);
        assert.ok(sending.size <= 3 && queue.waiting <= 4);
        for (const each of sending.values()) {
          assert.ok([...sending.values()].filter(other => other === each).length <= 2);
        }
      }
      for (let connection = 0; connection <= 12; connection++) queue.leave(connection, now);
      queue.tick(now + 3_600_000);
      queue.tick(now + 7_200_000);
      assert.deepEqual([queue.busy(now + 7_200_000), queue.waiting, queue.absent()], [false, 0, []]);
    }),
  );
});
