import t from 'tap';
import { createLog } from '../../daemon/log.ts';

function sink() {
  const lines: string[] = [];
  return { lines, destination: { write: (line: string) => void lines.push(line) } };
}

t.test('lines are JSON with an ISO time and the part they come from', async t => {
  const { lines, destination } = sink();
  const log = await createLog({ level: 'info', format: 'json' }, destination);
  log.child({ mod: 'library' }).info({ files: 3 }, 'scanned');
  log.debug('not shown');
  t.equal(lines.length, 1);
  const { time, ...line } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  t.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  t.strictSame(line, { level: 30, mod: 'library', files: 3, msg: 'scanned' });
});

t.test('secrets do not get through', async t => {
  const { lines, destination } = sink();
  const log = await createLog({ level: 'trace', format: 'json' }, destination);
  log.info({ token: 'hush', options: { token: 'hush' }, headers: { authorization: 'hush' } }, 'x');
  t.notMatch(lines.join(''), 'hush');
});

t.test('pretty lines are for people', async t => {
  const { lines, destination } = sink();
  const log = await createLog({ level: 'info', format: 'pretty' }, destination);
  log.child({ mod: 'links' }).warn('slow');
  t.match(lines.join(''), /WARN.*links: slow/);
});
