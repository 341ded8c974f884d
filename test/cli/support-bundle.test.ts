import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { startDaemon } from '../../daemon/daemon.ts';
import { createLog } from '../../daemon/log.ts';
import { resolveSettings } from '../../settings/resolve.ts';
import { command } from '../support/command.ts';
import { SHA1 } from '../support/sample-views.ts';

t.test('a bundle has what helps, and neither tokens, keys, secrets of hooks nor names', async t => {
  const dir = t.testdir({ 'hook-secret': 'signing-with-this' });
  const dataDir = join(dir, 'data');
  await mkdir(join(dataDir, 'shared'), { recursive: true });
  await writeFile(join(dataDir, 'shared/private diary.txt'), 'dear diary');
  await mkdir(join(dataDir, 'downloads/.incomplete'), { recursive: true });
  await writeFile(join(dataDir, 'downloads/.incomplete/my novel.part'), 'once');
  await mkdir(join(dir, 'love letters'));
  const hooks = [
    {
      name: 'told',
      topics: ['downloads'],
      url: 'http://127.0.0.1:9/in-the-path?key=in-the-query',
      secretFile: join(dir, 'hook-secret'),
    },
    { name: 'run', topics: ['downloads'], command: ['true', '--password', 'in-the-arguments'] },
  ];
  const log = await createLog({ level: 'debug', format: 'json' }, { write: () => undefined });
  const blockLists = [join(dir, 'enemies.p2p')];
  const shares = [join(dataDir, 'shared'), join(dir, 'love letters')];
  const lists = { 'gnutella.blockLists': blockLists, 'library.folders': shares };
  const flags = { profile: 'local', dataDir, hooks, ...lists, 'gnutella.port': 0, 'api.port': 0 };
  const daemon = await startDaemon(await resolveSettings({ flags, env: {} }), log);
  t.teardown(() => daemon.stop());
  const cli = (...words: string[]) => command([...words, '--data-dir', dataDir], { cwd: dir });
  const token = (await readFile(join(dataDir, 'api-token'), 'utf8')).trim();
  const key = (await cli('keys', 'create', 'monitor')).out.trim();
  t.match(key, /^servent_/);
  t.equal((await cli('download', SHA1, '--name', 'secret plans.pdf')).code, 0);
  await cli('share', join(dir, 'nowhere'));
  log
    .child({ mod: 'part' })
    .warn({ token, authorization: `Bearer ${key}`, path: '/srv/tax 2025.ods' }, `cannot read /srv/tax 2025.ods`);

  const made = await cli('support-bundle', 'bundle.json');
  t.equal(made.code, 0, made.err);
  const file = join(dir, 'bundle.json');
  t.equal((await stat(file)).mode & 0o777, 0o600);
  const text = await readFile(file, 'utf8');
  for (const secret of [token, key, 'signing-with-this', 'in-the-path', 'in-the-query', 'in-the-arguments'])
    t.notOk(text.includes(secret), `no ${secret.slice(0, 12)}`);
  for (const name of [
    'diary',
    'my novel',
    'love letters',
    'enemies',
    'secret plans',
    'tax 2025',
    dir,
    SHA1.slice('urn:sha1:'.length),
  ])
    t.notOk(text.includes(name), `no ${name}`);
  const bundle = JSON.parse(text) as Record<string, unknown>;
  t.match(bundle, {
    servent: String,
    node: process.versions.node,
    platform: new RegExp(`^${process.platform} `),
    status: {
      profile: 'local',
      lostParts: { count: 1, paths: ['(path)'] },
      attention: [{ name: 'block list' }, { name: 'part files' }],
    },
    doctor: { findings: Array },
    configuration: { settings: Array },
    metrics: /^# HELP gnutella_/m,
  });
  t.ok(
    (bundle['log'] as { message: string }[]).some(({ message }) => message === 'cannot read (path)'),
    'the log without the path',
  );

  t.match(await cli('support-bundle', 'bundle.json'), { code: 1, err: /exists.*--force/ });
  t.equal((await cli('support-bundle', 'bundle.json', '--names', '--force')).code, 0);
  const named = await readFile(file, 'utf8');
  t.match(named, 'secret plans.pdf', 'names when they are asked for');
  for (const secret of [token, key, 'signing-with-this', 'in-the-query', 'in-the-arguments'])
    t.notOk(named.includes(secret), `with names too, no ${secret.slice(0, 12)}`);
});
