import t from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { Bandwidth } from '../../../daemon/net/bandwidth.ts';
import { Limits, localTime } from '../../../daemon/network/limits.ts';
import type { Table } from '../../../daemon/store/table.ts';
import { type LimitedParts, limitsView } from '../../../daemon/views/limits.ts';
import type { LimitSettings } from '../../../protocol/bandwidth/limits.ts';

class FakeTable {
  value: unknown;
  async get(): Promise<unknown> {
    return this.value;
  }
  async put(_key: string, value: unknown): Promise<void> {
    this.value = structuredClone(value);
  }
}

const NOTHING: LimitSettings = {
  ...{ total: 0, out: 0, in: 0, upload: 0, slot: 0, download: 0, overlay: 0, udp: 0 },
  schedule: [],
  monthlyBytes: 0,
};

/** A Wednesday, in local time. */
const at = (day: number, hour: number, minute = 0): number => new Date(2026, 10, day, hour, minute).getTime();

function kept(given: Partial<LimitSettings>, wallTime: number, table = new FakeTable()) {
  const bandwidth = new Bandwidth(() => clock.now());
  const clock = { wall: wallTime, now: () => clock.wall - at(1, 0), wallTime: () => clock.wall };
  const settings = { ...NOTHING, ...given };
  const limits = new Limits({
    ...{ bandwidth, clock, log: silentLog },
    settings: () => settings,
    table: table as unknown as Table<unknown>,
  });
  const states: string[] = [];
  limits.onBudget = ({ state }) => states.push(state);
  return { bandwidth, clock, limits, settings, states, table };
}

t.test('the timetable holds from its minute on, whatever the clock does in between', async t => {
  const { bandwidth, clock, limits } = kept(
    { upload: 500, schedule: [{ days: ['wed'], from: '08:00', to: '18:00', upload: 100 }] },
    at(11, 7, 59),
  );
  const rateAt = (wall: number): number | undefined => {
    clock.wall = wall;
    limits.tick();
    t.equal(bandwidth.scheduler.limited('upload'), true);
    return limits.now.find(({ name }) => name === 'upload')?.bytesPerSecond;
  };
  t.equal(rateAt(at(11, 7, 59)), 500);
  t.equal(rateAt(at(11, 8)), 100);
  t.equal(rateAt(at(10, 12)), 500, 'set back by a day');
  t.equal(rateAt(at(11, 17, 59)), 100, 'set forward');
  t.equal(rateAt(at(11, 18)), 500);
});

t.test('a changed setting holds at once', async t => {
  const { bandwidth, limits, settings } = kept({}, at(11, 12));
  limits.tick();
  t.notOk(bandwidth.scheduler.limited('upload'));
  Object.assign(settings, { out: 7 });
  limits.tick();
  t.ok(bandwidth.scheduler.limited('upload'));
  t.notOk(bandwidth.scheduler.limited('download'));
});

t.test('the budget slows down, ends, survives a restart, and is new in the next month', async t => {
  const { bandwidth, limits, states, table, clock } = kept({ monthlyBytes: 1_000_000 }, at(29, 12));
  await limits.start();
  t.teardown(() => limits.stop());
  const upload = bandwidth.usage('upload');
  upload.moved(800_000);
  bandwidth.received.udp += 99_999;
  limits.tick();
  bandwidth.usage('download').moved(1);
  limits.tick();
  t.match(
    limits.now.find(({ name }) => name === 'total'),
    { origin: 'budget', bytesPerSecond: 1 },
  );
  upload.moved(100_000);
  limits.tick();
  t.ok(limits.spent);
  t.strictSame(states, ['open', 'slow', 'spent']);
  t.match(
    limits.now.find(({ name }) => name === 'upload'),
    { origin: 'budget', stopped: true },
  );
  await limits.stop();

  const next = kept({ monthlyBytes: 1_000_000 }, clock.wall, table);
  await next.limits.start();
  t.teardown(() => next.limits.stop());
  t.strictSame(next.states, ['spent']);
  t.match(next.limits.month, { in: 100_000, out: 900_000, month: '2026-11' });
  next.clock.wall = new Date(2026, 11, 1).getTime();
  next.limits.tick();
  t.strictSame(next.states, ['spent', 'open']);
  t.equal(next.limits.month.out, 0);
});

t.test('what the store cannot read or write does not stop anything', async t => {
  const table = new FakeTable();
  table.value = 'nonsense';
  table.put = () => Promise.reject(new Error('full'));
  const { limits, bandwidth } = kept({ monthlyBytes: 10 }, at(11, 12), table);
  await limits.start();
  bandwidth.usage('upload').moved(20);
  limits.tick();
  t.ok(limits.spent);
  await limits.stop();
});

t.test('local time counts days from Monday', async t => {
  t.match(localTime(at(29, 23, 59)), {
    day: 6,
    minute: 1439,
    month: '2026-11',
    monthEnds: new Date(2026, 11, 1).getTime(),
  });
  t.match(localTime(at(30, 0)), { day: 0, minute: 0 });
});

t.test('a change of the timetable behind the end of summer time is told at its right time', async t => {
  const before = process.env['TZ'];
  process.env['TZ'] = 'Europe/Berlin';
  t.teardown(() => {
    if (before === undefined) delete process.env['TZ'];
    else process.env['TZ'] = before;
  });
  const limits = { now: [{ name: 'upload', changesIn: 360 }], used: () => 0, budget: {}, month: { ends: 0 } };
  const clock = { now: () => 0, wallTime: () => Date.parse('2026-10-24T22:00:30Z') }; // midnight there
  const { items } = limitsView({
    network: { limits },
    library: { hashing: { rate: 0 } },
    live: { settings: { library: { hashSpeed: 0 } } },
    clock,
  } as unknown as LimitedParts);
  t.equal(items[0]?.changesAt, '2026-10-25T05:00:00.000Z', 'six on the clock, seven hours later');
});
