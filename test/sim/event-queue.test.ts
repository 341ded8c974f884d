// The event queue of the virtual clock against a sorted list.
import fc from 'fast-check';
import t from 'tap';
import { EventQueue, type Rank } from '../../sim/event-queue.ts';

t.test('events come out by time, then rank, then the order in which they were added', async t => {
  const event = fc.record({ at: fc.integer({ min: 0, max: 20 }), rank: fc.constantFrom<Rank>(0, 1) });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 200 }), events => {
      const queue = new EventQueue();
      const happened: number[] = [];
      for (const [n, { at, rank }] of events.entries()) queue.add(at, () => happened.push(n), rank);
      const wanted = events
        .map((e, n) => ({ ...e, n }))
        .sort((a, b) => a.at - b.at || a.rank - b.rank || a.n - b.n)
        .map(({ n }) => n);
      for (let next = queue.take(); next !== null; next = queue.take()) next();
      t.same(happened, wanted);
      t.equal(queue.size, 0);
      t.equal(queue.nextAt, Number.POSITIVE_INFINITY);
    }),
    { numRuns: 50 },
  );
});

t.test('what happens may add what happens next', async t => {
  const queue = new EventQueue();
  const at: number[] = [];
  const again = (time: number) => () => {
    at.push(time);
    if (time < 5) queue.add(time + 1, again(time + 1));
  };
  queue.add(1, again(1));
  queue.add(3, () => at.push(30));
  for (let next = queue.take(); next !== null; next = queue.take()) next();
  t.same(at, [1, 2, 30, 3, 4, 5]);
});

t.test('what is added to the present moment, or to one before it, still happens in its place', async t => {
  const queue = new EventQueue();
  const happened: string[] = [];
  queue.add(2, () => happened.push('after all else'), 1);
  queue.add(2, () => {
    happened.push('first');
    queue.add(2, () => happened.push('added'));
    queue.add(1.5, () => happened.push('late'));
  });
  queue.add(2, () => happened.push('second'));
  for (let next = queue.take(); next !== null; next = queue.take()) next();
  t.same(happened, ['first', 'late', 'second', 'added', 'after all else']);
});
