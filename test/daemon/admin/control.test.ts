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
  await t.rejects(
    client.startDownload({ magnet: 'magnet:?xt=urn:btih:1234&kt=blue+moon' }),
    /neither xt=urn:sha1:… nor a usable source \(xs=, as=\); urn:btih is of another network; search for its words: "blue moon"/,
  );
  await t.rejects(client.startDownload({ search: id.slice(0, 12), result: '1' }), /there is no result "1"/);
  await t.rejects(client.startDownload({ search: 'zz', result: '1' }), /there is no search "zz"/);
});

t.test('the answer to a link says what of it is not used, that to a description what became of each file', async t => {
  const { client } = await startServent(t, join(t.testdir(), 'a'));
  const urn = 'urn:sha1:PLSTHIPQGSSZTS5FJUPAKUZWUGYQYPFB';
  const linked = await client.startDownload({ magnet: `magnet:?xt=${urn}&dn=a.ogg&xt.2=urn:ed2k:1` });
  t.match(linked, { name: 'a.ogg', urn, joined: null, items: null });
  t.strictSame(linked.unused, ['urn:ed2k is of another network']);

  const fileOf = (name: string, inner: string) => `<file name="${name}">${inner}</file>`;
  const description = (...files: string[]) =>
    `<metalink xmlns="urn:ietf:params:xml:ns:metalink">${files.join('')}</metalink>`;
  const here = fileOf('b.ogg', `<hash type="sha-1">${urn.slice(9)}</hash><url>ftp://192.0.2.1/b</url>`);
  const web = fileOf('c.ogg', '<size>5</size><url>http://127.0.0.1:9/c</url>');
  const described = await client.startDownload({ metalink: description(fileOf('none.ogg', ''), here, web) });
  t.match(described, { id: linked.id, joined: 'download', unused: ['ftp://192.0.2.1/b: only http:// is fetched'] });
  const [none, joined, fetched, ...more] = described.items ?? [];
  t.match(none, {
    name: 'none.ogg',
    id: null,
    error: /file 1, "none.ogg", has neither a SHA-1 nor an http:\/\/ source/,
  });
  t.match(joined, { name: 'b.ogg', id: linked.id, joined: 'download', error: null });
  t.match(fetched, { name: 'c.ogg', joined: null, unused: [], error: null });
  t.match(await client.download({ id: fetched?.id ?? '' }), {
    size: 5,
    urn: null,
    sources: [{ address: '127.0.0.1:9' }],
  });
  t.equal(more.length, 0);

  await t.rejects(
    client.startDownload({ metalink: description(fileOf('none.ogg', '')) }),
    /file 1, "none.ogg", has neither/,
  );
  await t.rejects(client.startDownload({ metalink: '<metalink>' }), /line 1: expected a Metalink description/);
  await t.rejects(client.startDownload({ magnet: `magnet:?xt=${urn}&dn=${'x'.repeat(10_240)}` }), /magnet: Too big/);
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
