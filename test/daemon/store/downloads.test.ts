import { join } from 'node:path';
import t from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { DownloadStore } from '../../../daemon/store/downloads.ts';
import { Store } from '../../../daemon/store/store.ts';
import { storedRecord } from '../../support/download-records.ts';

t.test('downloads come back in the order they were added, whatever their ids', async t => {
  const store = await Store.open(join(t.testdir(), 'store'), silentLog);
  t.teardown(() => store.close());
  const downloads = new DownloadStore(store.table('downloads'));
  const added = ['c', 'a', 'd', 'b'];
  for (const [i, id] of added.entries())
    await downloads.save(storedRecord({ id, addedAt: 1000 + i, sequential: true }), true);
  t.strictSame(
    (await downloads.all(silentLog)).map(({ id }) => id),
    added,
  );
  await downloads.save(storedRecord({ id: 'c', sizeTold: 777 }), true);
  t.match(
    (await downloads.all(silentLog)).map(({ sizeTold }) => sizeTold),
    [777, null, null, null],
  );
});
