// Explanations and examinations: from plain facts, and of running daemons.
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { createClient } from '../../api/client.ts';
import type { Finding } from '../../api/control.ts';
import { readApiToken } from '../../api/runtime-files.ts';
import { startDaemon } from '../../daemon/daemon.ts';
import { checkNetwork } from '../../daemon/doctor/examine.ts';
import { checkTcpAnswers } from '../../daemon/doctor/surroundings.ts';
import { explainDownload, explainSearch } from '../../daemon/explain/explain.ts';
import { explainPeer, type PeerFacts } from '../../daemon/explain/explain-peer.ts';
import { explainRole, roleNoun } from '../../daemon/explain/explain-role.ts';
import { silentLog } from '../../daemon/log.ts';
import { Refusals } from '../../daemon/network/refusals.ts';
import { bootstrapView } from '../../daemon/views/bootstrap.ts';
import type { BootstrapReport } from '../../protocol/bootstrap/bootstrap-plan.ts';
import { Election, LOCAL_ELECTION, PUBLIC_ELECTION, type Vitals } from '../../protocol/overlay/neighbours/election.ts';
import { resolveSettings } from '../../settings/resolve.ts';
import { command } from '../support/command.ts';
import { aDownload, aSearch, someNat } from '../support/sample-views.ts';

const open = { tcp: 'open', udp: 'open', udpSolicited: true, tcpProvenAt: 1, udpProvenAt: 1 } as const;
const closed = {
  tcp: 'firewalled',
  udp: 'firewalled',
  udpSolicited: false,
  tcpProvenAt: null,
  udpProvenAt: null,
} as const;
const BASE = { profile: 'local', 'gnutella.port': 0, 'api.port': 0, 'gnutella.mode': 'ultrapeer' } as const;

async function running(t: Test, dataDir: string, flags: Record<string, unknown> = {}) {
  const resolved = await resolveSettings({ flags: { ...BASE, dataDir, ...flags }, env: {} });
  const daemon = await startDaemon(resolved, silentLog);
  t.teardown(() => daemon.stop());
  return { ...daemon, dataDir, client: createClient({ url: daemon.api, token: (await readApiToken(dataDir)) ?? '' }) };
}

