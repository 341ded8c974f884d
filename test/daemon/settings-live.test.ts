// The configuration of a running daemon: patched over the API, read again, planned.
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { type Client, createClient, RefusedError } from '../../api/client.ts';
import { readApiToken } from '../../api/runtime-files.ts';
import { type RunningDaemon, startDaemon } from '../../daemon/daemon.ts';
import { createLog, logLevels } from '../../daemon/log.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { resolveSettings } from '../../settings/resolve.ts';
import { command } from '../support/command.ts';
import { startServent } from '../support/running-servent.ts';

const BASE = { SERVENT_PROFILE: 'local', SERVENT_GNUTELLA_PORT: '0', SERVENT_API_PORT: '0' };
const COMMENTED = `# mine
uploads:
  slots: 3 # few
`;

interface Configured extends RunningDaemon {
  client: Client;
  file: string;
  dataDir: string;
}

async function configured(t: Test, text: string | null, env: Record<string, string> = {}): Promise<Configured> {
  const dataDir = t.testdir({ ...(text === null ? {} : { 'servent.yaml': text }), more: {}, shared: {} });
  const resolved = await resolveSettings({ env: { ...BASE, SERVENT_DATA_DIR: dataDir, ...env }, cwd: dataDir });
  const log = await createLog({ level: 'silent', format: 'json' });
  const daemon = await startDaemon(resolved, log);
  t.teardown(() => daemon.stop());
  const client = createClient({ url: daemon.api, token: (await readApiToken(dataDir)) ?? '' });
  return { ...daemon, client, dataDir, file: join(dataDir, 'servent.yaml') };
}

const settingOf = async (client: Client, key: string) => {
  const row = (await client.config()).settings.find(setting => setting.key === key);
  return { value: row?.value, origin: row?.origin };
};

t.test('a patch changes what it can at once, keeps the comments and says what waits', async t => {
  const { client, file } = await configured(t, COMMENTED);
  const plan = await client.changeConfig({ uploads: { slots: 5 }, gnutella: { maxLeaves: 7, tls: true } });
  t.match(plan, { file, dryRun: false, restart: true, overruled: [] });
  t.match(plan.changes, [
    { key: 'gnutella.maxLeaves', from: 200, to: 7, effect: 'hot', applied: true, error: null },
    { key: 'gnutella.tls', from: false, to: true, effect: 'restart', applied: false },
    { key: 'uploads.slots', from: 3, to: 5, effect: 'hot', applied: true },
  ]);
  t.match(
    await readFile(file, 'utf8'),
    /^# mine\nuploads:\n {2}slots: 5 # few\ngnutella:\n {2}maxLeaves: 7\n {2}tls: true\n$/,
  );
  t.strictSame(await settingOf(client, 'uploads.slots'), { value: 5, origin: 'file' });
  t.strictSame(await settingOf(client, 'gnutella.tls'), { value: false, origin: 'profile' });
});

t.test('null takes a key out of the file, and a daemon without a file gets one', async t => {
  const { client, file } = await configured(t, null);
  await client.changeConfig({ downloads: { maxActive: 2 } });
  t.strictSame(await settingOf(client, 'downloads.maxActive'), { value: 2, origin: 'file' });
  await client.changeConfig({ downloads: { maxActive: null } });
  t.strictSame(await settingOf(client, 'downloads.maxActive'), { value: 4, origin: 'default' });
  t.notMatch(await readFile(file, 'utf8'), /maxActive/);
});

t.test('a plan changes nothing, neither file nor daemon', async t => {
  const { client, file } = await configured(t, null);
  t.match(await client.changeConfig({ dryRun: 'true', uploads: { slots: 1 } }), {
    dryRun: true,
    changes: [{ key: 'uploads.slots', applied: false }],
  });
  await t.rejects(stat(file), { code: 'ENOENT' });
  t.match(await settingOf(client, 'uploads.slots'), { value: 10 });
});

