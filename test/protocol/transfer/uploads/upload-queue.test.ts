import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { UploadQueue } from '../../../../protocol/transfer/uploads/upload-queue.ts';

const LIMITS = { slots: 2, slotsPerAddress: 0, queue: 3 };
const TIMES = { pollMinMs: 45_000, pollMaxMs: 120_000, graceMs: 15_000 };
const GRANTED = { kind: 'granted' };
const BUSY = { kind: 'busy' };
const queued = (position: number) => ({ kind: 'queued', position });

t.test('slots first, then places, then the door', async t => {
  const queue = new UploadQueue(LIMITS, TIMES);
  t.strictSame(queue.ask(1, 'a', true, 0), GRANTED);
  t.notOk(queue.busy(0));
  t.strictSame(queue.ask(2, 'b', true, 0), GRANTED);
  t.ok(queue.busy(0));
  for (const [connection, position] of [3, 4, 5].entries()) {
    t.strictSame(queue.ask(position, 'c', true, 0), queued(connection + 1));
  }
  t.strictSame(queue.ask(6, 'd', true, 0), BUSY, 'the queue is full');
  t.strictSame([queue.sending, queue.waiting], [2, 3]);
});

t.test('who does not know queues gets no place', async t => {
  const queue = new UploadQueue({ ...LIMITS, slots: 1 }, TIMES);
  queue.ask(1, 'a', true, 0);
  t.strictSame(queue.ask(2, 'b', false, 0), BUSY);
  t.equal(queue.waiting, 0);
});

t.test('a slot that falls free goes to the head of the queue, not to who comes by', async t => {
  const queue = new UploadQueue({ ...LIMITS, slots: 1 }, TIMES);
  queue.ask(1, 'a', true, 0);
  queue.ask(2, 'b', true, 0);
  queue.ask(3, 'c', true, 0);
  queue.leave(1);
  t.strictSame(queue.ask(4, 'd', true, 10), queued(3));
  t.strictSame(queue.ask(3, 'c', true, 10), queued(2));
  t.strictSame(queue.ask(2, 'b', true, 10), GRANTED);
  t.equal(queue.position(3), 1);
  t.equal(queue.position(2), null);
});

t.test('range after range keeps the slot, a pause longer than the grace loses it', async t => {
  const queue = new UploadQueue({ ...LIMITS, slots: 1 }, TIMES);
  queue.ask(1, 'a', true, 0);
  queue.finish(1, 1000);
  t.strictSame(queue.ask(2, 'b', true, 15_999), queued(1));
  t.strictSame(queue.ask(1, 'a', true, 15_999), GRANTED);
  t.ok(queue.busy(1e9), 'while it sends there is no end to it');
  queue.finish(1, 20_000);
  t.strictSame(queue.ask(2, 'b', true, 35_000), GRANTED);
  t.strictSame(queue.ask(1, 'a', true, 35_000), queued(1));
});

t.test('who does not poll in time loses the place', async t => {
  const queue = new UploadQueue({ ...LIMITS, slots: 1 }, TIMES);
  queue.ask(1, 'a', true, 0);
  queue.ask(2, 'b', true, 0);
  queue.ask(3, 'c', true, 60_000);
  t.equal(queue.position(3), 2);
  t.strictSame(queue.ask(3, 'c', true, 120_000), queued(1));
});

t.test('one address takes no more than its share and does not hold up the others', async t => {
  const queue = new UploadQueue({ slots: 3, slotsPerAddress: 1, queue: 10 }, TIMES);
  t.strictSame(queue.ask(1, 'a', true, 0), GRANTED);
  t.strictSame(queue.ask(2, 'a', true, 0), queued(1));
  t.strictSame(queue.ask(3, 'b', true, 0), GRANTED);
  t.strictSame(queue.ask(4, 'c', true, 0), GRANTED);
  t.strictSame(queue.ask(5, 'd', true, 0), queued(1), 'a second place of a does not count before it');
  queue.leave(1);
  t.strictSame(queue.ask(2, 'a', true, 0), GRANTED);
});

t.test('no slots at all: nobody is granted', async t => {
  const queue = new UploadQueue({ slots: 0, slotsPerAddress: 0, queue: 0 }, TIMES);
  t.strictSame(queue.ask(1, 'a', true, 0), BUSY);
  t.ok(queue.busy(0));
});

t.test('limits may change under way; who has a slot keeps it', async t => {
  const limits = { ...LIMITS, slots: 2 };
  const queue = new UploadQueue(limits, TIMES);
  queue.ask(1, 'a', true, 0);
  queue.ask(2, 'b', true, 0);
  limits.slots = 1;
  t.strictSame(queue.ask(1, 'a', true, 0), GRANTED);
  queue.leave(2);
  t.strictSame(queue.ask(3, 'c', true, 0), queued(1));
});

t.test('whatever happens, slots, shares and places stay within their limits', async () => {
  const event = fc.record({
    what: fc.constantFrom('ask', 'ask', 'ask', 'finish', 'leave'),
    connection: fc.nat({ max: 12 }),
    queues: fc.boolean(),
    pauseMs: fc.nat({ max: 40_000 }),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), events => {
      const queue = new UploadQueue({ slots: 3, slotsPerAddress: 2, queue: 4 }, TIMES);
      const sending = new Map<number, string>();
      let now = 0;
      for (const { what, connection, queues, pauseMs } of events) {
        now += pauseMs;
        const address = String(connection % 4);
        if (what === 'ask') {
          const admission = queue.ask(connection, address, queues, now);
          if (admission.kind === 'granted') sending.set(connection, address);
          if (admission.kind === 'queued') assert.ok(admission.position >= 1 && admission.position <= 4);
        } else {
          sending.delete(connection);
          if (what === 'finish') queue.finish(connection, now);
          else queue.leave(connection);
        }
        assert.equal(queue.sending, sending.size);
        assert.ok(sending.size <= 3 && queue.waiting <= 4);
        for (const each of sending.values()) {
          assert.ok([...sending.values()].filter(other => other === each).length <= 2);
        }
      }
    }),
  );
});
