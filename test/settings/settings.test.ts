import { delimiter, join } from 'node:path';
import t, { type Test } from 'tap';
import { config } from '../../api/schemas/service.ts';
import { nearest, SettingsError } from '../../settings/faults.ts';
import { editSettings, parseSettings } from '../../settings/file.ts';
import { flagName, resolveSettings, type SettingSources } from '../../settings/resolve.ts';
import { settingsList, variableOf } from '../../settings/settings.ts';
import { configView } from '../../settings/view.ts';

/** Nothing of the machine the test runs on. */
const bare = (sources: SettingSources = {}): SettingSources => ({
  env: {},
  ...sources,
  flags: { dataDir: '/nowhere/servent', ...sources.flags },
});

async function faultsOf(sources: SettingSources): Promise<string[]> {
  try {
    await resolveSettings(sources);
  } catch (error) {
    if (error instanceof SettingsError) return error.faults.map(fault => fault.text);
    throw error;
  }
  return [];
}

function fileFaults(text: string): string[] {
  try {
    parseSettings(text, 'servent.yaml');
  } catch (error) {
    if (error instanceof SettingsError) return error.faults.map(fault => fault.text);
    throw error;
  }
  return [];
}

function fileIn(t: Test, text: string): string {
  return join(t.testdir({ 'servent.yaml': text }), 'servent.yaml');
}

t.test('flags win over the environment, which wins over the file, which wins over the profile', async t => {
  const configFile = fileIn(t, 'gnutella:\n  host: 10.0.0.1\n  port: 1001\n  maxLeaves: 1\n');
  const env = { SERVENT_GNUTELLA_PORT: '2002', SERVENT_GNUTELLA_MAX_LEAVES: '2' };
  const { settings, origins, file } = await resolveSettings(
    bare({ configFile, env, flags: { 'gnutella.maxLeaves': '3' } }),
  );
  t.equal(settings.gnutella.maxLeaves, 3);
  t.strictSame(origins['gnutella.maxLeaves'], { kind: 'flag', where: '--max-leaves' });
  t.equal(settings.gnutella.port, 2002);
  t.strictSame(origins['gnutella.port'], { kind: 'environment', where: 'SERVENT_GNUTELLA_PORT' });
  t.equal(settings.gnutella.host, '10.0.0.1');
  t.strictSame(origins['gnutella.host'], { kind: 'file', where: `${configFile}:2:3` });
  t.equal(settings.gnutella.maxPerAddress, 3);
  t.strictSame(origins['gnutella.maxPerAddress'], { kind: 'profile', where: 'public' });
  t.equal(settings.gnutella.maxUltrapeers, 32);
  t.strictSame(origins['gnutella.maxUltrapeers'], { kind: 'default', where: null });
  t.equal(file, configFile);
});

t.test('the defaults are those that were promised', async t => {
  const { settings } = await resolveSettings(bare());
  t.match(settings, {
    profile: 'public',
    dataDir: '/nowhere/servent',
    gnutella: { host: '0.0.0.0', port: 6346, mode: 'auto', maxLeaves: 200, maxUltrapeers: 32, connect: [] },
    library: { folders: [join('/nowhere/servent', 'shared')] },
    downloads: { folder: join('/nowhere/servent', 'downloads') },
    api: { host: '127.0.0.1', port: 8346 },
    bootstrap: { enabled: true },
    log: { level: 'info' },
  });
  const local = await resolveSettings(bare({ flags: { profile: 'local' } }));
  t.match(local.settings, {
    gnutella: { host: '127.0.0.1', maxPerAddress: 0 },
    uploads: { maxPerAddress: 0 },
    bootstrap: { enabled: false },
  });
  const lan = await resolveSettings(bare({ env: { SERVENT_PROFILE: 'lan' } }));
  t.match(lan.settings, { gnutella: { host: '0.0.0.0' }, bootstrap: { enabled: false } });
});

