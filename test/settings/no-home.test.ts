import { spawnSync } from 'node:child_process';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import t from 'tap';
import { homeFolder } from '../../api/home.ts';
import { usualDataDir } from '../../settings/data-dir.ts';
import { memoryPath } from '../../tui/memory-file.ts';
import { MAIN } from '../support/servent-process.ts';

/** No passwd file names it. */
const NOBODY_AT_ALL = 54_321;
const skip = process.getuid?.() !== 0 && 'only root can become another user';

t.test('a user id without a passwd entry and without HOME: one line asks for the data folder', { skip }, async t => {
  const folder = join(tmpdir(), `servent-no-home-${process.pid}`);
  await mkdir(folder);
  await chmod(folder, 0o777);
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const asNobody = (words: string[], env: Record<string, string> = {}) =>
    spawnSync(process.execPath, [MAIN, ...words], {
      uid: NOBODY_AT_ALL,
      gid: NOBODY_AT_ALL,
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '', ...env },
      encoding: 'utf8',
      timeout: 30_000,
    });
  const first = asNobody(['--version']);
  if (first.stderr.includes('EACCES')) return void t.pass('the program cannot be read by others here');
  t.match(first, { status: 0, stdout: /^\d+\.\d+/ });
  const asks = /^servent: this user has no home folder: set the data folder with --data-dir or SERVENT_DATA_DIR\n$/;
  for (const words of [['start'], ['status'], ['doctor']])
    t.match(asNobody(words), { status: 1, stdout: '', stderr: asks }, words.join(' '));
  t.match(asNobody(['config', 'get', 'dataDir'], { SERVENT_DATA_DIR: folder }), { status: 0, stdout: `${folder}\n` });
  t.match(asNobody(['status', '--data-dir', folder, '--api', 'http://127.0.0.1:1']), { stderr: /no daemon answers/ });
  const called = asNobody(['status', '--api', 'http://127.0.0.1:1', '--token', 'a'.repeat(20)]);
  t.match(called.stderr, /no daemon answers/, 'who says where and with which token needs no folder');
  t.match(asNobody(['start', '--share', '~/music', '--data-dir', folder]), {
    status: 1,
    stderr: /^servent: ~\/music: this user has no home folder: use an absolute path\n$/,
  });
});

t.test('an empty or relative HOME does not make folders depend on the current one', t => {
  for (const HOME of ['', 'somewhere', './x']) {
    const home = homeFolder({ HOME });
    if (home === null) continue;
    t.ok(isAbsolute(home), HOME);
    t.ok(isAbsolute(usualDataDir({ HOME, XDG_DATA_HOME: '' })));
    t.ok(isAbsolute(usualDataDir({ HOME, XDG_DATA_HOME: 'data' })));
    t.ok(isAbsolute(memoryPath({ HOME, XDG_CONFIG_HOME: 'config' }) ?? '/'));
  }
  t.equal(homeFolder({ HOME: '/home/ada' }), '/home/ada');
  t.end();
});

t.test('the data folder is where each platform keeps such things', t => {
  const env = { HOME: '/home/ada' };
  t.equal(usualDataDir(env, 'linux'), '/home/ada/.local/share/servent');
  t.equal(usualDataDir({ ...env, XDG_DATA_HOME: '/data' }, 'linux'), '/data/servent');
  t.equal(usualDataDir(env, 'darwin'), '/home/ada/Library/Application Support/servent');
  t.equal(usualDataDir({ ...env, LOCALAPPDATA: '/local' }, 'win32'), '/local/servent/Data');
  t.end();
});
