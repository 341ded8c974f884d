import fc from 'fast-check';
import t from 'tap';
import { Priority, SEND_LIMITS, SendQueue } from '../../../../protocol/overlay/links/send-queue.ts';

class FakeWire {
  calls: string[] = [];
  onUrgent: () => void = () => undefined;
  wake(urgent: boolean): void {
    this.calls.push(urgent ? 'urgent' : 'wake');
    if (urgent) this.onUrgent();
  }
}

const frame = (bytes: number, mark = 0): Buffer => Buffer.alloc(bytes, mark);

t.test('frames leave by priority, then in order of arrival, joined', async t => {
  const queue = new SendQueue(new FakeWire());
  queue.enqueue(frame(1, 1), Priority.Ping);
  queue.enqueue(frame(1, 2), Priority.Query);
  queue.enqueue(frame(1, 3), Priority.Control);
  queue.enqueue(frame(1, 4), Priority.Hit);
  queue.enqueue(frame(1, 5), Priority.Query);
  t.strictSame([...(queue.take(100) ?? [])], [3, 4, 2, 5, 1]);
  t.equal(queue.size, 0);
  t.equal(queue.bytes, 0);
  t.equal(queue.framesSent, 5);
  t.equal(queue.take(100), null);
});

t.test('a take is cut between frames, save that one long frame goes whole', async t => {
  const queue = new SendQueue(new FakeWire());
  queue.enqueue(frame(60, 1), Priority.Query);
  queue.enqueue(frame(60, 2), Priority.Query);
  queue.enqueue(frame(500, 3), Priority.Query);
  t.equal(queue.take(100)?.length, 60);
  t.equal(queue.take(130)?.length, 60);
  t.equal(queue.take(130)?.length, 500);
});

t.test('a single frame is handed out as it is, without a copy', async t => {
  const queue = new SendQueue(new FakeWire());
  const only = frame(60);
  queue.enqueue(only, Priority.Query);
  t.equal(queue.take(100), only);
});

t.test('the wire is woken once until it has emptied the queue', async t => {
  const wire = new FakeWire();
  const queue = new SendQueue(wire);
  queue.enqueue(frame(60), Priority.Query);
  queue.enqueue(frame(60), Priority.Query);
  queue.take(60);
  queue.enqueue(frame(60), Priority.Query);
  t.strictSame(wire.calls, ['wake']);
  queue.take(1000);
  queue.enqueue(frame(60), Priority.Query);
  t.strictSame(wire.calls, ['wake', 'wake']);
});

t.test('at the high mark a wire that takes saves every frame', async t => {
  const wire = new FakeWire();
  const queue = new SendQueue(wire);
  let taken = 0;
  wire.onUrgent = () => {
    for (let bytes = queue.take(65_536); bytes !== null; bytes = queue.take(65_536)) taken += bytes.length;
  };
  for (let i = 0; i < 5_000; i++) queue.enqueue(frame(100), Priority.Query);
  t.equal(taken + queue.bytes, 500_000);
  t.equal(queue.droppedTotal, 0);
});

t.test('a stuck wire is asked once, then pings go first, queries next, pongs last; hits stay', async t => {
  const wire = new FakeWire();
  const queue = new SendQueue(wire);
  for (let i = 0; i < 100; i++) queue.enqueue(frame(100), Priority.Ping);
  for (let i = 0; i < 100; i++) queue.enqueue(frame(100), Priority.Pong);
  for (let i = 0; i < 291; i++) queue.enqueue(frame(100), Priority.Query);
  t.equal(queue.droppedTotal, 0);
  queue.enqueue(frame(100), Priority.Hit);
  t.equal(queue.dropped(Priority.Ping), 1);
  t.ok(queue.congested);
  for (let i = 0; i < 99 + 291; i++) queue.enqueue(frame(100), Priority.Hit);
  t.equal(queue.dropped(Priority.Ping), 100);
  t.equal(queue.dropped(Priority.Query), 291);
  t.equal(queue.dropped(Priority.Pong), 0);
  queue.enqueue(frame(100), Priority.Hit);
  t.equal(queue.dropped(Priority.Pong), 1);
  t.equal(queue.dropped(Priority.Hit), 0);
  t.equal(wire.calls.filter(call => call === 'urgent').length, 1);
});

t.test('the oldest query goes first', async t => {
  const queue = new SendQueue(new FakeWire(), { highBytes: 3, lowBytes: 1, fullBytes: 6, hardBytes: 12 });
  for (let mark = 1; mark <= 5; mark++) queue.enqueue(frame(1, mark), Priority.Query);
  t.strictSame([...(queue.take(100) ?? [])], [4, 5]);
});

t.test('full of hits, the oldest hits give way, pushes after them', async t => {
  const queue = new SendQueue(new FakeWire());
  for (let i = 0; i < 1_500; i++) queue.enqueue(frame(100), i % 2 === 0 ? Priority.Hit : Priority.Push);
  t.ok(queue.bytes < SEND_LIMITS.fullBytes);
  t.ok(queue.dropped(Priority.Hit) > 0);
  t.equal(queue.dropped(Priority.Push), 0);
});

t.test('control frames are never shed; too many of them overflow the queue for good', async t => {
  const queue = new SendQueue(new FakeWire());
  for (let i = 0; i < 10_000 && !queue.overflowed; i++) queue.enqueue(frame(1_000), Priority.Control);
  t.ok(queue.overflowed);
  t.equal(queue.droppedTotal, 0);
  t.ok(queue.bytes <= SEND_LIMITS.hardBytes + 1_000);
  queue.clear();
  queue.enqueue(frame(10), Priority.Control);
  t.equal(queue.take(100)?.length, 10, 'a Bye still fits after clear()');
});

t.test('congestion ends at the low mark', async t => {
  const queue = new SendQueue(new FakeWire());
  for (let i = 0; i < 600; i++) queue.enqueue(frame(100), Priority.Query);
  t.ok(queue.congested);
  queue.take(10_000);
  t.ok(queue.congested);
  queue.take(SEND_LIMITS.highBytes);
  t.notOk(queue.congested);
});

t.test('whatever is queued and taken, the bytes stay bounded and every frame is sent, shed or waiting', async () => {
  const priorities = fc.constantFrom(...Object.values(Priority));
  const step = fc.oneof(
    fc.record({ priority: priorities, bytes: fc.integer({ min: 23, max: 20_000 }) }),
    fc.record({ take: fc.integer({ min: 1, max: 70_000 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), steps => {
      const queue = new SendQueue(new FakeWire());
      let queued = 0;
      for (const what of steps) {
        if ('take' in what) queue.take(what.take);
        else if (!queue.overflowed) {
          queue.enqueue(frame(what.bytes), what.priority);
          queued++;
        }
        queue.rest();
        if (queue.bytes > SEND_LIMITS.hardBytes + 20_000) return false;
      }
      const accounted = queue.framesSent + queue.droppedTotal + queue.size;
      while (queue.take(65_536) !== null);
      return accounted === queued && queue.bytes === 0 && queue.size === 0;
    }),
  );
});