t.test('every setting can be given by flag, variable and file, and the profile still decides the rest', async t => {
  const given: Record<string, [text: string, yaml: string, value: unknown]> = {
    'gnutella.interface': ['tun0', 'tun0', 'tun0'],
    'nat.mapping': ['auto', 'auto', 'auto'],
    'nat.router': ['192.168.1.1:5351', '192.168.1.1:5351', '192.168.1.1:5351'],
    'nat.relay': ['yes', 'true', true],
    'nat.portFile': ['/srv/port', '/srv/port', '/srv/port'],
    'proxy.socks': ['socks5://127.0.0.1:9050', 'socks5://127.0.0.1:9050', 'socks5://127.0.0.1:9050'],
    'proxy.isolate': ['yes', 'true', true],
    profile: ['lan', 'lan', 'lan'],
    dataDir: ['/d', '/d', '/d'],
    'gnutella.host': ['127.0.0.9', '127.0.0.9', '127.0.0.9'],
    'gnutella.mode': ['leaf', 'leaf', 'leaf'],
    'gnutella.connect': ['10.0.0.1:1,[::1]:2', '[10.0.0.1:1, "[::1]:2"]', ['10.0.0.1:1', '[::1]:2']],
    'gnutella.deflate': ['no', 'false', false],
    'gnutella.userAgent': ['me/1', 'me/1', 'me/1'],
    'library.folders': [`/a${delimiter}/b, c`, '[/a, "/b, c"]', ['/a', '/b, c']],
    'library.exclude': ['*.iso,/a b/', '["*.iso", "/a b/"]', ['*.iso', '/a b/']],
    'library.watch': ['no', 'false', false],
    'downloads.folder': ['/x', '/x', '/x'],
    'downloads.categories': ['[]', '[]', []],
    'api.host': ['::1', '"::1"', '::1'],
    'api.web': ['off', 'false', false],
    'api.socket': ['off', 'false', false],
    'api.hostNames': ['nas.home', '[nas.home]', ['nas.home']],
    'api.corsOrigins': ['https://a.example', '["https://a.example"]', ['https://a.example']],
    'api.tlsCert': ['', '""', ''], // one without the other is refused
    'api.tlsKey': ['', '""', ''],
    'bootstrap.enabled': ['off', 'false', false],
    'gnutella.udp': ['off', 'false', false],
    'gnutella.reachable': ['no', '"no"', 'no'],
    'gnutella.outOfBand': ['off', 'false', false],
    'dht.mode': ['passive', 'passive', 'passive'],
    'recording.mode': ['files', 'files', 'files'],
    'recording.url': ['http://127.0.0.1:8123', '"http://127.0.0.1:8123"', 'http://127.0.0.1:8123'],
    'recording.maxBytes': ['2000000', '2000000', 2_000_000],
    'recording.folder': ['/r', '/r', '/r'],
    'gnutella.tls': ['off', 'false', false],
    'gnutella.block': ['10.0.0.0/8,::1', '[10.0.0.0/8, "::1"]', ['10.0.0.0/8', '::1']],
    'uploads.neverBan': ['10.0.0.0/8,::1', '[10.0.0.0/8, "::1"]', ['10.0.0.0/8', '::1']],
    'gnutella.blockLists': ['/a.p2p', '[/a.p2p]', ['/a.p2p']],
    'bootstrap.caches': ['http://A/gwc,uhc:b:1', '["HTTP://a:80/gwc", "uhc:b:1"]', ['http://a/gwc', 'uhc:b:1']],
    'bootstrap.hostsFiles': ['/hosts', '[/hosts]', ['/hosts']],
    'queries.privacy': ['hashed', 'hashed', 'hashed'],
    'searches.spam': ['size>1', 'size>1', 'size>1'],
    'limits.schedule': ['[]', '[]', []],
    'uploads.groups': ['[]', '[]', []],
    'uploads.credit': ['on', 'true', true],
    hooks: ['[]', '[]', []],
    'log.level': ['debug', 'debug', 'debug'],
    'log.format': ['json', 'json', 'json'],
  };
  for (const { key } of settingsList) {
    const [text, yaml, value] = given[key] ?? ['7', '7', 7];
    const [section, name] = key.split('.');
    const configFile = fileIn(t, name === undefined ? `${section}: ${yaml}\n` : `${section}:\n  ${name}: ${yaml}\n`);
    const from = async (sources: SettingSources): Promise<unknown> =>
      configView(await resolveSettings({ env: {}, ...sources })).settings.find(row => row.key === key)?.value;
    t.strictSame(await from({ flags: { [key]: Array.isArray(value) ? value : text } }), value, `${key} by flag`);
    t.strictSame(await from({ env: { [variableOf(key)]: text } }), value, `${key} by variable`);
    t.strictSame(await from({ configFile }), value, `${key} by file`);
  }
});

t.test('passwords in addresses are not shown', async t => {
  const url = 'http://recorder:secret@127.0.0.1:8123/mine';
  const resolved = await resolveSettings(bare({ flags: { 'recording.url': url } }));
  t.equal(resolved.settings.recording.url, url);
  const view = configView(resolved);
  t.notMatch(JSON.stringify(view), /secret/);
  t.equal(view.settings.find(({ key }) => key === 'recording.url')?.value, 'http://recorder:***@127.0.0.1:8123/mine');
});

