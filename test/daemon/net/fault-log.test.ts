import { pino } from 'pino';
import t from 'tap';
import { FaultLog } from '../../../daemon/net/fault-log.ts';

t.test('one line a minute, with the stack, and how many had none', async t => {
  const lines: { msg: string; unsaid: number; from: string; err: { stack: string } }[] = [];
  let now = 5;
  const log = pino({ base: null }, { write: line => lines.push(JSON.parse(line)) });
  const faults = new FaultLog(log, () => now, 'failed');
  for (let i = 0; i < 100; i++) faults.note(new RangeError('36 items'), { from: `1.2.3.4:${i}` });
  t.equal(lines.length, 1);
  t.match(lines[0], { msg: 'failed', unsaid: 0, from: '1.2.3.4:0', err: { stack: /RangeError: 36 items\n.*at / } });
  now += 60_000;
  faults.note('not even an error');
  t.match(lines[1], { unsaid: 99, err: 'not even an error' });
  t.equal(lines.length, 2);
});
