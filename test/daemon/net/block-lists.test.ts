import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { readBlockLists } from '../../../daemon/net/block-lists.ts';
import { BlockList } from '../../../protocol/overlay/block-list.ts';

t.test('lists are read, read again when they change, and stay in force when they cannot be', async t => {
  const path = join(t.testdir({ list: '10.1.0.0/16\n' }), 'list');
  const list = new BlockList();
  const files = { block: ['192.0.2.0/24', '::1'], files: [path, join(path, 'none')] };
  const first = await readBlockLists(files, list, silentLog);
  t.equal(list.blockedBy('10.1.2.3'), path);
  t.equal(list.blockedBy('192.0.2.9'), 'settings');
  t.equal(list.blockedBy('::1'), 'settings');
  await writeFile(path, '10.2.0.0/16\n');
  const second = await readBlockLists(files, list, silentLog, first);
  t.strictSame([list.blocks('10.1.2.3'), list.blocks('10.2.2.3')], [false, true]);
  await rm(path);
  await readBlockLists(files, list, silentLog, second);
  t.equal(list.blocks('10.2.2.3'), true);
});