t.test('a wrong patch is refused with each fault, and nothing is written', async t => {
  const { client, file } = await configured(t, COMMENTED);
  for (const [patch, detail] of [
    [{ uploads: { slots: -1 } }, /uploads\.slots: expected a whole number/],
    [{ uploads: { slot: 1 } }, /unknown key uploads\.slot; did you mean uploads\.slots\?/],
    [{ uploads: 3 }, /unknown key uploads/],
    [{ gnutella: { host: '10.0.0.1' } }, /gnutella\.host: expected a loopback address/],
  ] as const) {
    const refusal = await client.changeConfig(patch).catch((error: unknown) => error);
    t.ok(refusal instanceof RefusedError, JSON.stringify(patch));
    t.match((refusal as RefusedError).problem, { status: 400, code: 'INVALID', detail });
  }
  t.equal(await readFile(file, 'utf8'), COMMENTED);
});

t.test('a variable that overrules the file is named', async t => {
  const { client } = await configured(t, null, { SERVENT_UPLOADS_SLOTS: '9' });
  const plan = await client.changeConfig({ uploads: { slots: 2 } });
  t.strictSame(plan.overruled, [{ key: 'uploads.slots', by: 'SERVENT_UPLOADS_SLOTS' }]);
  t.match(await settingOf(client, 'uploads.slots'), { value: 9, origin: 'environment' });
});

t.test('what cannot be applied is undone and says why', async t => {
  const { client } = await configured(t, null);
  const { changes } = await client.changeConfig({ library: { folders: ['nowhere'] } });
  t.match(changes, [{ key: 'library.folders', applied: false, error: /nowhere/ }]);
});

t.test('folders, log level and kept neighbours follow a reload', async t => {
  const elsewhere = '127.0.0.1:9'; // nobody: kept neighbours are tried again and again
  const { client, file, dataDir, reload } = await configured(t, null, { SERVENT_GNUTELLA_MODE: 'ultrapeer' });
  await writeFile(file, `library:\n  folders: [more]\nlog:\n  level: error\ngnutella:\n  connect: ['${elsewhere}']\n`);
  const plan = await reload();
  t.strictSame(
    plan.changes.map(({ key, applied }) => [key, applied]),
    [
      ['gnutella.connect', true],
      ['library.folders', true],
      ['log.level', true],
    ],
  );
  t.match((await client.folders()).items, [{ path: join(dataDir, 'more') }]);
  t.equal((await client.logLevels()).level, 'error');
  t.match(await client.reloadConfig(), { changes: [] }, 'a second one finds nothing new');
  await writeFile(file, 'library: nonsense\n');
  await t.rejects(client.reloadConfig(), /library: expected keys below it/);
});

