import t from 'tap';
import { createLog, logTail, silentLog } from '../../daemon/log.ts';
import { LogTail } from '../../daemon/log-tail.ts';
import { LogFeed } from '../../daemon/observation/log-feed.ts';

const line = (more: object): string => `${JSON.stringify({ level: 30, time: '2026-11-21T12:00:00.000Z', ...more })}\n`;

t.test('the latest thousand lines are kept, newest first, long ones cut', async t => {
  const tail = new LogTail();
  t.strictSame(tail.newestFirst(), []);
  for (let i = 0; i < 1_500; i++) tail.write(line({ mod: 'm', msg: `line ${i}`, n: i }));
  const lines = tail.newestFirst();
  t.equal(lines.length, 1_000);
  t.strictSame(lines[0], {
    id: '1500',
    at: '2026-11-21T12:00:00.000Z',
    level: 'info',
    mod: 'm',
    message: 'line 1499',
    data: { n: 1499 },
  });
  t.equal(lines.at(-1)?.message, 'line 500');
  tail.write(line({ msg: 'x'.repeat(100_000) }));
  const [cut] = tail.newestFirst();
  t.match(cut?.message, /x … \(cut\)$/);
  t.ok((cut?.message.length ?? 0) < 10_000);
  tail.write('not JSON\n');
  t.match(tail.newestFirst()[0], { message: 'not JSON', level: 'info', mod: null });
});

t.test('pretty logs are kept as well as JSON ones, without their secrets', async t => {
  for (const format of ['pretty', 'json'] as const) {
    const log = await createLog({ level: 'info', format }, { write: () => undefined });
    log.child({ mod: 'part' }).error({ authorization: 'hush' }, 'oops');
    log.debug('not logged');
    const lines = logTail(log).newestFirst();
    t.match(lines, [{ level: 'error', mod: 'part', message: 'oops', data: { authorization: '(secret)' } }]);
    t.ok(Math.abs(Date.parse(lines[0]?.at ?? '') - Date.now()) < 60_000);
    t.equal(lines.length, 1);
  }
  t.strictSame(logTail(silentLog).newestFirst(), []);
});

t.test('listeners are told of so many a second, and of how many more there were', async t => {
  const told: [string, unknown][] = [];
  let hears = false;
  const events = { hears: () => hears, tell: (type: string, data: unknown) => void told.push([type, data]) };
  const tail = new LogTail();
  const feed = new LogFeed(tail, events);
  t.teardown(() => feed.stop());
  tail.write(line({ msg: 'nobody hears' }));
  hears = true;
  for (let i = 0; i < 700; i++) tail.write(line({ msg: `${i}` }));
  t.equal(told.length, 500);
  t.match(told[0], ['log.line', { message: '0' }]);
  feed.second();
  t.strictSame(told.at(-1), ['log.skipped', { lines: 200, seconds: 1 }]);
  tail.write(line({ msg: 'again' }));
  t.match(told.at(-1), ['log.line', { message: 'again' }]);
});
