import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { givenToken } from '../../api/given-token.ts';
import { startDaemon } from '../../daemon/daemon.ts';
import { silentLog } from '../../daemon/log.ts';
import { folder } from '../../settings/kinds.ts';
import { resolveSettings } from '../../settings/resolve.ts';
import { command } from '../support/command.ts';

const TOKEN = 'handed-over-0123456789';

t.test('a token comes from the file that is named, or from the credentials of systemd', async t => {
  const dir = t.testdir({
    token: `${TOKEN}\n`,
    creds: { 'api-token': 'credential-0123456789' },
    other: {},
    short: 'abc',
  });
  const creds = { CREDENTIALS_DIRECTORY: join(dir, 'creds') };
  t.strictSame(await givenToken({ SERVENT_TOKEN_FILE: 'token' }, dir), { token: TOKEN, by: 'SERVENT_TOKEN_FILE' });
  t.match(await givenToken(creds, dir), { token: 'credential-0123456789' });
  t.match(await givenToken({ ...creds, SERVENT_TOKEN_FILE: join(dir, 'token') }, '/'), { token: TOKEN });
  t.equal(await givenToken({ CREDENTIALS_DIRECTORY: join(dir, 'other') }, dir), null, 'other credentials, no token');
  t.equal(await givenToken({ SERVENT_TOKEN_FILE: '' }, dir), null);
  await t.rejects(
    givenToken({ SERVENT_TOKEN_FILE: 'none' }, dir),
    /SERVENT_TOKEN_FILE: cannot read the API token.*none/,
  );
  await t.rejects(givenToken({ SERVENT_TOKEN_FILE: 'short' }, dir), /short holds no usable token/);
});

t.test('a path may lie in the folder of credentials', async t => {
  const before = process.env['CREDENTIALS_DIRECTORY'];
  process.env['CREDENTIALS_DIRECTORY'] = '/run/credentials/servent';
  t.teardown(() => {
    if (before === undefined) delete process.env['CREDENTIALS_DIRECTORY'];
    else process.env['CREDENTIALS_DIRECTORY'] = before;
  });
  t.equal(folder.within?.('$CREDENTIALS_DIRECTORY/key', '/etc'), '/run/credentials/servent/key');
});

t.test('a daemon with a token from a file takes that one, and writes it nowhere', async t => {
  const dir = t.testdir({ token: TOKEN, wrong: 'another-token-0123456789' });
  const dataDir = join(dir, 'data');
  const env = { SERVENT_TOKEN_FILE: join(dir, 'token') };
  await mkdir(dataDir);
  await writeFile(join(dataDir, 'api-token'), 'of-an-earlier-start-0123456789\n');
  const flags = { profile: 'local', dataDir, 'gnutella.port': 0, 'api.port': 0 };
  const daemon = await startDaemon(await resolveSettings({ flags, env, cwd: dir }), silentLog);
  t.teardown(() => daemon.stop());
  const status = (more: Record<string, string>) => command(['status', '--data-dir', dataDir], { env: more, cwd: dir });
  t.match(await status(env), { code: 0, out: /profile local/ });
  t.match(await status({}), { code: 1, err: /does not accept the token/ }, 'the one in the data folder is not in use');
  t.match(await status({ SERVENT_TOKEN_FILE: 'wrong' }), { code: 1 });
  t.match(await status({ SERVENT_TOKEN_FILE: 'nowhere' }), { code: 1, err: /cannot read the API token/ });
  t.notOk(existsSync(join(dataDir, 'token')));
});