/** Asks again until the answer is as wanted; the test's own time limit ends it. */
async function until<T>(ask: () => Promise<T>, wanted: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

const NO_CACHE = { known: 0, asked: 0, answered: 0 };
const UNWANTED: BootstrapReport = {
  ...{ state: 'unwanted', asking: null, round: 0, nextAt: null },
  caches: { udp: NO_CACHE, web: NO_CACHE },
};

const NOT_MAPPED = { ...someNat, state: 'off', tcp: null, udp: null } as const;

t.test('a search without neighbours says so first', async t => {
  const search = { ...aSearch, results: 0, peers: 0 };
  const { verdict, tests } = explainSearch({ search, ultrapeers: 0, leaves: 0, firewall: closed, outOfBand: true });
  t.equal(verdict, 'neighbours: 0 ultrapeers, 0 leaves');
  for (const { ok, mend } of tests) t.equal(mend === null, ok);
  const fine = explainSearch({
    search: { ...aSearch, results: 2 },
    ultrapeers: 1,
    leaves: 0,
    firewall: open,
    outOfBand: true,
  });
  t.equal(fine.verdict, 'it has 2 results');
});

t.test('a repeated search that finds nothing is explained by the repetition', async t => {
  const at = (seconds: number) => new Date(1_800_000_000_000 + 1_000 * seconds).toISOString();
  const search = { ...aSearch, results: 0, askedBefore: at(0), startedAt: at(40) };
  const facts = { search, ultrapeers: 1, leaves: 0, firewall: open, outOfBand: true };
  const { verdict, tests } = explainSearch(facts);
  t.equal(verdict, 'asked before: 40 s earlier');
  t.match(
    tests.find(({ ok }) => !ok)?.mend,
    'neighbours ignore repeats for up to 28 minutes; change a word to make it a new search',
  );
  t.equal(explainSearch({ ...facts, search: { ...search, results: 2 } }).verdict, 'it has 2 results');
  const byHash = { ...search, text: null, urn: 'urn:sha1:PLSTHIPQGSSZTS5FJUPAKUZWUGYQYPFB' };
  t.notMatch(JSON.stringify(explainSearch({ ...facts, search: byHash })), 'another word');
});

t.test('a download that waits names what it waits for', async t => {
  const facts = {
    download: { ...aDownload, state: 'queued' as const },
    active: 4,
    activeMax: 4,
    wait: 'turn' as const,
    ahead: 2,
    firewalled: false,
    freeBytes: 1e12,
    reserve: 2 ** 30,
  };
  t.equal(explainDownload(facts).verdict, 'turn: 4 of 4 run, 2 before it');
  t.match(explainDownload({ ...facts, wait: null, freeBytes: 1 }).verdict, /^disk: /);
  t.match(explainDownload({ ...facts, wait: 'room' }).verdict, /^disk: .* of which 1(.0)? GiB stay free/);
  t.match(explainDownload({ ...facts, download: { ...facts.download, sources: [] } }).verdict, 'sources: 0 sources');
  t.equal(explainDownload({ ...facts, download: { ...aDownload, state: 'completed' } }).verdict, 'it is complete');
});

t.test('a role says who chose it, and each criterion what would mend it', async t => {
  const met = { name: 'memory', value: 4e9, wanted: 1e6, met: true, why: 'bytes free for leaves' };
  const unmet = { name: 'tcp_reachable', value: null, wanted: true, met: false, why: 'somebody connected to our port' };
  const report = {
    mode: 'leaf',
    active: false,
    role: 'leaf',
    fit: false,
    needed: true,
    heldForMs: 0,
    heldBecause: null,
  } as const;
  const { verdict, tests } = explainRole({ ...report, criteria: [met, unmet] });
  t.equal(verdict, 'we are a leaf, because gnutella.mode says so');
  t.match(tests, [
    { name: 'memory', ok: true, mend: null },
    { name: 'tcp_reachable', ok: false, value: /^it is not known yet whether others can connect/, mend: /firewall/ },
  ]);
  const verdictOf = (changes: object) => explainRole({ ...report, criteria: [], ...changes }).verdict;
  t.match(verdictOf({ mode: 'auto', active: true, role: 'ultrapeer' }), /^we are an ultrapeer, elected/);
  t.equal(verdictOf({ mode: 'auto' }), 'we are a leaf: no election takes place, because gnutella.seek is 0');
  t.equal(verdictOf({ heldBecause: 'the monthly budget is used up' }), 'we are a leaf: the monthly budget is used up');
});

const GOOD: Vitals = {
  uptimeMs: 7_200_000,
  averageUptimeMs: 5_400_000,
  tcpReachable: true,
  udpReachable: true,
  uploadBytesPerSecond: 296_000,
  freeMemoryBytes: 4 * 1024 ** 3,
  cpuShare: 0.07,
  freeDescriptors: Number.MAX_SAFE_INTEGER,
  leafSlotsSeen: 0,
  refusedShare: 0,
  leaves: 0,
  ultrapeers: 1,
};

t.test('why we are a leaf or an ultrapeer is said in words and units, for each situation', async t => {
  const told = (role: 'leaf' | 'ultrapeer', changes: Partial<Vitals> = {}, report: object = {}) => {
    const assessment = new Election(PUBLIC_ELECTION, role, 0).assess({ ...GOOD, ...changes }, 1e8);
    const explained = explainRole({
      ...assessment,
      mode: 'auto',
      active: true,
      role,
      heldForMs: 0,
      heldBecause: null,
      ...report,
    });
    return { ...explained, values: Object.fromEntries(explained.tests.map(({ name, value }) => [name, value])) };
  };
  const needed = told('leaf', {}, { heldForMs: 40_000 });
  t.equal(
    needed.verdict,
    'we are a leaf, by election: fit to be an ultrapeer, and needed: about to become one, in 40 s if things stay as they are',
  );
  t.strictSame(needed.values, {
    uptime: 'up for 2 h; an ultrapeer needs 1 h',
    average_uptime: 'a session lasts 1 h 30 min on average; an ultrapeer needs 1 h',
    tcp_reachable: 'others can connect to our port',
    udp_reachable: 'others can send us unsolicited datagrams',
    upload: 'the best upload rate was 289 KiB/s; an ultrapeer needs 10.0 KiB/s',
    memory: '4.0 GiB free; an ultrapeer needs 12.5 MiB',
    cpu: '7 % of a core in use; an ultrapeer may use 70 %',
    descriptors: 'no limit of open files; an ultrapeer needs 264',
    need: '1 of 3 ultrapeers wanted accepted us, and no room for leaves is known: another ultrapeer is needed',
  });
  t.match(told('leaf', { uptimeMs: 180_000 }), {
    verdict: /not fit to be an ultrapeer for want of uptime$/,
    values: { uptime: 'up for 3 min; an ultrapeer needs 1 h' },
  });
  t.match(told('leaf', { tcpReachable: false, udpReachable: null }), {
    verdict: /for want of reachability by TCP, reachability by UDP$/,
    values: {
      tcp_reachable: 'others cannot connect to our port',
      udp_reachable: /^it is not known yet whether others/,
    },
  });
  t.match(told('leaf', { ultrapeers: 3 }), {
    verdict: /fit to be an ultrapeer, but another is not needed$/,
    values: { need: '3 of 3 ultrapeers wanted accepted us: there are enough ultrapeers' },
  });
  t.match(told('leaf', { leafSlotsSeen: 5 }).values, { need: /but there is room for leaves elsewhere$/ });
  t.match(told('leaf', { uploadBytesPerSecond: null }).values, { upload: 'not measured yet' });
  t.match(told('ultrapeer', { leaves: 1 }), {
    verdict: /^we are an ultrapeer, elected: fit for it, and needed$/,
    values: { leaves: '1 leaf has us as ultrapeer' },
  });
  t.match(told('ultrapeer', { ultrapeers: 3, leafSlotsSeen: 9 }), {
    verdict: /about to become a leaf for want of leaves$/,
    values: { leaves: 'no leaf has had us as ultrapeer for long, and others have room' },
  });
  for (const mode of ['leaf', 'ultrapeer'] as const) {
    const { verdict, values } = told(mode, {}, { mode, active: false });
    t.match(verdict, /because gnutella\.mode says so$/);
    t.notOk('need' in values || 'leaves' in values, 'by setting: nobody asks whether one more is needed');
  }
});

const vitals: fc.Arbitrary<Vitals> = fc.record({
  uptimeMs: fc.nat(1e7),
  averageUptimeMs: fc.nat(1e7),
  tcpReachable: fc.constantFrom(null, true, false),
  udpReachable: fc.constantFrom(null, true, false),
  uploadBytesPerSecond: fc.option(fc.nat(1e6)),
  freeMemoryBytes: fc.nat(1e9),
  cpuShare: fc.double({ min: 0, max: 2, noNaN: true }),
  freeDescriptors: fc.nat(10_000),
  leafSlotsSeen: fc.nat(10),
  refusedShare: fc.double({ min: 0, max: 1, noNaN: true }),
  leaves: fc.nat(3),
  ultrapeers: fc.nat(5),
});

t.test('what is said of the role is what the election says', async t => {
  fc.assert(
    fc.property(
      vitals,
      fc.constantFrom(PUBLIC_ELECTION, LOCAL_ELECTION),
      fc.constantFrom('leaf', 'ultrapeer'),
      (measured, rules, role) => {
        const assessment = new Election(rules, role, 0).assess(measured, 1e8);
        const { verdict, tests } = explainRole({
          ...assessment,
          mode: 'auto',
          active: true,
          role,
          heldForMs: 0,
          heldBecause: null,
        });
        t.strictSame(
          tests.map(({ name, ok }) => [name, ok]),
          assessment.criteria.map(({ name, met }) => [name, met]),
        );
        for (const { ok, mend } of tests) t.ok(ok ? mend === null : mend !== 'nothing to do');
        const stays = (assessment.fit && assessment.needed) === (role === 'ultrapeer');
        t.equal(!verdict.includes('about to become'), stays, verdict);
        for (const { name, ok } of tests) if (!ok && !assessment.fit) t.equal(verdict.includes(roleNoun(name)), !ok);
        for (const { value } of tests) t.notMatch(value, /\d{6}|\d\.\d{3}|null|undefined|NaN/, value);
      },
    ),
    { numRuns: 200, seed: 6346 },
  );
});

t.test('refusals are kept to a bound, newest first', async t => {
  const refusals = new Refusals();
  for (let at = 0; at < 500; at++)
    refusals.add({ at, remote: { host: '10.0.0.1', port: 1 }, direction: 'in', end: 'timeout', detail: '' });
  t.equal(refusals.newestFirst().length, 200);
  t.equal(refusals.newestFirst()[0]?.at, 499);
});

const FINE: Finding = { name: 'DHT', state: 'ok', detail: 'active', mend: null };
const silent = { state: 'firewalled', since: 0, known: 'silence', provenAt: null } as const;

t.test('unreachable ports and unknown hosts are findings with a remedy', async t => {
  const { settings } = await resolveSettings({ env: {}, flags: { profile: 'public', dataDir: '/nowhere' } });
  const at = { host: '192.168.1.2', port: 6346 };
  const findings = checkNetwork({
    settings,
    gnutella: at,
    listen: at,
    ipv6: null,
    udpOpen: false,
    addresses: [],
    stream: { udpOpen: true, endpoint: null, portVaries: false },
    nat: NOT_MAPPED,
    proxied: false,
    listening: true,
    reach: { tcp: silent, udp: silent },
    peers: 0,
    hosts: 0,
    bootstrap: bootstrapView(UNWANTED, 0),
    kept: [],
    dht: FINE,
  });
  t.strictSame(
    findings.filter(({ state }) => state !== 'ok').map(({ name }) => name),
    ['reachable by TCP', 'reachable by UDP', 'address', 'bootstrap'],
  );
  for (const { state, mend } of findings) t.equal(mend === null, state === 'ok');
  const decreed = { state: 'open', since: 0, known: 'configured', provenAt: null } as const;
  const local = checkNetwork({
    ...{
      settings,
      gnutella: at,
      listen: at,
      ipv6: null,
      udpOpen: true,
      addresses: [],
      nat: NOT_MAPPED,
      proxied: false,
      listening: true,
      peers: 0,
      hosts: 1,
    },
    bootstrap: bootstrapView(UNWANTED, 0),
    kept: [{ address: '5.5.1.1:6346', state: 'waiting', nextIn: 119.5, failures: 1, why: '503 Too many leaves' }],
    dht: FINE,
    stream: { udpOpen: true, endpoint: null, portVaries: false },
    reach: { tcp: decreed, udp: { ...decreed, known: 'proof', provenAt: 1 } },
  });
  t.match(local[0], { state: 'ok', detail: 'yes, as configured: gnutella.reachable' }, 'nobody called');
  t.match(local[1], { state: 'ok', detail: 'other servents have connected' });
  t.match(local.at(-3), { name: 'bootstrap', detail: '1 host known' });
  t.match(local.at(-1), {
    name: 'neighbour 5.5.1.1:6346',
    state: 'warning',
    detail: '503 Too many leaves; retry in 2 min',
  });
  t.match(await checkTcpAnswers({ host: '127.0.0.1', port: 1 }), { state: 'bad', detail: /ECONNREFUSED/ });
});

t.test('a servent whose caches are silent says in status, doctor and command line what it tries', async t => {
  const caches = { 'bootstrap.caches': ['uhc:127.0.0.1:9'], 'gnutella.mode': 'auto' };
  const alone = await running(t, join(t.testdir({}), 'alone'), caches);
  const asking = await until(
    () => alone.client.status(),
    ({ bootstrap }) => bootstrap.state === 'asking',
  );
  t.match(asking.bootstrap, {
    detail: 'asking 127.0.0.1:9; asked 1 of 1 UDP host cache, none answered',
    caches: { udp: { known: 1, asked: 1, answered: 0 } },
  });
  const { out } = await command(['status'], { env: { SERVENT_DATA_DIR: alone.dataDir } });
  t.match(out, /bootstrap.*ask.*1 of 1 UDP host cache, none answered/);
  const again = await until(
    () => alone.client.status(),
    ({ bootstrap }) => bootstrap.round > asking.bootstrap.round,
  );
  t.ok(again.bootstrap.round > 1, 'it does not stop');
  const { findings } = await alone.client.doctor();
  t.match(
    findings.find(({ name }) => name === 'bootstrap'),
    { state: 'warning', detail: /^0 hosts known; ask/, mend: /--cache ADDRESS/ },
  );
});

t.test('of a peer the rates of queries are told, who set them, and what they dropped', async t => {
  const facts: PeerFacts = {
    ...{ id: '7', role: 'leaf', host: '192.0.2.1', origin: { kind: 'profile', where: 'public' } },
    link: { perSecond: 1, burst: 20, dropped: 0 },
    ofAddress: { perSecond: 4, burst: 60, dropped: 1 },
  };
  const { verdict, tests } = explainPeer(facts);
  t.strictSame(
    tests.map(({ ok, value }) => [ok, value]),
    [
      [
        true,
        'at most 1 query a second from this leaf, up to 20 at once; none of this connection was dropped (gnutella.leafQueriesPerSecond: default of the profile public)',
      ],
      [
        false,
        'at most 4 queries a second from all leaves at 192.0.2.1, up to 60 at once; 1 of this connection was dropped (gnutella.leafQueriesPerSecond: default of the profile public)',
      ],
    ],
  );
  t.match(verdict, /^query rate of its address: at most 4 /);
  t.match(tests[1]?.mend, /raise gnutella\.leafQueriesPerSecond .*"servent disconnect 7"/);
  const unlimited = { perSecond: 0, burst: 0, dropped: 0 };
  for (const [origin, words] of [
    [{ kind: 'flag', where: '--queries-per-second' }, 'set by the flag --queries-per-second'],
    [{ kind: 'environment', where: 'SERVENT_X' }, 'set by the environment SERVENT_X'],
  ] as const) {
    const explained = explainPeer({ ...facts, role: 'ultrapeer', origin, link: unlimited });
    t.equal(explained.verdict, 'none of its queries came too fast');
    t.strictSame(
      explained.tests.map(({ value }) => value),
      [
        `any number of queries is taken from this ultrapeer; none of this connection was dropped (gnutella.queriesPerSecond: ${words})`,
      ],
    );
  }
});

t.test('a running daemon explains itself over API and command line', async t => {
  const root = t.testdir({});
  const one = await running(t, join(root, 'one'));
  const leaf = await running(t, join(root, 'leaf'), { 'gnutella.mode': 'leaf' });
  const other = await running(t, join(root, 'other'), { 'gnutella.mode': 'leaf' });
  const address = `127.0.0.1:${leaf.gnutella.port}`;
  await t.rejects(other.client.connect({ address }), 'two leaves have nothing to say to each other');
  t.match(await other.client.refusedPeers(), {
    items: [{ address, direction: 'outgoing', reason: 'refused_by_peer' }],
  });
  t.match(await leaf.client.refusedPeers(), { items: [{ direction: 'incoming', reason: 'refused_by_us' }] });
  const { id } = await one.client.startSearch({ text: 'blue moon' });
  const { id: theirs } = await other.client.startSearch({ text: 'blue moon' });
  t.match(await other.client.explainSearch({ id: theirs }), { tests: [{ name: 'state', ok: true }] });
  const cli = (...words: string[]) => command(words, { env: { SERVENT_DATA_DIR: one.dataDir } });
  t.match(await cli('explain', 'search', id), { code: 0, out: /^neighbours: 0 ultrapeers.*\n/ });
  t.match(await cli('explain', 'peers'), { code: 0, err: 'no handshake has failed\n' });
  t.match(await cli('explain', 'role', '--json'), { code: 0, out: /gnutella\.mode says so/ });
  t.match(await cli('explain', 'peer', '77'), { code: 1, err: 'servent: there is no peer "77"\n' });
  t.match(await cli('explain', 'download', 'nothing'), { code: 1, err: 'servent: there is no download "nothing"\n' });
  const { findings } = await one.client.doctor();
  t.match(
    findings.find(({ name }) => name === 'own port'),
    { state: 'ok' },
  );
  t.match(
    findings.find(({ name }) => name === 'API token'),
    { state: 'ok' },
  );
});
