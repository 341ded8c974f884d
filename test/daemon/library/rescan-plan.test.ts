import fc from 'fast-check';
import t from 'tap';
import { RescanPlan, WAIT_MS_MAX } from '../../../daemon/library/rescan-plan.ts';

const QUIET_MS = 300;
const step = fc.record({ waitMs: fc.nat(500), folder: fc.constantFrom('a', 'b', 'c', 'd') });

t.test(
  'each change is followed by a look at its folder, in time, and not before it is quiet or waits too long',
  async () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const plan = new RescanPlan(QUIET_MS, 10);
        const first = new Map<string, number>();
        const last = new Map<string, number>();
        let now = 1000;
        const look = (): void => {
          for (const folder of plan.take(now).folders) {
            const [from = Number.NaN, to = Number.NaN] = [first.get(folder), last.get(folder)];
            if (now - to < QUIET_MS && now - from < WAIT_MS_MAX) throw new Error(`${folder} is looked at too early`);
            first.delete(folder);
          }
        };
        const advance = (until: number): void => {
          while (plan.dueAt <= until) {
            now = Math.max(now, plan.dueAt);
            look();
            for (const [folder, from] of first)
              if (now - from > WAIT_MS_MAX) throw new Error(`${folder} is looked at too late`);
          }
          now = until;
        };
        for (const { waitMs, folder } of steps) {
          advance(now + waitMs);
          plan.hint(folder, now);
          if (!first.has(folder)) first.set(folder, now);
          last.set(folder, now);
        }
        advance(now + WAIT_MS_MAX);
        return first.size === 0 && plan.isEmpty && plan.dueAt === Number.POSITIVE_INFINITY;
      }),
    );
  },
);

t.test('more folders than may wait become one scan of everything', async t => {
  const plan = new RescanPlan(QUIET_MS, 3);
  for (const folder of ['a', 'b', 'c', 'a']) plan.hint(folder, 0);
  plan.hint('d', 10);
  plan.hint('a', 20);
  t.equal(plan.dueAt, 20 + QUIET_MS);
  t.strictSame(plan.take(20), { folders: [], all: false });
  t.strictSame(plan.take(20 + QUIET_MS), { folders: [], all: true });
  t.ok(plan.isEmpty);
});

t.test('lost changes that go on are scanned for all the same', async t => {
  const plan = new RescanPlan(QUIET_MS);
  for (let now = 0; now < WAIT_MS_MAX; now += 100) plan.lose(now);
  t.ok(plan.take(WAIT_MS_MAX).all);
});

t.test('a folder that takes long rests in proportion, the others do not', async t => {
  const plan = new RescanPlan(QUIET_MS);
  plan.onLooked('huge', 1000, 1000);
  plan.hint('huge', 1000);
  plan.hint('small', 1000);
  t.strictSame(plan.take(1000 + QUIET_MS).folders, ['small']);
  t.equal(plan.dueAt, 5000);
  t.strictSame(plan.take(5000).folders, ['huge']);
  plan.onLooked('huge', 50, 5000);
  plan.hint('huge', 5000);
  plan.clear();
  t.equal(plan.dueAt, Number.POSITIVE_INFINITY);
});
