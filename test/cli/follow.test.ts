import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { startDaemon } from '../../daemon/daemon.ts';
import { createLog, type Log, silentLog } from '../../daemon/log.ts';
import { resolveSettings } from '../../settings/resolve.ts';
import { command, type Outcome } from '../support/command.ts';

interface Running {
  dataDir: string;
  gnutella: string;
}

async function running(t: Test, dataDir = t.testdir({}), log: Log = silentLog): Promise<Running> {
  const flags = { profile: 'local', dataDir, 'gnutella.port': 0, 'api.port': 0 };
  const daemon = await startDaemon(await resolveSettings({ flags, env: {} }), log);
  t.teardown(() => daemon.stop());
  return { dataDir, gnutella: `${daemon.gnutella.host}:${daemon.gnutella.port}` };
}

const TRIES = 4_000;
const STEP_MS = 25;

/** Runs a command until `enough` says so of what it has printed; `meanwhile` is called again and again. */
async function until(
  words: readonly string[],
  { dataDir }: Running,
  enough: (out: string) => boolean,
  meanwhile: () => unknown = () => undefined,
  isTTY?: true,
): Promise<Outcome> {
  const ended = new AbortController();
  let seen = '';
  const running = command([...words, '--data-dir', dataDir], {
    signal: ended.signal,
    onOut: out => (seen = out),
    ...(isTTY === undefined ? {} : { isTTY }),
  });
  for (let i = 0; i < TRIES && !enough(seen); i++) {
    await meanwhile();
    await wait(STEP_MS);
  }
  ended.abort();
  return running;
}

t.test('the log goes on with what is written, from the level that was asked for', async t => {
  const log = await createLog({ level: 'trace', format: 'json' }, { write: () => undefined });
  const daemon = await running(t, t.testdir({}), log);
  const part = log.child({ mod: 'part' });
  const { code, out, err } = await until(
    ['log', '--follow', '--limit', '0', '--level', 'warn'],
    daemon,
    out => out.includes('beware'),
    () => {
      part.info('nothing to see');
      part.warn({ token: 'hush', file: 'evil\u202ename' }, 'beware');
    },
  );
  t.equal(code, 0, err);
  t.match(out, /^\d\d:\d\d:\d\d WARN {2}part: beware {2}token=\(secret\) file=evil\ufffdname\n/);
  t.notMatch(out, /nothing to see|hush/);
  const lines = await command(['log', '--level', 'warn', '--json', '--data-dir', daemon.dataDir]);
  t.match(lines.json(), { items: [{ level: 'warn', mod: 'part', message: 'beware', data: { token: '(secret)' } }] });
  const last = await command(['log', '--limit', '1', '--level', 'warn', '--data-dir', daemon.dataDir]);
  t.equal(last.out.split('\n').length, 2, 'one line');
});

t.test('on a pipe each event is a line; JSON where that is asked for', async t => {
  const dir = t.testdir({ one: {}, other: {} });
  const daemon = await running(t, join(dir, 'one'));
  const other = await running(t, join(dir, 'other'));
  const meet = async (): Promise<void> => {
    await command(['connect', daemon.gnutella, '--data-dir', other.dataDir]);
    for (const { id } of (await command(['peers', '--json', '--data-dir', other.dataDir])).json<{
      items: { id: string }[];
    }>().items)
      await command(['disconnect', id, '--data-dir', other.dataDir]);
  };
  const enough = (out: string): boolean => out.includes('link.opened') && out.includes('link.closed');
  const text = await until(['peers', '--follow'], daemon, enough, meet);
  t.equal(text.code, 0, text.err);
  t.match(text.out, /^ID +ADDRESS/, 'what is there comes first');
  t.match(text.out, /\n\d\d:\d\d:\d\d {2}link\.opened {8}\d+ {2}127\.0\.0\.1:\d+ .*servent\//);
  t.match(text.out, /link\.closed +id=\d+ address=127\.0\.0\.1:\d+ code=/);
  const json = await until(['peers', '--follow', '--json'], daemon, out => out.includes('link.closed'), meet);
  for (const line of json.out.trimEnd().split('\n')) t.match(JSON.parse(line), { topic: 'peers', type: /^link\./ });
});

t.test('on a terminal the table is drawn again in its place', async t => {
  const daemon = await running(t);
  const drawings = (out: string): number => out.split('\x1b[H').length - 1;
  for (const name of ['downloads', 'hosts']) {
    const { code, out, err } = await until([name, '--follow'], daemon, out => drawings(out) >= 3, undefined, true);
    t.equal(code, 0, err);
    t.ok(drawings(out) >= 3, `${name} drawn ${drawings(out)} times`);
    t.match(out, name === 'hosts' ? /ADDRESS +ROLE/ : /ID +STATE/);
    const bare = ['\x1b[2J', '\x1b[H', '\x1b[J', '\x1b[K'].reduce((text, code) => text.replaceAll(code, ''), out);
    for (const line of bare.split('\n')) t.ok(line.length <= 80, line);
  }
});

t.test('what cannot be followed says so', async t => {
  const daemon = await running(t);
  const refused = (...words: string[]) => command([...words, '--data-dir', daemon.dataDir]);
  t.match(await refused('hosts', '--follow'), {
    code: 2,
    err: /hosts have no events: --follow works only on a terminal/,
  });
  t.match(await refused('peers', '--follow', '--filter', 'role=leaf'), { code: 2, err: /leave them out, or --follow/ });
  t.match(await refused('keys', '--follow'), { code: 2, err: /unknown option '--follow'/ });
  t.match(await command(['peers', '--follow', '--api', 'http://127.0.0.1:1', '--token', 'x']), {
    code: 1,
    err: /no daemon answers/,
  });
});
