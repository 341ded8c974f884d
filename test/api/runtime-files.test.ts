import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { ensureApiToken, readApiToken, readRuntime, removeRuntime, writeRuntime } from '../../api/runtime-files.ts';

t.test('the token is made once, for the owner alone', async t => {
  const folder = t.testdir({});
  t.equal(await readApiToken(folder), null);
  const token = await ensureApiToken(folder);
  t.match(token, /^[\w-]{43}$/);
  t.equal(await ensureApiToken(folder), token);
  t.equal(await readApiToken(folder), token);
  t.equal(await readFile(join(folder, 'api-token'), 'utf8'), `${token}\n`);
  t.not(await ensureApiToken(t.testdir({ other: {} })), token);
});

t.test(
  'a token that others could read is closed to them',
  { skip: process.platform === 'win32' && 'no modes there' },
  async t => {
    const folder = t.testdir({});
    const token = await ensureApiToken(folder);
    const file = join(folder, 'api-token');
    t.equal((await stat(file)).mode & 0o777, 0o600);
    await chmod(file, 0o644);
    t.equal(await ensureApiToken(folder), token);
    t.equal((await stat(file)).mode & 0o777, 0o600);
  },
);

t.test('an unusable token is not silently replaced', async t => {
  const folder = t.testdir({ 'api-token': '' });
  await t.rejects(ensureApiToken(folder), /delete it, and the daemon creates a new one/);
  await writeFile(join(folder, 'api-token'), 'two words that are long enough');
  await t.rejects(ensureApiToken(folder), /delete it/);
});

t.test('where the daemon listens is left for its clients and taken away', async t => {
  const folder = t.testdir({});
  t.equal(await readRuntime(folder), null);
  const runtime = { pid: 1, api: 'http://127.0.0.1:8346', gnutella: '127.0.0.1:6346' };
  await writeRuntime(folder, runtime);
  t.strictSame(await readRuntime(folder), runtime);
  for (const text of ['', '{', '[]', 'null', '{"pid":"1"}']) {
    await writeFile(join(folder, 'runtime.json'), text);
    t.equal(await readRuntime(folder), null, text);
  }
  await removeRuntime(folder);
  await removeRuntime(folder);
  t.equal(await readRuntime(folder), null);
});
