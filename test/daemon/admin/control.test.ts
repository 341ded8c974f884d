import { join } from 'node:path';
import t from 'tap';
import { FileCursors } from '../../../daemon/admin/lists.ts';
import { startServent } from '../../support/running-servent.ts';
import { startProcess } from '../../support/servent-process.ts';

t.test('a level for a part that there is not is refused with those that there are, and not kept', async t => {
  const { client } = await startProcess(t, join(t.testdir(), 'a'), 'ignore');
  const refused = /^frob: unknown part of the daemon; expected one of api, .*library, .*links,/;
  await t.rejects(client.changeLogLevels({ library: 'debug', frob: 'debug' }), refused);
  await t.rejects(client.changeLogLevels({ frob: null }), refused);
  const { level, levels } = await client.logLevels();
  t.equal(levels['library'], level);
  t.notOk(Object.hasOwn(levels, 'frob'));
});

t.test('ids differ from their first letters on, and their beginnings do in paths and for downloads', async t => {
  const { client } = await startServent(t, join(t.testdir(), 'a'));
  const ids: string[] = [];
  for (let i = 0; i < 20; i++) ids.push((await client.startSearch({ text: `word${i}` })).id);
  t.ok(new Set(ids.map(id => id.slice(0, 4))).size > 15, 'not by their time');
  const [id = ''] = ids;
  t.equal((await client.search({ id: id.slice(0, 12) })).id, id);
  await t.rejects(client.startDownload({ search: id.slice(0, 12), result: '1' }), /there is no result "1"/);
  await t.rejects(client.startDownload({ search: 'zz', result: '1' }), /there is no search "zz"/);
});

t.test('a cursor of the files of another run starts nothing in the middle of other files', async t => {
  const cursors = new FileCursors(new Date(1_000));
  t.equal(cursors.indexOf(cursors.after(17)), 17);
  for (const cursor of [
    '17',
    new FileCursors(new Date(2_000)).after(17),
    `${cursors.after(1)}-2`,
    `${cursors.after(1)}x`,
  ])
    t.throws(() => cursors.indexOf(cursor), /not a cursor of this list/, cursor);
});
