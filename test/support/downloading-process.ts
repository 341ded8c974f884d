// A process that does nothing but download one file, to be killed at any moment; it tells of each record that it stores: node downloading-process.ts FOLDER PORT SHA1 SIZE [placed]
// `placed`: it ends itself as soon as the record says that the file is placed
import { join } from 'node:path';
import { silentLog } from '../../daemon/log.ts';
import { type DownloadRecord, DownloadStore } from '../../daemon/store/downloads.ts';
import { Store } from '../../daemon/store/store.ts';
import { SystemClock, SystemRandom } from '../../daemon/system.ts';
import { Downloads } from '../../daemon/transfer/downloads.ts';
import { PLAIN_SOURCE } from '../../protocol/transfer/downloads/source.ts';
import { dialPlain, FAST } from './download-rig.ts';
import { testIdentity, testMesh } from './shared-files.ts';

const [home = '', port = '', hash = '', size = '', end = ''] = process.argv.slice(2);
const store = await Store.open(join(home, 'store'), silentLog);
class ToldStore extends DownloadStore {
  override async save(record: DownloadRecord, durable: boolean): Promise<void> {
    await super.save(record, durable);
    if (end === 'placed' && record.state === 'completed') process.kill(process.pid, 'SIGKILL');
    process.send?.({ saved: record.ranges.bytes });
  }
}
const downloads = new Downloads({
  folder: join(home, 'downloads'),
  store: new ToldStore(store.table('downloads')),
  dial: dialPlain,
  identity: testIdentity,
  mesh: testMesh(),
  clock: new SystemClock(),
  random: new SystemRandom(),
  log: silentLog,
  hosts: null,
  times: FAST,
  checkpoint: { bytes: 256 * 1024, ms: 50 },
  onCompleted: (_, path) => process.send?.({ completed: path }),
});
await downloads.start();
const [known] = downloads.list();
process.send?.({ started: known?.done ?? 0 });
if (known === undefined) {
  await downloads.add({
    sha1: Buffer.from(hash, 'hex'),
    size: Number(size),
    name: 'killed.bin',
    sources: [{ ...PLAIN_SOURCE, endpoint: { host: '127.0.0.1', port: Number(port) } }],
  });
}