t.test('what we are called and whether we are reachable change while it runs', async t => {
  const { client, gnutella, dataDir } = await configured(t, null, { SERVENT_GNUTELLA_MODE: 'ultrapeer' });
  const other = await startServent(t, join(dataDir, 'other'));
  const seenAs = async (): Promise<string | null> => {
    const { id } = await other.client.connect({ address: formatEndpoint(gnutella) });
    const name = (await other.client.peers()).items.find(peer => peer.id === id)?.userAgent ?? null;
    await other.client.disconnect({ id });
    return name;
  };
  t.match(await seenAs(), /^servent\//);
  t.match((await client.status()).reachability.tcp, { state: 'open', known: 'configured' });
  const { changes } = await client.changeConfig({ gnutella: { userAgent: 'mine/1', reachable: 'no' } });
  t.match(changes, [
    { key: 'gnutella.reachable', effect: 'hot', applied: true },
    { key: 'gnutella.userAgent', effect: 'reconnect', applied: true },
  ]);
  t.match((await client.status()).reachability, {
    tcp: { state: 'firewalled', known: 'configured' },
    udp: { state: 'firewalled', known: 'configured' },
  });
  t.equal(await seenAs(), 'mine/1');
  await client.changeConfig({ gnutella: { reachable: 'auto' } });
  t.match((await client.status()).reachability.udp, { known: null }, 'now it finds out');
});

t.test('another profile brings its defaults at the next start, not before', async t => {
  const { client } = await configured(t, 'profile: local\n', { SERVENT_PROFILE: '' });
  const { changes } = await client.changeConfig({ dryRun: 'true', profile: 'lan', uploads: { slots: 1 } });
  for (const { key, effect } of changes) t.equal(effect, key === 'uploads.slots' ? 'hot' : 'restart', key);
});

t.test('each part of the daemon logs as much as it is told to, live', async t => {
  const lines: { mod?: string; msg: string }[] = [];
  const log = await createLog({ level: 'info', format: 'json' }, { write: line => lines.push(JSON.parse(line)) });
  const links = log.child({ mod: 'links' });
  const store = log.child({ mod: 'store' });
  logLevels(log).change({ links: 'debug', later: 'trace' });
  links.debug('a');
  store.debug('b');
  log.child({ mod: 'later' }).trace('c');
  logLevels(log).level = 'error';
  store.info('d');
  links.debug('e');
  logLevels(log).change({ links: null });
  links.info('f');
  t.strictSame(
    lines.map(({ msg }) => msg),
    ['a', 'c', 'e'],
  );
  t.strictSame(logLevels(log).view(), { level: 'error', levels: { later: 'trace', links: 'error', store: 'error' } });
  t.strictSame(logLevels(pino({ level: 'warn' })).view(), { level: 'warn', levels: {} }, 'a log of somebody else');
});

t.test('a value can come from a file that a variable names', async t => {
  const dir = t.testdir({ port: '7001\n' });
  const env = { SERVENT_GNUTELLA_PORT_FILE: 'port', SERVENT_DATA_DIR: dir };
  const { settings, origins, warnings } = await resolveSettings({ env, cwd: dir });
  t.equal(settings.gnutella.port, 7001);
  t.match(origins['gnutella.port'], { kind: 'environment', where: 'SERVENT_GNUTELLA_PORT_FILE' });
  t.strictSame(warnings, []);
  await t.rejects(
    resolveSettings({ env: { ...env, SERVENT_GNUTELLA_PORT_FILE: 'none' }, cwd: dir }),
    /gnutella\.port: cannot read the file that SERVENT_GNUTELLA_PORT_FILE names/,
  );
});

t.test('the command line applies, plans and reloads', async t => {
  const { api, dataDir, file } = await configured(t, COMMENTED);
  const cli = (...words: string[]) => command(words, { env: { SERVENT_API: api, SERVENT_DATA_DIR: dataDir } });
  t.match(await cli('config', 'apply', 'uploads.slots', '8', '--dry-run'), {
    code: 0,
    out: /uploads\.slots +3 +8 +now/,
  });
  t.match(await cli('config', 'apply', 'uploads.slots', '8'), { code: 0, out: /uploads\.slots +3 +8 +now/ });
  t.match(await cli('config', 'get', 'uploads.slots'), { out: '8\n' });
  t.match(await cli('config', 'apply', 'gnutella.block', '10.0.0.0/8', '--json'), { code: 0, out: /"applied":true/ });
  t.match(await cli('config', 'apply', 'uploads.slots'), { code: 0, out: /8 +10 +now/ });
  t.match(await cli('config', 'reload'), { code: 0, err: 'nothing changes\n' });
  t.match(await cli('config', 'show', '--origin'), { out: new RegExp(`gnutella\\.block .*${file}:`) });
  t.match(await cli('config', 'apply', 'uploads.slots', '1', '2'), { code: 2 });
});

t.test(
  'limits hold as soon as they are set, say where they come from, and a bad timetable changes nothing',
  async t => {
    const { client } = await configured(t, null);
    t.strictSame((await client.status()).limits, []);
    const daily = { days: 'daily', from: '00:00', to: '24:00', download: 7000 };
    await client.changeConfig({ limits: { upload: 5000, schedule: [daily], monthlyBytes: 1_000_000 } });
    const { items, budget } = await client.limits();
    const of = (name: string) => items.find(limit => limit.name === name);
    t.match(of('upload'), { value: 5000, origin: 'setting', why: 'limits.upload', used: 0, stopped: false });
    t.match(of('download'), { value: 7000, origin: 'schedule', changesAt: null });
    t.match(of('hashing'), { value: 0, why: 'library.hashSpeed' });
    t.match(budget, { state: 'open', bytes: 1_000_000 });
    await t.rejects(client.changeConfig({ limits: { schedule: [{ ...daily, from: 'noon' }] } }), {
      message: /limits.schedule: expected entry 1 with from: a local time/,
    });
    t.equal((await client.limits()).items.find(({ name }) => name === 'download')?.value, 7000);
    await client.changeConfig({ limits: { upload: null, schedule: null, monthlyBytes: null } });
    t.match(await client.status(), { limits: [], budget: null });
  },
);
