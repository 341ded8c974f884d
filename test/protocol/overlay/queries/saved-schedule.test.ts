// When saved searches run, in virtual time.
import t from 'tap';
import { REPEAT_MS } from '../../../../protocol/overlay/queries/past-searches.ts';
import { SavedSchedule } from '../../../../protocol/overlay/queries/saved-schedule.ts';
import { SeededRandom } from '../../../support/virtual-network.ts';

const DAY_MS = 86_400_000;
const RUN_MS = 180_000;

/** Runs everything that is due until `untilMs`; the starts of each. */
function play(schedule: SavedSchedule, untilMs: number, found: (id: string, run: number) => number, asked = true) {
  const starts = new Map<string, number[]>();
  const ends: { id: string; at: number }[] = [];
  let mostRunning = 0;
  for (let now = 0; now <= untilMs; ) {
    for (const { id } of ends.filter(({ at }) => at === now))
      schedule.end(id, { asked, found: found(id, starts.get(id)?.length ?? 0) }, now);
    for (let id = schedule.due(now); id !== null; id = schedule.due(now)) {
      schedule.start(id, now);
      starts.set(id, [...(starts.get(id) ?? []), now]);
      ends.push({ id, at: now + RUN_MS });
      mostRunning = Math.max(mostRunning, schedule.running);
    }
    const next = Math.min(schedule.nextAt(), ...ends.map(({ at }) => at).filter(at => at > now));
    if (next === Number.POSITIVE_INFINITY) break;
    now = Math.max(now + 1, Math.ceil(next));
  }
  return { starts, mostRunning };
}

const gapsOf = (times: readonly number[]): number[] => times.slice(1).map((at, i) => at - (times[i] ?? 0));

t.test('a search that finds nothing new runs more and more seldom, at last once a day', async t => {
  const schedule = new SavedSchedule(new SeededRandom(1));
  schedule.add('a', null, 0);
  const gaps = gapsOf(play(schedule, 30 * DAY_MS, () => 0).starts.get('a') ?? []);
  t.ok(gaps.length > 30 && gaps.length < 60, `${gaps.length} runs in 30 days`);
  t.ok(
    gaps.every((gap, i) => i === 0 || gap > (gaps[i - 1] ?? 0) || gap >= DAY_MS),
    'the waits grow',
  );
  t.ok(gaps.every(gap => gap <= DAY_MS * 1.1 + RUN_MS));
});

t.test('something new brings it back to the shortest wait, which is that of the neighbours', async t => {
  const schedule = new SavedSchedule(new SeededRandom(2));
  schedule.add('a', null, 0);
  const gaps = gapsOf(play(schedule, 10 * DAY_MS, (_, run) => (run === 12 ? 1 : 0)).starts.get('a') ?? []);
  t.ok((gaps[10] ?? 0) > 10 * REPEAT_MS, 'it had grown');
  t.ok((gaps[11] ?? 0) <= REPEAT_MS * 1.1 + RUN_MS);
});

t.test('no search runs oftener than neighbours take it, for any seed and any outcome', async t => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new SeededRandom(seed);
    const schedule = new SavedSchedule(random);
    for (let i = 0; i < 20; i++) schedule.add(`${i}`, i % 2 === 0 ? null : 1 + random.below(4) * 1_800_000, 0);
    const { starts, mostRunning } = play(schedule, DAY_MS, () => random.below(2));
    t.ok([...starts.values()].flatMap(gapsOf).every(gap => gap >= REPEAT_MS));
    t.equal(starts.size, 20, 'none is starved');
    t.ok(mostRunning <= 2);
    const all = [...starts.values()].flat().sort((a, b) => a - b);
    t.ok(
      gapsOf(all).every(gap => gap >= 10_000),
      'and never as a burst',
    );
  }
});

t.test('the same seed gives the same times', async t => {
  const run = () => {
    const schedule = new SavedSchedule(new SeededRandom(7));
    for (const id of ['a', 'b', 'c']) schedule.add(id, null, 0);
    return [...play(schedule, DAY_MS, () => 0).starts];
  };
  t.strictSame(run(), run());
});

t.test('a fixed interval stays, and one that nobody was asked for is tried again soon', async t => {
  const fixed = new SavedSchedule(new SeededRandom(3));
  fixed.add('a', 7_200_000, 0);
  const gaps = gapsOf(play(fixed, 2 * DAY_MS, () => 0).starts.get('a') ?? []);
  t.ok(gaps.length > 20 && gaps.every(gap => gap >= 7_200_000 && gap <= 7_200_000 * 1.1 + RUN_MS + 1));
  const alone = new SavedSchedule(new SeededRandom(4));
  alone.add('a', null, 0);
  const tries = gapsOf(play(alone, 3_600_000, () => 0, false).starts.get('a') ?? []);
  t.ok(tries.every(gap => gap < RUN_MS + 70_000));
});

t.test('what is paused is not due, and what is left of a wait counts after a restart', async t => {
  const schedule = new SavedSchedule(new SeededRandom(5));
  schedule.add('a', null, 1_000);
  schedule.pause('a', true);
  t.equal(schedule.due(1_000), null);
  t.equal(schedule.nextAt(), Number.POSITIVE_INFINITY);
  t.ok(schedule.start('a', 1_000), 'by hand it runs');
  t.notOk(schedule.start('a', 1_001), 'once at a time');
  schedule.end('a', { asked: true, found: 0 }, 2_000);
  schedule.pause('a', false);
  const wait = schedule.waitOf('a', 500_000);
  const later = new SavedSchedule(new SeededRandom(6));
  later.add('a', null, 0, wait?.leftMs, wait?.waitMs);
  t.equal(later.nextAt(), wait?.leftMs);
  const clockSetBack = new SavedSchedule(new SeededRandom(6));
  clockSetBack.add('a', null, 0, 400 * DAY_MS, REPEAT_MS);
  t.ok(clockSetBack.nextAt() <= REPEAT_MS * 1.1, 'a clock that was set back does not stop it');
});

t.test('a new interval counts from the last run', async t => {
  const schedule = new SavedSchedule(new SeededRandom(8));
  schedule.add('a', DAY_MS, 0);
  schedule.start('a', 0);
  schedule.end('a', { asked: true, found: 0 }, 0);
  schedule.setEvery('a', 7_200_000, 3_600_000);
  t.ok(schedule.nextAt() <= 7_200_000 && schedule.nextAt() >= REPEAT_MS, `${schedule.nextAt()}`);
  schedule.remove('a');
  t.equal(schedule.nextAt(), Number.POSITIVE_INFINITY);
});
