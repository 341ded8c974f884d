import t from 'tap';
import { type Budget, budgetOf, MonthCount } from '../../../protocol/bandwidth/budget.ts';
import { type LimitSettings, limitsNow } from '../../../protocol/bandwidth/limits.ts';
import type { LimitName } from '../../../protocol/bandwidth/scheduler.ts';

const NONE: Budget = budgetOf(0, 0, 0);
const settings: LimitSettings = {
  ...{ total: 0, out: 0, in: 0, upload: 500, slot: 0, download: 0, overlay: 0, udp: 7, monthlyBytes: 0 },
  schedule: [{ days: ['mon'], from: '08:00', to: '18:00', upload: 100 }],
};
const MONDAY_NOON = { day: 0, minute: 720 };
const limitOf = (name: LimitName, at = MONDAY_NOON, budget = NONE, changed: Partial<LimitSettings> = {}) =>
  limitsNow({ ...settings, ...changed }, at, budget).find(limit => limit.name === name);

t.test('the timetable goes before the setting, which holds for the rest of the week', async t => {
  t.match(limitOf('upload'), {
    bytesPerSecond: 100,
    origin: 'schedule',
    why: 'limits.schedule, entry 1: mon 08:00 to 18:00',
    changesIn: 360,
  });
  t.match(limitOf('upload', { day: 1, minute: 720 }), { bytesPerSecond: 500, origin: 'setting', why: 'limits.upload' });
  t.match(limitOf('udp'), { bytesPerSecond: 7, origin: 'setting', changesIn: null });
});

t.test(
  'a budget leaves limits alone until nine tenths are used, then spreads the rest, then stops transfers',
  async t => {
    const DAY = 86_400;
    t.equal(budgetOf(1_000_000_000, 899_999_999, DAY).state, 'open');
    const slow = budgetOf(1_000_000_000, 900_000_000, DAY);
    t.match(limitOf('total', MONDAY_NOON, slow), { bytesPerSecond: 1157, origin: 'budget', stopped: false });
    t.match(limitOf('total', MONDAY_NOON, slow, { total: 50 }), { bytesPerSecond: 50, origin: 'setting' });
    const spent = budgetOf(1_000_000_000, 1_000_000_000, DAY);
    t.match(limitOf('upload', MONDAY_NOON, spent), { stopped: true, origin: 'budget' });
    t.match(limitOf('download', MONDAY_NOON, spent), { stopped: true, origin: 'budget' });
    t.match(limitOf('overlay', MONDAY_NOON, spent), { stopped: false, origin: 'setting' });
    t.equal(budgetOf(1000, 999, 1e9).bytesPerSecond, 1, 'never no limit at all');
  },
);

t.test('bytes are counted by month, and a clock set back finds its month again', async t => {
  const count = new MonthCount();
  count.restore({
    '2026-11': { in: 1, out: 2 },
    nonsense: { in: 1, out: 1 },
    '2026-10': { in: -1, out: 'x' },
    '2026-09': null,
  });
  count.add('2026-11', 10, 20);
  count.add('2027-01', 5, 5);
  count.add('2026-11', 100, 200);
  t.strictSame(count.of('2026-11'), { in: 111, out: 222 });
  t.strictSame(count.of('2026-10'), { in: 0, out: 0 });
  for (let month = 1; month <= 12; month++) count.add(`2028-${String(month).padStart(2, '0')}`, 1, 1);
  t.equal(Object.keys(count.months).length, 13);
  t.strictSame(count.of('2026-11'), { in: 0, out: 0 });
});
