import { spawnSync } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { explain } from '../../cli/failure.ts';
import { LogOutput } from '../../daemon/log-output.ts';
import { MAIN, startProcess } from '../support/servent-process.ts';

const FULL = '/dev/full';
const skip = !existsSync(FULL) && `there is no ${FULL}`;

t.test(
  'a full disk under standard output and error does not end the daemon, and status says that',
  { skip },
  async t => {
    const full = openSync(FULL, 'w');
    const { child, client, ended } = await startProcess(
      t,
      t.testdir(),
      ['ignore', full, full],
      ['--log-level', 'debug'],
    );
    const { attention } = await client.status();
    t.match(attention, [{ name: 'log', state: 'bad', detail: /ENOSPC/ }]);
    const { items } = await client.logLines({ limit: 1000 });
    t.match(
      items.filter(({ message }) => message === 'standard output cannot be written'),
      [{ data: { code: 'ENOSPC', line: /^ready / } }],
      'the log that is kept says once what was lost',
    );
    t.equal((await client.doctor()).ok, false);
    child.kill('SIGTERM');
    t.equal(await ended, 0);
  },
);

t.test('a closed pipe under standard output and error does not end the daemon either', async t => {
  const { child, client, ended } = await startProcess(t, t.testdir(), ['ignore', 'pipe', 'pipe']);
  child.stdout?.destroy();
  child.stderr?.destroy();
  await client.rescan();
  await client.changeLogLevels({ library: 'debug' });
  await client.changeConfig({ downloads: { maxActive: 3 } });
  t.equal((await client.status()).profile, 'local');
  child.kill('SIGTERM');
  t.equal(await ended, 0);
});

t.test('a command whose answer finds no room exits 1 with one line', { skip }, async t => {
  const full = openSync(FULL, 'w');
  for (const words of [['--version'], ['config', 'get', 'profile'], ['doctor']]) {
    const { status, stderr } = spawnSync(process.execPath, [MAIN, ...words], {
      stdio: ['ignore', full, 'pipe'],
      env: { ...process.env, SERVENT_DATA_DIR: join(t.testdir(), 'data'), SERVENT_API: 'http://127.0.0.1:1' },
      encoding: 'utf8',
    });
    t.equal(status, 1, words.join(' '));
    t.match(stderr, /^servent: standard output cannot be written \(ENOSPC\): the output is not complete\n$/m);
  }
});

t.test('a command that cannot say what is wrong exits with the code of that', { skip }, async t => {
  const full = openSync(FULL, 'w');
  const { status } = spawnSync(process.execPath, [MAIN, 'status', '--nonsense'], { stdio: ['ignore', 'pipe', full] });
  t.equal(status, 2);
});

t.test('a command that cannot write its file says what to do, with or without the name of the file', t => {
  for (const code of ['ENOSPC', 'EDQUOT', 'EIO'])
    t.match(explain(Object.assign(new Error(`${code}: it failed, write`), { code })), /^E\w+: it failed, write: \w.*/);
  t.end();
});

const failing = (code: string) => {
  throw Object.assign(new Error(code), { code });
};

t.test('lines that find no room are counted, and said when there is room again', t => {
  let full: string | null = null;
  let written = '';
  const output = new LogOutput(2, ((_: number, bytes: Buffer, at: number) => {
    if (full !== null) return failing(full);
    written += bytes.toString('utf8', at, at + 7); // a pipe takes what it has room for
    return Math.min(7, bytes.length - at);
  }) as never);
  output.write('the first line\n');
  for (const code of ['ENOSPC', 'EIO', 'EDQUOT', 'EPIPE']) {
    full = code;
    output.write('lost\n');
    t.equal(output.trouble, code);
  }
  t.equal(output.lost, 4);
  full = null;
  output.write('the last line\n');
  t.equal(written, 'the first line\n4 log lines were lost (EPIPE)\nthe last line\n');
  t.equal(output.trouble, null);
  t.end();
});

t.test('a log of JSON stays one: what was lost is a line of it, and a line cut short does not swallow the next', t => {
  let room = 8;
  let written = '';
  const output = new LogOutput(2, ((_: number, bytes: Buffer, at: number) => {
    if (room === 0) return failing('ENOSPC');
    const end = Math.min(bytes.length, at + room);
    written += bytes.toString('utf8', at, end);
    room -= end - at;
    return end - at;
  }) as never);
  output.write('{"msg":"cut short"}\n');
  output.write('{"msg":"lost"}\n');
  room = 1000;
  output.write('{"msg":"after"}\n');
  const [cut, ...whole] = written.trimEnd().split('\n');
  t.equal(cut, '{"msg":"');
  t.match(
    whole.map(line => JSON.parse(line)),
    [{ level: 40, time: String, msg: '2 log lines were lost (ENOSPC)' }, { msg: 'after' }],
  );
  t.end();
});

t.test('a reader that is slow is waited for, once', t => {
  let calls = 0;
  const output = new LogOutput(2, (() => {
    calls++;
    return failing('EAGAIN');
  }) as never);
  output.write('a\n');
  t.equal(calls, 51);
  output.write('b\n');
  t.equal(calls, 52);
  t.equal(output.lost, 2);
  t.end();
});
