import fc from 'fast-check';
import t from 'tap';
import {
  DAYS,
  entryAt,
  type LocalTime,
  minutesToChange,
  readEntry,
  type ScheduleEntry,
} from '../../../protocol/bandwidth/timetable.ts';

const at = (day: (typeof DAYS)[number], time: string): LocalTime => {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return { day: DAYS.indexOf(day), minute: 60 * hours + minutes };
};
const entry = (given: object): ScheduleEntry => {
  const read = readEntry(given);
  if (typeof read === 'string') throw new Error(read);
  return read;
};

t.test('an entry holds on its days, from its first minute to before its last', async t => {
  const work = entry({ days: 'weekdays', from: '08:00', to: '18:00', upload: 1000 });
  const holds = (day: (typeof DAYS)[number], time: string) => entryAt([work], 'upload', at(day, time)) !== null;
  t.strictSame(
    [holds('mon', '07:59'), holds('mon', '08:00'), holds('fri', '17:59'), holds('fri', '18:00'), holds('sat', '12:00')],
    [false, true, true, false, false],
  );
  t.equal(entryAt([work], 'download', at('mon', '12:00')), null, 'a part that it does not name is not concerned');
});

t.test('an entry over midnight belongs to the day on which it begins, Sunday night included', async t => {
  const night = entry({ days: ['sun'], from: '22:00', to: '06:00', upload: 0 });
  const holds = (day: (typeof DAYS)[number], time: string) => entryAt([night], 'upload', at(day, time)) !== null;
  t.strictSame(
    [holds('sun', '21:59'), holds('sun', '22:00'), holds('mon', '05:59'), holds('mon', '06:00'), holds('sun', '05:00')],
    [false, true, true, false, false],
  );
});

t.test('equal times mean a whole day, 24:00 the end of one', async t => {
  const day = entry({ days: 'sat', from: '10:00', to: '10:00', download: 5 });
  t.ok(entryAt([day], 'download', at('sun', '09:59')));
  const evening = entry({ days: 'sat', from: '20:00', to: '24:00', download: 5 });
  t.ok(entryAt([evening], 'download', at('sat', '23:59')));
  t.notOk(entryAt([evening], 'download', at('sun', '00:00')));
});

t.test('the first entry that fits holds', async t => {
  const entries = [
    entry({ days: 'sun', from: '00:00', to: '24:00', upload: 1 }),
    entry({ days: 'daily', from: '00:00', to: '24:00', upload: 2, overlay: 3 }),
  ];
  t.equal(entryAt(entries, 'upload', at('sun', '12:00'))?.upload, 1);
  t.equal(entryAt(entries, 'overlay', at('sun', '12:00'))?.overlay, 3);
  t.equal(minutesToChange(entries, 'upload', at('sun', '23:00')), 60);
  t.equal(minutesToChange(entries, 'overlay', at('sun', '23:00')), null);
});

const entries = fc.array(
  fc
    .record({
      days: fc.uniqueArray(fc.constantFrom(...DAYS), { minLength: 1, maxLength: 7 }),
      from: fc.nat(1439),
      to: fc.nat(1440),
      upload: fc.nat(3),
    })
    .map(({ days, from, to, upload }) => {
      const text = (minute: number) => `${Math.floor(minute / 60)}:${String(minute % 60).padStart(2, '0')}`;
      return entry({ days, from: text(from), to: text(to), upload });
    }),
  { maxLength: 5 },
);

t.test('the time to the next change is the first minute at which something else holds', async t => {
  fc.assert(
    fc.property(entries, fc.nat(6), fc.nat(1439), (entries, day, minute) => {
      const now = entryAt(entries, 'upload', { day, minute });
      const change = minutesToChange(entries, 'upload', { day, minute });
      for (let i = 1; i < 7 * 1440; i += 1) {
        const then = day * 1440 + minute + i;
        const held = entryAt(entries, 'upload', { day: Math.floor(then / 1440) % 7, minute: then % 1440 });
        if (held !== now) return change === i;
      }
      return change === null;
    }),
    { numRuns: 20 },
  );
  t.pass();
});

t.test('a bad entry says what to write instead', async t => {
  const good = { days: 'daily', from: '08:00', to: '18:00', upload: 1 };
  const faults: [unknown, RegExp][] = [
    [null, /^days, from, to and a limit/],
    [[], /^days, from, to and a limit/],
    [{ ...good, days: 'montag' }, /^days: daily, weekdays/],
    [{ ...good, days: [] }, /^days: /],
    [{ ...good, from: '24:00' }, /^from: a local time/],
    [{ ...good, from: 800 }, /^from: /],
    [{ ...good, to: '18:60' }, /^to: /],
    [{ ...good, upload: -1 }, /^upload: whole bytes/],
    [{ ...good, upload: '1 MB' }, /^upload: whole bytes/],
    [{ days: 'daily', from: '08:00', to: '18:00' }, /^at least one of upload/],
    [{ ...good, speed: 1 }, /remove speed/],
  ];
  for (const [given, message] of faults) t.match(readEntry(given), message, JSON.stringify(given));
  t.strictSame(readEntry({ days: ['Sun', 'weekdays'], from: '8:00', to: '24:00', overlay: 0 }), {
    days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sun'],
    from: '08:00',
    to: '24:00',
    overlay: 0,
  });
});