t.test('variables are named after their keys', async t => {
  t.equal(variableOf('dataDir'), 'SERVENT_DATA_DIR');
  t.equal(variableOf('gnutella.maxLeaves'), 'SERVENT_GNUTELLA_MAX_LEAVES');
  t.equal(variableOf('library.folders'), 'SERVENT_LIBRARY_FOLDERS');
  t.equal(new Set(settingsList.map(({ key }) => variableOf(key))).size, settingsList.length);
  t.equal(new Set(settingsList.map(({ setting }) => flagName(setting))).size, settingsList.length);
});

t.test('a wrong value says key, value, what was expected and where it came from', async t => {
  t.strictSame(await faultsOf(bare({ env: { SERVENT_GNUTELLA_PORT: 'abc' } })), [
    'gnutella.port: expected a whole number from 0 to 65535, got "abc" (environment SERVENT_GNUTELLA_PORT)',
  ]);
  t.strictSame(await faultsOf(bare({ flags: { 'gnutella.mode': 'supernode' } })), [
    'gnutella.mode: expected one of auto, leaf, ultrapeer, got "supernode" (flag --mode)',
  ]);
  t.strictSame(await faultsOf(bare({ flags: { 'gnutella.connect': ['10.0.0.1:1', '10.0.0'] } })), [
    'gnutella.connect: expected a list, each item HOST or HOST:PORT, got "10.0.0" (flag --connect)',
  ]);
  const configFile = fileIn(
    t,
    'gnutella:\n  port: "6346"\n  connect:\n    - 10.0.0.1:1\n    - nonsense\nlog:\n  level:\n',
  );
  t.strictSame(await faultsOf(bare({ configFile })), [
    `gnutella.port: expected a whole number from 0 to 65535, got "6346" (${configFile}:2:9)`,
    `gnutella.connect: expected a list, each item HOST or HOST:PORT, got "nonsense" (${configFile}:5:7)`,
    `log.level: expected one of trace, debug, info, warn, error, fatal, silent, got nothing (${configFile}:7:9)`,
  ]);
});

t.test('numbers out of range, fractions and lookalikes are refused', async t => {
  for (const text of ['65536', '-1', '1.5', '1e3', '0x10', ' ', '6346 6347', '١'])
    t.equal((await faultsOf(bare({ env: { SERVENT_GNUTELLA_PORT: text } }))).length, 1, JSON.stringify(text));
  t.equal((await resolveSettings(bare({ env: { SERVENT_GNUTELLA_PORT: ' 0 ' } }))).settings.gnutella.port, 0);
});

t.test('caches and blocks that are none are refused', async t => {
  for (const cache of ['a:1', 'https://a/', 'uhc:a', 'http://a/?x=1', 'udp:a:1', ''])
    t.equal((await faultsOf(bare({ flags: { 'bootstrap.caches': [cache] } }))).length, 1, cache);
  for (const block of ['10.0.0.0/33', '10.0.0.0/', '10.0.0', '::/129', 'a/8', '10.0.0.0/8/9'])
    t.equal((await faultsOf(bare({ flags: { 'gnutella.block': [block] } }))).length, 1, block);
});

t.test('addresses that cannot be listened on or connected to are refused', async t => {
  for (const host of ['example.net', '256.0.0.1', '', '10.0.0.1:80', '[::1]'])
    t.equal((await faultsOf(bare({ flags: { 'api.host': host } }))).length, 1, host);
  for (const address of [
    '10.0.0',
    '10.0.0.1:0',
    '10.0.0.1:65536',
    ':6346',
    '::1:6346',
    '[10.0.0.1]:6346',
    'a b:1',
    'x:y',
  ])
    t.equal((await faultsOf(bare({ flags: { 'gnutella.connect': [address] } }))).length, 1, address);
  const { settings } = await resolveSettings(
    bare({
      flags: {
        'api.host': 'localhost',
        'gnutella.connect': ['peer.lan:6346', '10.0.0.1', '::1', '[::1]:7'],
        'bootstrap.caches': ['uhc:cache.example'],
      },
    }),
  );
  t.equal(settings.api.host, '127.0.0.1');
  t.strictSame(settings.gnutella.connect, ['peer.lan:6346', '10.0.0.1:6346', '[::1]:6346', '[::1]:7']);
  t.strictSame(settings.bootstrap.caches, ['uhc:cache.example:6346']);
});

