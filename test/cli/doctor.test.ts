import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import type { Finding } from '../../api/control.ts';
import { checkClock, checkDataFolder, checkDisks, checkNode, checkPort } from '../../daemon/doctor/surroundings.ts';
import { serveFake, TOKEN } from '../support/api-server.ts';
import { command } from '../support/command.ts';

const alone = {
  SERVENT_API: 'http://127.0.0.1:1',
  SERVENT_TOKEN: TOKEN,
  SERVENT_GNUTELLA_PORT: '0',
  SERVENT_API_PORT: '0',
};

interface Report {
  ok: boolean;
  findings: Finding[];
}

t.test('healthy surroundings without a daemon are fine, and every note says what to do', async t => {
  const dataDir = t.testdir({ shared: {} });
  const env = { ...alone, SERVENT_DATA_DIR: dataDir };
  const { code, out } = await command(['doctor'], { env });
  t.equal(code, 0, out);
  t.match(out, /^ok {4}node: /m);
  t.match(out, /^note {2}daemon: not reachable .*\n {6}-> "servent start" starts one$/m);
  const { ok, findings } = (await command(['doctor', '--json'], { env })).json<Report>();
  t.ok(ok);
  for (const { name, state, mend } of findings) t.equal(mend === null, state === 'ok', name);
});

t.test('a running daemon is asked how it is', async t => {
  const { server, control } = await serveFake(t);
  const env = { ...alone, SERVENT_API: server.url, SERVENT_DATA_DIR: t.testdir({ shared: {} }) };
  t.match(await command(['doctor'], { env }), { code: 0, out: /^ok {4}daemon: runs at/m });
  const said = { name: 'node', state: 'ok' as const, detail: 'as the daemon has it', mend: null };
  control.findings = [said];
  const { findings } = (await command(['doctor', '--json'], { env })).json<Report>();
  t.strictSame(
    findings.filter(({ name }) => name === 'node'),
    [said],
    'once, as the daemon says',
  );
  control.peerList = [];
  control.readyView = { status: 'unavailable', checks: [{ name: 'store', ok: false, detail: 'the disk is full' }] };
  const { code, out, err } = await command(['doctor'], { env });
  t.equal(code, 1);
  t.match(out, /^BAD {3}store: the disk is full$/m);
  t.match(out, /^note {2}peers: no connections\n {6}-> "servent connect HOST", or start with /m);
  t.equal(err, 'servent: 1 to fix: store\n');
});

t.test(
  'a full disk is told of the data folder as of downloads, each with the setting that moves it',
  { skip: process.platform !== 'linux' && 'no file system here is always full' },
  async t => {
    t.match(await checkDisks('/proc', '/proc/downloads'), [
      { name: 'disk for data', state: 'bad', detail: 'only 0 B free at /proc', mend: /--data-dir/ },
      { name: 'disk for downloads', state: 'bad', detail: 'only 0 B free at /proc/downloads', mend: /--download-dir/ },
    ]);
    const [data] = await checkDisks(t.testdir({}), '/proc');
    t.not(data?.state, 'bad', 'each disk by itself');
  },
);

t.test('a wrong configuration is a finding', async t => {
  const env = { ...alone, SERVENT_GNUTELLA_MODE: 'boss' };
  t.match(await command(['doctor'], { env }), {
    code: 1,
    out: /^BAD {3}configuration: gnutella.mode: expected one of/m,
  });
});

t.test('a taken port names the flag that chooses another', async t => {
  const server = createServer();
  t.teardown(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  t.match(await checkPort('gnutella port', 'tcp', { host: '127.0.0.1', port }, '--port'), {
    state: 'bad',
    mend: /--port/,
  });
  t.match(await checkPort('gnutella port', 'udp', { host: '127.0.0.1', port: 0 }, '--port'), { state: 'ok' });
  t.match(await checkPort('api port', 'tcp', { host: '203.0.113.1', port: 0 }, '--api-port'), {
    state: 'bad',
    mend: /does not have the address/,
  });
});

t.test('an old Node and a clock that went back are found', async t => {
  t.equal(checkNode('20.18.3').state, 'bad');
  t.equal(checkNode('18.20.0').state, 'bad');
  t.equal(checkNode('20.19.0').state, 'ok');
  t.equal(checkNode('22.1.0').state, 'ok');
  t.equal(checkClock(0).state, 'bad');
  t.equal(checkClock(Date.UTC(2030, 0)).state, 'ok');
});

t.test(
  'folders that cannot be read or written are found',
  { skip: process.getuid?.() === 0 && 'root may do everything' },
  async t => {
    const folder = t.testdir({ shut: {} });
    const shut = join(folder, 'shut');
    await chmod(shut, 0o500);
    t.match(await checkDataFolder(join(shut, 'inner')), { state: 'bad', mend: /--data-dir/ });
  },
);
