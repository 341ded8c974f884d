// Downloads that are given a hash alone: whole daemons over real sockets on loopback.
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { formatSha1Urn } from '../../../protocol/wire/urn.ts';
import { hashed, type RunningServent, startServent, until } from '../../support/running-servent.ts';

const content = Buffer.from('a round for three voices and a drum\n'.repeat(5000));
const urn = formatSha1Urn(createHash('sha1').update(content).digest());

const completed = ({ client }: RunningServent, id: string) =>
  until('the download is complete', async () => {
    const download = await client.download({ id });
    return download.state === 'completed' ? download : null;
  });

t.test(
  'without the DHT, a magnet link with a hash alone finds, fetches and verifies a file that is shared three hops away',
  async t => {
    const home = t.testdir({ d: { shared: { 'drum round.txt': content } } });
    const chain: RunningServent[] = [];
    for (const name of ['a', 'b', 'c', 'd']) chain.push(await startServent(t, join(home, name), { 'dht.mode': 'off' }));
    const [a, b, c, d] = chain as [RunningServent, RunningServent, RunningServent, RunningServent];
    await hashed(d.client, 1);
    await b.client.connect({ address: c.address });
    await c.client.connect({ address: d.address });

    const { id, name } = await a.client.startDownload({ magnet: `magnet:?xt=${urn}` });
    t.equal(name, urn);
    t.match(await a.client.download({ id }), {
      state: 'queued',
      error: /^no source yet: the network was not asked yet, first at \d\d:\d\d:\d\d UTC$/,
      search: { asked: 0 },
    });
    await a.client.connect({ address: b.address });
    const { path, search } = await completed(a, id);
    t.same(await readFile(path ?? ''), content);
    t.equal(path, join(home, 'a', 'downloads', 'drum round.txt'), 'it has the name that its source gave it');
    t.equal(search, null);
    t.equal((await a.client.status()).searches, 0, 'no user sees the search');
    t.same((await a.client.searches()).items, []);
    t.match((await d.client.queries()).items[0], { urns: [urn], hops: 2, hits: 1 });
  },
);

t.test('the words of a magnet link (kt) are asked for beside its hash', async t => {
  const home = t.testdir();
  const a = await startServent(t, join(home, 'a'));
  const b = await startServent(t, join(home, 'b'));
  await a.client.connect({ address: b.address });
  await a.client.startDownload({ magnet: `magnet:?xt=${urn}&kt=drum+round` });
  const { urns, text } = await until('the question arrives', async () => (await b.client.queries()).items[0] ?? null);
  t.match({ urns, text }, { urns: [urn], text: 'drum round' });
});

t.test('what a user searches or browses joins the download of the same content', async t => {
  const home = t.testdir({ sharer: { shared: {} } });
  const sharer = await startServent(t, join(home, 'sharer'));
  const seeker = await startServent(t, join(home, 'seeker'));
  await writeFile(join(home, 'sharer', 'shared', 'drum round.txt'), content);
  await sharer.client.rescan();
  await hashed(sharer.client, 1);
  const { id } = await seeker.client.startDownload({ urn, sources: [] });
  await seeker.client.startSearch({ browse: sharer.address });
  t.match(await completed(seeker, id), { name: 'drum round.txt' });
});