t.test('an unknown key is refused with its place and the nearest known one', async t => {
  t.strictSame(fileFaults('gnutela:\n  port: 1\n'), ['unknown key gnutela (servent.yaml:1:1); did you mean gnutella?']);
  t.strictSame(fileFaults('gnutella:\n  prot: 1\n'), [
    'unknown key gnutella.prot (servent.yaml:2:3); did you mean gnutella.port?',
  ]);
  t.strictSame(fileFaults('maxLeaves: 3\n'), [
    'unknown key maxLeaves (servent.yaml:1:1); did you mean gnutella.maxLeaves?',
  ]);
  t.match(
    fileFaults('api:\n  colour: red\n')[0],
    /^unknown key api.colour \(servent.yaml:2:3\); `servent config show`/,
  );
  for (const key of ['__proto__', 'constructor', 'toString', '? [a]\n', '1', '""'])
    t.match(fileFaults(`${key}: 1\n`)[0], /^unknown key/, key);
});

t.test('a file that is no configuration says so in one line with the place', async t => {
  t.match(fileFaults('gnutella:\n  port: [1\n')[0], /^servent.yaml:\d+:\d+: not valid YAML: /);
  t.match(fileFaults('api:\n  port: 1\n  port: 2\n')[0], /^servent.yaml:3:3: not valid YAML: .*unique/);
  t.match(fileFaults('- a\n- b\n')[0], /^the file: expected keys below it/);
  t.match(fileFaults('gnutella: 6346\n')[0], /^gnutella: expected keys below it, got 6346/);
  t.match(fileFaults('a: &a [x, x]\nb: &b [*a, *a]\n')[0], /^unknown key a /);
  t.strictSame(fileFaults(''), []);
  t.strictSame(fileFaults('# nothing\ngnutella:\napi: {}\n'), []);
});

t.test('a file that cannot be read stops the start, one that is not there only when it was named', async t => {
  const folder = t.testdir({});
  t.strictSame(await faultsOf({ env: {}, flags: { dataDir: folder } }), []);
  t.match(
    (await faultsOf(bare({ configFile: join(folder, 'no.yaml') })))[0],
    /cannot read the configuration file .*no\.yaml: ENOENT/,
  );
  t.match(
    (await faultsOf(bare({ env: { SERVENT_CONFIG: folder } })))[0],
    /cannot read the configuration file .*: EISDIR/,
  );
});

t.test('the file in the data folder is found, also when a variable names the folder', async t => {
  const dataDir = t.testdir({ 'servent.yaml': 'api:\n  port: 1234\n' });
  for (const sources of [{ flags: { dataDir }, env: {} }, { env: { SERVENT_DATA_DIR: dataDir } }]) {
    const { settings, file } = await resolveSettings(sources);
    t.equal(settings.api.port, 1234);
    t.equal(file, join(dataDir, 'servent.yaml'));
  }
});

t.test('relative paths start where they were written', async t => {
  const folder = t.testdir({ 'servent.yaml': 'library:\n  folders: [music, ~/Public]\n' });
  const { settings } = await resolveSettings({
    env: { SERVENT_DOWNLOADS_FOLDER: 'down', HOME: '/home/x' },
    flags: { dataDir: 'state' },
    configFile: join(folder, 'servent.yaml'),
    cwd: '/work',
  });
  t.equal(settings.dataDir, join('/work', 'state'));
  t.equal(settings.downloads.folder, join('/work', 'down'));
  t.equal(settings.library.folders[0], join(folder, 'music'));
  t.notMatch(settings.library.folders[1], '~');
});

t.test('values that contradict each other are refused', async t => {
  t.match(
    (await faultsOf(bare({ flags: { profile: 'local', 'gnutella.host': '0.0.0.0' } })))[0],
    /loopback.*--profile lan.*--host/,
  );
  t.match((await faultsOf(bare({ flags: { 'gnutella.port': '8346' } })))[0], /another port than api.port/);
  t.strictSame(await faultsOf(bare({ flags: { 'gnutella.port': '0', 'api.port': '0' } })), []);
});

t.test('all faults are found at once, and the message names the first and how many follow', async t => {
  const env = { SERVENT_GNUTELLA_PORT: 'x', SERVENT_API_PORT: 'y', SERVENT_PROFILE: 'z', SERVENT_LOG_LEVEL: '' };
  await t.rejects(resolveSettings(bare({ env })), {
    message: /^profile: .*; 2 more: `servent config check` lists them$/,
  });
});

