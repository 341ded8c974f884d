import { join } from 'node:path';
import t, { type Test } from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { Store } from '../../../daemon/store/store.ts';
import type { DownloadSnapshot } from '../../../daemon/transfer/download-snapshot.ts';
import { PastTransfers } from '../../../daemon/transfer/past-transfers.ts';
import type { UploadSnapshot } from '../../../daemon/transfer/upload.ts';

const SHA1 = Buffer.alloc(20, 7);
const LIMITS = { records: 100, days: 30 };

async function scene(t: Test) {
  const folder = join(t.testdir({}), 'store');
  const clock = { at: 1_000_000, now: () => 0, wallTime: () => clock.at };
  const open = async () => {
    const store = await Store.open(folder, silentLog);
    t.teardown(() => store.close());
    const past = new PastTransfers(store, clock, silentLog, LIMITS);
    await past.start();
    const close = async (): Promise<void> => {
      await past.stop();
      await store.close();
    };
    return { past, close };
  };
  return { clock, open };
}

const upload = (host: string): UploadSnapshot =>
  ({
    ...{ id: 'u1', remote: { host, port: 6346 }, userAgent: 'gtk-gnutella/1.2.3', since: 400_000 },
    file: { sha1: SHA1, name: 'a.txt', size: 1000 },
  }) as UploadSnapshot;

const download = (over: Partial<DownloadSnapshot> = {}): DownloadSnapshot =>
  ({
    ...{ id: 'd1', name: 'b.txt', sha1: SHA1, size: 500, done: 500, addedAt: 300_000, error: null, sources: [] },
    ...over,
  }) as DownloadSnapshot;

t.test('sums by address and content outlive the daemon', async t => {
  const { clock, open } = await scene(t);
  const first = await open();
  first.past.addUpload(upload('192.0.2.1'), 1000, 'whole');
  first.past.addUpload(upload('192.0.2.2'), 300, 'cut');
  first.past.addUpload(upload('192.0.2.3'), 0, 'partial');
  first.past.addReceived(download(), '192.0.2.1', 450);
  first.past.addReceived(download(), '192.0.2.9', 50);
  clock.at += 1000;
  first.past.addDownload(download(), 'completed');
  t.strictSame(first.past.uploaded, { whole: 1000, partial: 0, cut: 300, unreadable: 0 });
  t.strictSame(first.past.downloaded, { received: 500, wrong: 0 });
  await first.close();

  const { past } = await open();
  t.match(past.tallies.all, { uploaded: 1300, downloaded: 500, uploads: 2, downloads: 1, since: 1_000_000 });
  t.match(past.tallies.ofAddress('192.0.2.1'), { uploaded: 1000, downloaded: 450 });
  t.equal(past.tallies.ofAddress('192.0.2.3'), null, 'it got nothing');
  t.strictSame(
    past.tallies
      .addresses()
      .map(({ key }) => key)
      .sort(),
    ['192.0.2.1', '192.0.2.2', '192.0.2.9'],
  );
  t.match(past.tallies.contents(), [{ name: 'b.txt', uploaded: 1300, downloaded: 500, uploads: 2, downloads: 1 }]);
  t.match(past.newestFirst(), [
    { direction: 'download', result: 'completed', bytes: 500, at: 1_001_000, since: 300_000 },
    { direction: 'upload', result: 'cut', bytes: 300, address: '192.0.2.2:6346' },
    { direction: 'upload', result: 'whole', bytes: 1000, address: '192.0.2.1:6346', userAgent: 'gtk-gnutella/1.2.3' },
  ]);
});

t.test('of ten thousand addresses and more, those that moved last are remembered', async t => {
  const { past } = await (await scene(t)).open();
  const hostOf = (n: number): string => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;
  for (let n = 0; n < 10_001; n++) {
    past.addReceived(download(), hostOf(n), 1);
    past.addReceived(download(), hostOf(0), 1);
  }
  t.equal(past.tallies.addresses().length, 10_000);
  t.equal(past.tallies.ofAddress(hostOf(0))?.downloaded, 10_002);
  t.equal(past.tallies.ofAddress(hostOf(1)), null);
  t.equal(past.tallies.all.downloaded, 20_002);
});
