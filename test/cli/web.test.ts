import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { webPage } from '../../api/web-page.ts';
import { serveFake, TOKEN } from '../support/api-server.ts';
import { command } from '../support/command.ts';

t.test('it says where the page is and where the token, and never the token itself', async t => {
  const { server } = await serveFake(t, { page: webPage });
  const dataDir = t.testdir({});
  await writeFile(join(dataDir, 'api-token'), `${TOKEN}\n`);
  const env = { SERVENT_API: server.url, SERVENT_DATA_DIR: dataDir };
  const { code, out } = await command(['web'], { env });
  t.equal(code, 0);
  t.equal(out, `page:   ${server.url}/\ntoken:  in ${join(dataDir, 'api-token')}\n`);
  t.strictSame((await command(['web', '--json'], { env })).json(), {
    url: `${server.url}/`,
    tokenFile: join(dataDir, 'api-token'),
  });
  t.match(await command(['web', '--token', TOKEN], { env }), { code: 0, out: /token: {2}the given one/ });
});

t.test('a page that is switched off is told, with what switches it on', async t => {
  const { server } = await serveFake(t, { page: () => null });
  t.match(await command(['web'], { env: { SERVENT_API: server.url, SERVENT_TOKEN: TOKEN } }), {
    code: 1,
    err: /disabled; "servent config apply api\.web true"/,
  });
});

t.test('without a daemon it says how to start one', async t => {
  t.match(await command(['web'], { env: { SERVENT_API: 'http://127.0.0.1:1', SERVENT_TOKEN: TOKEN } }), {
    code: 1,
    err: /servent start/,
  });
});
