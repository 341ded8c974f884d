import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { startDaemon } from '../../daemon/daemon.ts';
import { silentLog } from '../../daemon/log.ts';
import { resolveSettings } from '../../settings/resolve.ts';
import { command } from '../support/command.ts';

const GTKG = {
  config_gnet: 'listen_port = 6399\nmax_leaves = 150\nshared_dirs = "/srv/music"\n',
  ultras: '127.0.0.2:6346 2025-06-01 14:27:10Z\n5.5.8.1:6346 2025-06-01 14:27:10Z\n',
};

t.test('without a daemon the configuration file is edited, comments kept, and the hosts lie beside it', async t => {
  const cwd = t.testdir({
    '.gtk-gnutella': GTKG,
    data: { 'servent.yaml': '# mine\nprofile: lan\nlibrary:\n  folders: [/srv/own]\n' },
  });
  const dataDir = join(cwd, 'data');
  const env = { HOME: cwd, SERVENT_DATA_DIR: dataDir, SERVENT_API: '' };
  const dry = await command(['import', 'gtk-gnutella', '--dry-run', '--json'], { env, cwd });
  t.match(dry.json(), { hosts: ['127.0.0.2:6346', '5.5.8.1:6346'], dryRun: true });
  const file = join(dataDir, 'servent.yaml');
  t.match(await readFile(file, 'utf8'), /folders: \[\/srv\/own\]/, 'a dry run changes nothing');
  const { code, out, err } = await command(['import', 'gtk-gnutella'], { env, cwd });
  t.equal(code, 0, err);
  t.match(out, /hosts: +2\nshare: +\/srv\/music\n/);
  const text = await readFile(file, 'utf8');
  t.match(text, /^# mine\n/);
  t.strictSame(parse(text), {
    profile: 'lan',
    library: { folders: ['/srv/own', '/srv/music'] },
    gnutella: { port: 6399, maxLeaves: 150 },
    bootstrap: { hostsFiles: [join(dataDir, 'imported-hosts')] },
  });
  t.equal(await readFile(join(dataDir, 'imported-hosts'), 'utf8'), '127.0.0.2:6346\n5.5.8.1:6346\n');
  t.equal((await command(['import', 'gtk-gnutella', '--only', 'hosts'], { env, cwd })).code, 0);
  t.equal(await readFile(file, 'utf8'), text, 'twice is once');
});

t.test('a folder that nobody may share is not taken over, and said', async t => {
  const cwd = t.testdir({ '.gtk-gnutella': { config_gnet: 'shared_dirs = "/srv/music:/etc"\n' }, data: {} });
  const env = { HOME: cwd, SERVENT_DATA_DIR: join(cwd, 'data'), SERVENT_API: '' };
  const { code, err } = await command(['import', 'gtk-gnutella'], { env, cwd });
  t.equal(code, 0, err);
  t.match(err, /not taken: \/etc is not shared: it holds the settings of the system/);
  const text = await readFile(join(cwd, 'data', 'servent.yaml'), 'utf8');
  t.match(parse(text), { library: { folders: [join(cwd, 'data', 'shared'), '/srv/music'] } });
});

t.test('a running daemon is told, and has hosts and folders at once', async t => {
  const cwd = t.testdir({ theirs: GTKG, music: {} });
  await writeFile(join(cwd, 'theirs/config_gnet'), `max_leaves = 150\nshared_dirs = "${join(cwd, 'music')}"\n`);
  const dataDir = join(cwd, 'data');
  await mkdir(dataDir);
  const flags = { profile: 'local', dataDir, 'gnutella.port': 0, 'api.port': 0 };
  const daemon = await startDaemon(await resolveSettings({ flags, env: {}, cwd }), silentLog);
  t.teardown(() => daemon.stop());
  const { code, err } = await command(['import', 'gtk-gnutella', 'theirs', '--data-dir', dataDir], { cwd });
  t.equal(code, 0, err);
  t.match(err, /1 host not imported: this profile does not connect to them/);
  const shown = (...words: string[]) => command([...words, '--json', '--data-dir', dataDir], { cwd });
  t.match((await shown('hosts')).json(), { items: [{ address: '127.0.0.2:6346' }] });
  const { folders } = (await shown('library')).json<{ folders: { path: string }[] }>();
  t.ok(folders.some(({ path }) => path === join(cwd, 'music')));
  t.match((await shown('config', 'get', 'gnutella.maxLeaves')).json(), 150);
});

t.test('what is not there or not known is said with what to do', async t => {
  const cwd = t.testdir({});
  const env = { HOME: cwd };
  t.match(await command(['import', 'limewire'], { env, cwd }), {
    code: 1,
    err: /no folder of LimeWire in .*give it/,
  });
  t.match(await command(['import', 'limewire', 'x', '--only', 'y'], { env, cwd }), {
    code: 2,
    err: /--only: expected one of/,
  });
  t.match(await command(['import'], { env, cwd }), { code: 2 });
});
