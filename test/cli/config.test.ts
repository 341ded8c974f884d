import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { ConfigView } from '../../api/control.ts';
import { settingsList } from '../../settings/settings.ts';
import { serveFake, TOKEN } from '../support/api-server.ts';
import { command } from '../support/command.ts';

/** Nobody answers here. */
const alone = { SERVENT_API: 'http://127.0.0.1:1', SERVENT_TOKEN: TOKEN };

t.test('get and show ask the running daemon', async t => {
  const { server } = await serveFake(t);
  const env = { SERVENT_API: server.url, SERVENT_TOKEN: TOKEN };
  t.match(await command(['config', 'get', 'gnutella.port'], { env }), { code: 0, out: '6346\n', err: '' });
  t.match(await command(['config', 'show'], { env }), {
    code: 0,
    out: /^KEY +VALUE +FROM +WHERE\nprofile +local +flag +--profile\n/,
  });
});

t.test('without a daemon they show what a start would use, and where it comes from', async t => {
  const dataDir = t.testdir({ 'servent.yaml': 'gnutella:\n  port: 7000\n  connect: [10.0.0.1:1, 10.0.0.2:2]\n' });
  const env = { ...alone, SERVENT_DATA_DIR: dataDir, SERVENT_GNUTELLA_MODE: 'leaf' };
  t.match(await command(['config', 'get', 'gnutella.port'], { env }), {
    code: 0,
    out: '7000\n',
    err: /no daemon is running/,
  });
  t.match(await command(['config', 'get', 'gnutella.connect', '--offline'], { env }), {
    out: '10.0.0.1:1\n10.0.0.2:2\n',
    err: '',
  });
  t.equal((await command(['config', 'get', 'gnutella.port', '--json', '--offline'], { env })).json(), 7000);
  const all = await command(['config', 'get', '--offline'], { env });
  t.match(all.out, /^gnutella\.mode = leaf$/m);
  t.equal(
    all.out.split('\n').length,
    settingsList.length + 3,
    'one line each, one more for the second of connect and of neverBan, one end',
  );
  const { settings, file } = (await command(['config', 'show', '--offline', '--json'], { env })).json<ConfigView>();
  t.equal(file, join(dataDir, 'servent.yaml'));
  t.match(Object.fromEntries(settings.map(row => [row.key, [row.origin, row.where]])), {
    'gnutella.port': ['file', /servent.yaml:2:3$/],
    'gnutella.mode': ['environment', 'SERVENT_GNUTELLA_MODE'],
    'bootstrap.enabled': ['profile', 'public'],
    'gnutella.maxLeaves': ['default', null],
  });
  t.match((await command(['config', 'get', 'bootstrap.enabled', '--profile', 'lan'], { env })).out, 'false');
});

t.test('a daemon that was named and does not answer is an error, not another configuration', async t => {
  t.match(await command(['config', 'get', '--api', 'http://127.0.0.1:1', '--token', TOKEN]), {
    code: 1,
    out: '',
    err: /no daemon answers/,
  });
});

t.test('set and unset edit the file and leave the rest alone', async t => {
  const dataDir = join(t.testdir({}), 'new');
  const file = join(dataDir, 'servent.yaml');
  const env = { SERVENT_DATA_DIR: dataDir };
  t.match(await command(['config', 'set', 'gnutella.tls', 'yes'], { env }), {
    code: 0,
    out: `written: gnutella.tls in ${file}\n`,
    err: /next start/,
  });
  await writeFile(file, `# mine\n${await readFile(file, 'utf8')}`);
  t.equal((await command(['config', 'set', 'library.folders', '/a', '/b, c'], { env })).code, 0);
  t.equal((await command(['config', 'set', 'gnutella.deflate', 'no'], { env })).code, 0);
  t.equal((await command(['config', 'unset', 'gnutella.tls'], { env })).code, 0);
  t.equal(
    await readFile(file, 'utf8'),
    '# mine\ngnutella:\n  deflate: false\nlibrary:\n  folders:\n    - /a\n    - /b, c\n',
  );
  t.match(await command(['config', 'check'], { env }), {
    code: 0,
    out: `the configuration is valid (${file})\n`,
    err: '',
  });
});

