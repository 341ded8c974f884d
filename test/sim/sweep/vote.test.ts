// Which results of workers are accepted: those that enough different workers agree on, and nothing of a liar.
import fc from 'fast-check';
import t from 'tap';
import { Vote } from '../../../sim/sweep/vote.ts';

/** All that can be given out now, counted by unit. */
function given(vote: Vote): number[] {
  const units: number[] = [];
  for (let unit = vote.give(); unit !== null; unit = vote.give()) units.push(unit);
  return units;
}

t.test('two that agree are enough', async t => {
  const vote = new Vote({ units: 2, replicas: 2 });
  t.strictSame(given(vote), [0, 1, 0, 1]);
  vote.count(0, 'a', 'x');
  t.equal(vote.accepted(0), null);
  vote.count(0, 'b', 'x');
  t.equal(vote.accepted(0), 'x');
  t.equal(vote.settled, 1);
  t.notOk(vote.isOver);
  t.strictSame(given(vote), [], 'nothing more is needed');
});

t.test('the same worker twice is one', async t => {
  const vote = new Vote({ units: 1, replicas: 2 });
  given(vote);
  vote.count(0, 'a', 'x');
  vote.count(0, 'a', 'x');
  t.equal(vote.accepted(0), null);
  t.strictSame(given(vote), [0], 'another is asked');
});

t.test('a third decides between two, and what the liar gave elsewhere does not count', async t => {
  const vote = new Vote({ units: 2, replicas: 2 });
  given(vote);
  vote.count(1, 'liar', 'y');
  vote.count(1, 'b', 'y');
  t.equal(vote.accepted(1), 'y', 'nobody knows yet');
  vote.count(0, 'a', 'x');
  vote.count(0, 'liar', 'z');
  t.strictSame(vote.liars, [], 'one word against another');
  t.strictSame(given(vote), [0]);
  vote.count(0, 'b', 'x');
  t.strictSame(vote.liars, ['liar']);
  t.equal(vote.accepted(1), null, 'open again');
  t.strictSame(given(vote), [1]);
  vote.count(1, 'liar', 'y');
  t.equal(vote.accepted(1), null);
  t.strictSame(given(vote), [1], 'a liar is not counted any more');
  vote.count(1, 'a', 'y');
  t.ok(vote.isOver);
});

t.test('a result that comes after the others agreed is judged as well', async t => {
  const vote = new Vote({ units: 1, replicas: 2 });
  given(vote);
  vote.fail(0, 'its worker has gone');
  t.strictSame(given(vote), [0]);
  vote.count(0, 'a', 'x');
  vote.count(0, 'b', 'y');
  t.strictSame(given(vote), [0]);
  vote.count(0, 'c', 'x');
  t.strictSame(vote.liars, ['b']);
});

t.test('workers that never agree, and a unit that always fails, end with a reason', async t => {
  const vote = new Vote({ units: 2, replicas: 2 });
  let worker = 0;
  for (let units = given(vote); units.length > 0; units = given(vote))
    for (const unit of units)
      if (unit === 0) vote.count(unit, `w${++worker}`, `${worker}`);
      else vote.fail(unit, 'no memory');
  t.ok(vote.isOver);
  t.equal(vote.error(0), '5 workers gave 5 different results (w1, w2, w3, w4, w5)');
  t.equal(vote.error(1), 'no memory');
  t.equal(vote.accepted(0), null);
});

t.test('one that claims to be many is given up on', async t => {
  const vote = new Vote({ units: 1, replicas: 2 });
  let times = 0;
  for (let units = given(vote); units.length > 0; units = given(vote))
    for (const unit of units) {
      times++;
      vote.count(unit, 'a', 'x');
    }
  t.ok(vote.isOver && times <= 50, `${times} times`);
  t.match(vote.error(0), /without 2 results that agree/);
});

t.test('with enough honest workers the truth comes out, in any order, though others lie or die', async t => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 4 }),
      fc.integer({ min: 1, max: 25 }),
      fc.integer({ min: 0, max: 2 }),
      fc.infiniteStream(fc.nat()),
      (replicas, units, liars, chance) => {
        const next = (below: number): number => (chance.next().value as number) % below;
        const vote = new Vote({ units, replicas });
        const workers = Array.from({ length: replicas + liars + 1 }, (_, i) => ({ name: `w${i}`, lies: i < liars }));
        const did = new Set<string>();
        const open: number[] = [];
        let deaths = 1;
        for (let step = 0; step < 10_000 && !vote.isOver; step++) {
          open.push(...given(vote));
          const at = next(open.length);
          const unit = open[at] ?? 0;
          const { name, lies } = workers[next(workers.length)] ?? { name: '', lies: true };
          if (did.has(`${unit} ${name}`)) continue;
          did.add(`${unit} ${name}`);
          open.splice(at, 1);
          if (deaths > 0 && next(10) === 0) {
            deaths--;
            did.delete(`${unit} ${name}`);
            vote.fail(unit, 'gone');
          } else vote.count(unit, name, lies && next(3) > 0 ? `lie of ${name}` : `truth ${unit}`);
        }
        for (let unit = 0; unit < units; unit++)
          if (vote.accepted(unit) !== `truth ${unit}`)
            throw new Error(`${unit}: ${vote.accepted(unit)} ${vote.error(unit)}`);
        for (const liar of vote.liars)
          if (!workers.some(({ name, lies }) => lies && name === liar)) throw new Error(`${liar} is honest`);
      },
    ),
    { seed: 7, numRuns: 300 },
  );
  t.pass('300 sweeps');
});
