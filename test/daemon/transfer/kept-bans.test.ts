import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { neverBanned } from '../../../daemon/network/never-banned.ts';
import { Store } from '../../../daemon/store/store.ts';
import { SystemClock } from '../../../daemon/system.ts';
import { type BanSnapshot, KeptBans } from '../../../daemon/transfer/kept-bans.ts';
import type { BanRecord } from '../../../protocol/transfer/uploads/conduct/bans.ts';
import { Conduct } from '../../../protocol/transfer/uploads/conduct/conduct.ts';
import type { Settings } from '../../../settings/settings.ts';
import { HttpClient } from '../../support/http-client.ts';
import { eventually } from '../../support/loopback.ts';
import { SharedFiles, serve, testBytes } from '../../support/shared-files.ts';

const ADDRESS = '192.0.2.1';
const GET = 'GET /get/1/x.bin HTTP/1.1';

async function scene(t: Test) {
  const folder = join(t.testdir({}), 'store');
  const clock = { at: 1_000_000, start: 0, now: () => clock.at - clock.start, wallTime: () => clock.at };
  const told: string[] = [];
  const open = async () => {
    clock.start = clock.at - 500; // monotonic time begins anew
    const store = await Store.open(folder, silentLog);
    t.teardown(() => store.close());
    const conduct = new Conduct({ bans: true, spares: () => false });
    const tell = (what: string) => (ban: BanSnapshot) => told.push(`${what} ${ban.subject} ${ban.reason}`);
    const table = store.table<BanRecord>('bans');
    const bans = new KeptBans({
      ...{ conduct, table, clock, log: silentLog, onBanned: tell('banned'), onLifted: tell('lifted') },
    });
    await bans.start();
    const close = async (): Promise<void> => {
      await bans.stop();
      await store.close();
    };
    return { conduct, bans, table, close };
  };
  return { clock, told, open };
}

t.test('bans outlive the daemon, those that were lifted do not', async t => {
  const { clock, told, open } = await scene(t);
  const first = await open();
  first.conduct.violated('early_polls', ADDRESS, clock.now());
  first.bans.add('192.0.2.2', Infinity, 'noise');
  first.bans.add('192.0.2.3', 60_000, null);
  t.ok(first.bans.lift('192.0.2.3'));
  t.notOk(first.bans.lift('192.0.2.3'));
  t.equal(first.bans.running, 2);
  t.strictSame(told, [
    `banned ${ADDRESS} early_polls`,
    'banned 192.0.2.2 by_hand',
    'banned 192.0.2.3 by_hand',
    'lifted 192.0.2.3 by_hand',
  ]);
  const before = first.bans.list();
  await first.close();

  clock.at += 100_000;
  const second = await open();
  t.strictSame(
    second.bans.list().sort((a, b) => (a.subject < b.subject ? -1 : 1)),
    before.sort((a, b) => (a.subject < b.subject ? -1 : 1)),
  );
  t.equal(told.length, 4, 'nobody is told again');
  clock.at += 250_000;
  t.match(second.bans.list(), [{ subject: '192.0.2.2' }]);
  await second.close();
});

t.test('records that are broken are removed', async t => {
  const { open } = await scene(t);
  const first = await open();
  const good: BanRecord = { reason: 'requests', note: null, since: 1, until: null, times: 1 };
  await first.table.put('192.0.2.9', { ...good, reason: 'of a later version' as 'requests' });
  await first.table.put('192.0.2.10', null as unknown as BanRecord);
  await first.table.put('192.0.2.11', { ...good, times: 0 });
  await first.table.put('192.0.2.12', good);
  await first.close();
  const second = await open();
  t.match(second.bans.list(), [{ subject: '192.0.2.12' }]);
  await second.close();
  const third = await open();
  t.equal(await third.table.get('192.0.2.9'), undefined);
  await third.close();
});

t.test(
  'a ban ends the running upload, is told once, then connections are closed without a word until it is lifted',
  async t => {
    const files = new SharedFiles(t.testdir());
    files.add('x.bin', testBytes(16 << 20));
    const conduct = new Conduct();
    const { port, server } = await serve(t, files, { conduct });
    conduct.onBanned = ({ subject }) => server.endOf(subject);
    const now = () => new SystemClock().now();

    const running = await HttpClient.open(t, port);
    running.send(GET);
    await running.bytes(1000);
    t.equal(server.load.active, 1);
    conduct.banByHand('127.0.0.1', Infinity, null, now());
    await eventually('the slot is free', () => server.load.active === 0);

    t.ok((await running.bytes(16 << 20)).length < (16 << 20) - 1000, 'cut');
    const told = await (await HttpClient.open(t, port)).ask(GET);
    t.equal(told.status, 429);
    t.equal(told.head.headers.get('Retry-After'), '10800');
    t.equal(told.head.headers.get('Connection'), 'close');
    for (let i = 0; i < 3; i++) {
      const turnedAway = connect(port, '127.0.0.1').on('error', () => undefined);
      turnedAway.on('data', () => t.fail('an answer'));
      turnedAway.write(`${GET}\r\nHost: x\r\n\r\n`);
      await once(turnedAway, 'close');
    }
    t.equal(conduct.turnedAway, 3);
    t.equal(server.outcomes.of('banned'), 1);
    conduct.lift('127.0.0.1', now());
    t.equal((await (await HttpClient.open(t, port)).ask(GET, 'Range: bytes=0-9')).status, 206);
  },
);

t.test('the setting of addresses that are never banned may change', t => {
  const uploads = { neverBan: ['127.0.0.0/8', '::1'] };
  const spares = neverBanned({ uploads } as Settings);
  t.strictSame(['127.0.0.1', '::1', ADDRESS, '2001:db8::1'].map(spares), [true, true, false, false]);
  uploads.neverBan = ['192.0.2.0/24', '2001:db8::/32'];
  t.strictSame(['127.0.0.1', '::1', ADDRESS, '2001:db8::1'].map(spares), [false, false, true, true]);
  uploads.neverBan = [];
  t.notOk(spares('127.0.0.1'));
  t.end();
});