t.test('set refuses a wrong value and leaves the file as it was', async t => {
  const dataDir = t.testdir({ 'servent.yaml': 'api:\n  port: 1\n' });
  const { code, out, err } = await command(['config', 'set', 'api.port', 'many'], {
    env: { SERVENT_DATA_DIR: dataDir },
  });
  t.equal(code, 1);
  t.equal(out, '');
  t.match(err, /^servent: api.port: expected a whole number from 0 to 65535, got "many" \(.*\)\n$/);
  t.equal(await readFile(join(dataDir, 'servent.yaml'), 'utf8'), 'api:\n  port: 1\n');
  const other = join(dataDir, 'other.yaml');
  t.match(await command(['config', 'set', 'api.port', '2', '--config', 'other.yaml', '--json'], { cwd: dataDir }), {
    code: 0,
  });
  t.equal(await readFile(other, 'utf8'), 'api:\n  port: 2\n');
});

t.test('check lists everything that is wrong, one line each, and exits 1', async t => {
  const folder = t.testdir({ 'bad.yaml': 'gnutela: {}\napi:\n  port: x\n' });
  const file = join(folder, 'bad.yaml');
  const { code, out, err } = await command(['config', 'check', file], { env: { SERVENT_LOG_LEVEL: 'loud' } });
  t.equal(code, 1);
  t.equal(out, '');
  const lines = err.trimEnd().split('\n');
  t.equal(lines.length, 3);
  t.match(lines[0], `unknown key gnutela (${file}:1:1); did you mean gnutella?`);
  t.match(lines[1], `api.port: expected a whole number from 0 to 65535, got "x" (${file}:3:9)`);
  t.match(lines[2], /^servent: log.level: expected .* \(environment SERVENT_LOG_LEVEL\)$/);
  t.match((await command(['config', 'check', file, '--json'])).json(), { ok: false, faults: [/gnutela/, /api.port/] });
  t.match(await command(['config', 'check', join(folder, 'no.yaml')]), { code: 1, err: /cannot read .*no\.yaml/ });
  t.match(await command(['config', 'check'], { env: { SERVENT_GNUTELA_PORT: '1' } }), {
    code: 0,
    err: /did you mean SERVENT_GNUTELLA_PORT/,
  });
});

t.test('example prints a file that check accepts', async t => {
  const { code, out } = await command(['config', 'example']);
  t.equal(code, 0);
  const folder = t.testdir({});
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'servent.yaml'), out);
  t.equal((await command(['config', 'check', '--data-dir', folder])).code, 0);
});

t.test('start with a wrong value says so in one line, and exits 2 when it stood on the command line', async t => {
  for (const [words, said] of [
    [
      ['start', '--port', 'abc'],
      'servent: gnutella.port: expected a whole number from 0 to 65535, got "abc" (flag --port)\n',
    ],
    [['start', '--connect', 'x:1', '--connect', 'y'], /gnutella.connect: .* got "y" \(flag --connect\)\n$/],
    [['start', '--profile', 'local', '--host', '0.0.0.0'], /loopback/],
  ] as const)
    t.match(await command(words), { code: 2, out: '', err: said });
  t.match(await command(['start', '--config', '/nowhere/no.yaml']), {
    code: 1,
    out: '',
    err: /cannot read the configuration file \/nowhere\/no.yaml/,
  });
  t.match(await command(['start'], { env: { SERVENT_GNUTELLA_PORT: 'abc' } }), {
    code: 1,
    out: '',
    err: 'servent: gnutella.port: expected a whole number from 0 to 65535, got "abc" (environment SERVENT_GNUTELLA_PORT)\n',
  });
});

t.test('a section goes with its last key, a file with its last section; remarks stay', async t => {
  const dataDir = t.testdir({
    'servent.yaml': '# mine\ngnutella:\n  # the usual\n  port: 7000\nuploads:\n  slots: 3 # few\n# the end\n',
  });
  const env = { ...alone, SERVENT_DATA_DIR: dataDir };
  const file = async (): Promise<string> => readFile(join(dataDir, 'servent.yaml'), 'utf8');
  t.equal((await command(['config', 'unset', 'gnutella.port'], { env })).code, 0);
  t.match(await file(), /^# mine\n/);
  t.match(await file(), 'uploads:\n  slots: 3 # few\n');
  t.notMatch(await file(), /gnutella|\{\}/);
  t.equal((await command(['config', 'unset', 'uploads.slots'], { env })).code, 0);
  t.notMatch(await file(), /uploads|\{\}/);
  t.match(await file(), '# the end');
  t.equal((await command(['config', 'check'], { env })).code, 0);
  t.equal((await command(['config', 'set', 'gnutella.port', '7001'], { env })).code, 0);
  t.match(await file(), 'gnutella:\n  port: 7001\n');
});