t.test('a misspelt variable is a warning, what a container platform sets is not', async t => {
  const env = {
    SERVENT_GNUTELA_PORT: '1',
    SERVENT_SERVICE_HOST: '10.0.0.1',
    SERVENT_PORT: 'tcp://10.0.0.1:80',
    PATH: '/bin',
  };
  const { warnings } = await resolveSettings(bare({ env }));
  t.strictSame(warnings, [
    'the variable SERVENT_GNUTELA_PORT is unknown and ignored; did you mean SERVENT_GNUTELLA_PORT?',
  ]);
});

t.test('editing the file leaves comments and order alone', async t => {
  const text = '# mine\napi:\n  # local only\n  port: 1 # for the proxy\n\ngnutella:\n';
  const edited = editSettings(editSettings(text, 'f', 'api.port', 2), 'f', 'gnutella.mode', 'leaf');
  t.equal(edited, '# mine\napi:\n  # local only\n  port: 2 # for the proxy\n\ngnutella:\n  mode: leaf\n');
  t.equal(editSettings('', 'f', 'log.level', 'debug'), 'log:\n  level: debug\n');
  t.equal(
    editSettings('log:\n  level: debug\n  format: json\n', 'f', 'log.level', undefined),
    'log:\n  format: json\n',
  );
  t.throws(() => editSettings('', 'f', 'api.port', 'x'), SettingsError);
  t.throws(() => editSettings('nonsense: 1\n', 'f', 'api.port', 1), SettingsError);
  t.throws(() => editSettings('a: [\n', 'f', 'api.port', 1), SettingsError);
});

t.test('the configuration as the API shows it fits its schema and is a copy', async t => {
  const resolved = await resolveSettings(bare());
  const view = config.parse(configView(resolved));
  t.equal(view.settings.length, settingsList.length);
  (view.config['gnutella'] as { connect: string[] }).connect.push('x');
  t.strictSame(resolved.settings.gnutella.connect, []);
});

t.test('nearest names what was probably meant, or nothing', async t => {
  const known = ['port', 'host', 'maxLeaves'];
  t.equal(nearest('prot', known), 'port');
  t.equal(nearest('MAXLEAVES', known), 'maxLeaves');
  t.equal(nearest('maxLeafs', known), 'maxLeaves');
  t.equal(nearest('x', known), null);
  t.equal(nearest('completely', known), null);
  t.equal(nearest('p'.repeat(10_000), known), null);
});

t.test('a timetable with a bad entry is refused, saying which and what to write', async t => {
  const text =
    'limits:\n  schedule:\n    - {days: daily, from: 22:00, to: 06:00, upload: 0}\n    - {days: mon, from: 8, to: "18:00"}\n';
  t.match(fileFaults(text), [
    /^limits.schedule: expected entry 2 with from: a local time .*, got \{.*\(servent.yaml:4:7\)$/,
  ]);
  const env = { SERVENT_LIMITS_SCHEDULE: '{"days":"weekend","from":"0:00","to":"24:00","download":5}' };
  const { settings } = await resolveSettings(bare({ env }));
  t.strictSame(settings.limits.schedule, [{ days: ['sat', 'sun'], from: '00:00', to: '24:00', download: 5 }]);
  t.match(await faultsOf(bare({ env: { SERVENT_LIMITS_SCHEDULE: 'nights' } })), [/^limits.schedule: expected a list/]);
  const many = JSON.stringify(new Array(51).fill(settings.limits.schedule[0]));
  t.match(await faultsOf(bare({ env: { SERVENT_LIMITS_SCHEDULE: many } })), [/expected at most 50 entries/]);
});

t.test('a bad group of uploads is refused, saying which and what to write', async t => {
  const groups = [
    { name: 'home', addresses: ['10.0.0.0/8'], slots: 2 },
    { name: 'home', gave: 5, slots: 2 },
  ];
  const faultOf = async (value: unknown) =>
    (await faultsOf(bare({ env: { SERVENT_UPLOADS_GROUPS: JSON.stringify(value) } })))[0] ?? '';
  t.match(await faultOf(groups), /^uploads.groups: expected entry 2 with another name: there is a group home, got /);
  t.match(
    await faultOf([{ name: 'home', slots: 2 }]),
    /expected entry 1 with at least one of addresses, agents and gave/,
  );
  t.match(await faultOf('home'), /expected entry 1 with name, slots and one of/);
  t.match(await faultOf(new Array(21).fill(groups[0])), /expected at most 20 entries/);
  const { settings } = await resolveSettings(bare({ env: { SERVENT_UPLOADS_GROUPS: JSON.stringify(groups[0]) } }));
  t.strictSame(settings.uploads.groups, [groups[0]]);
});
