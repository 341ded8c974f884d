import { join } from 'node:path';
import t from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { DownloadStore } from '../../../daemon/store/downloads.ts';
import { Store } from '../../../daemon/store/store.ts';
import { RangeSet } from '../../../protocol/transfer/range-set.ts';

t.test('downloads come back in the order they were added, whatever their ids', async t => {
  const store = await Store.open(join(t.testdir(), 'store'), silentLog);
  t.teardown(() => store.close());
  const downloads = new DownloadStore(store.table('downloads'));
  const added = ['c', 'a', 'd', 'b'];
  for (const [i, id] of added.entries())
    await downloads.save(
      {
        id,
        name: id,
        sha1: Buffer.alloc(20, i),
        size: null,
        state: 'queued',
        priority: 0,
        sources: [],
        ranges: RangeSet.of([]),
        mismatches: 0,
        addedAt: 1000 + i,
        finishedAt: null,
        path: null,
        error: null,
      },
      true,
    );
  t.strictSame(
    (await downloads.all(silentLog)).map(({ id }) => id),
    added,
  );
});
