// Several results of a browse with one call, between whole daemons.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { EventData } from '../../../api/events.ts';
import { followDaemon } from '../../../api/live/follow-daemon.ts';
import { silentLog } from '../../../daemon/log.ts';
import { DownloadStore } from '../../../daemon/store/downloads.ts';
import { Store } from '../../../daemon/store/store.ts';
import { hashed, type RunningServent, startServent, until } from '../../support/running-servent.ts';

const MOONS = { '01 one.ogg': 'one', '02 two.ogg': 'two two', 'cover.jpg': 'moon' };

async function browse({ client }: RunningServent, address: string): Promise<string> {
  const { id } = await client.startSearch({ browse: address });
  await until('the browse ends', async () => ((await client.search({ id })).state === 'running' ? null : true));
  return id;
}

/** The end of each batch, as its event tells it. */
function ends(t: Test, { api, token }: RunningServent): (batch: string) => Promise<EventData<'batch.finished'>> {
  const told = new Map<string, EventData<'batch.finished'>>();
  const ending = new AbortController();
  const over = followDaemon({ url: api, token })({
    ...{ topics: ['downloads'], interval: 1, after: 0, signal: ending.signal },
    onEvents: events => {
      for (const event of events) if (event.type === 'batch.finished') told.set(event.data.id, event.data);
    },
    onGap: () => undefined,
    onState: () => undefined,
  });
  t.teardown(async () => {
    ending.abort();
    await over;
  });
  return batch => until('the batch has ended', async () => told.get(batch) ?? null);
}

t.test('a folder of a browse goes into one folder, which is none that is there', async t => {
  const home = t.testdir({
    a: { shared: { 'note.txt': 'note' } },
    theirs: { Moons: MOONS, Tides: { 'low.ogg': 'low' } },
    b: {},
    got: { Moons: { '01 one.ogg': 'mine' } },
    music: {},
  });
  const got = join(home, 'got');
  const categories = [{ name: 'music', folder: join(home, 'music'), rules: [{ types: ['audio'] }] }];
  const a = await startServent(t, join(home, 'a'));
  const b = await startServent(t, join(home, 'b'), { 'downloads.folder': got });
  await a.client.shareFolder({ path: join(home, 'theirs'), label: 'Music' });
  await hashed(a.client, 5);
  const ended = ends(t, b);
  const search = await browse(b, a.address);
  const { items: results } = await b.client.results({ id: search });
  t.strictSame(results.map(({ folder, name }) => `${folder ?? ''}/${name}`).sort(), [
    '/note.txt',
    'Music/Moons/01 one.ogg',
    'Music/Moons/02 two.ogg',
    'Music/Moons/cover.jpg',
    'Music/Tides/low.ogg',
  ]);

  const started = await b.client.startDownload({ search, folder: 'moons' });
  t.equal(started.batch?.name, 'Moons');
  t.strictSame(
    started.items?.map(({ error, joined }) => [error, joined]),
    Array(3).fill([null, null]),
  );
  const path = join(got, 'Moons (2)');
  t.match(await ended(started.batch?.id ?? ''), { name: 'Moons', path, completed: 3, failed: 0, bytes: 14 });
  for (const [name, text] of Object.entries(MOONS)) t.equal(readFileSync(join(path, name), 'utf8'), text);
  t.equal(readFileSync(join(got, 'Moons/01 one.ogg'), 'utf8'), 'mine', 'what was there is not touched');

  await b.client.changeConfig({ downloads: { categories } });
  const idOf = (name: string) => results.find(result => result.name === name)?.id ?? '';
  const some = await b.client.startDownload({
    ...{ search, results: [idOf('low.ogg'), '99', idOf('cover.jpg'), idOf('low.ogg')], name: 'a/../Mine?' },
  });
  t.match(some.items, [
    { name: 'low.ogg', error: null, joined: null },
    { name: '99', id: null, error: 'there is no result "99"' },
    { name: 'cover.jpg', error: null, joined: 'file' },
  ]);
  t.match(some, { category: 'music', batch: { name: 'a/../Mine?' } });
  t.match(await ended(some.batch?.id ?? ''), { path: join(home, 'music', 'Mine_'), completed: 1, failed: 0 });

  const filtered = await b.client.startDownload({ search, filter: 'name~"o" and type=audio', again: true });
  t.strictSame(filtered.items?.map(({ name }) => name).sort(), ['01 one.ogg', '02 two.ogg', 'low.ogg']);
  t.equal(filtered.batch?.name, a.address, 'they have nothing in common but their servent');
  await ended(filtered.batch?.id ?? '');

  for (const [wish, why] of [
    [{ folder: 'Suns' }, /^folder: none of the 5 results of the search is chosen by it/],
    [{ filter: 'size>1GiB' }, /^filter: none of the 5 results/],
    [{ filter: 'sise>1' }, /sise/],
    [{ results: ['99'] }, /there is no result "99"/],
    [{ results: [] }, /results/],
  ] as const)
    await t.rejects(b.client.startDownload({ search, ...wish } as never), why, JSON.stringify(wish));
  await t.rejects(b.client.startDownload({ search: 'gone', folder: 'Moons' }), /there is no search "gone"/);
  t.strictSame(readdirSync(got).sort(), ['.incomplete', 'Moons', 'Moons (2)']);

  await b.stop();
  const store = await Store.open(join(b.dataDir, 'store'), silentLog);
  const records = await new DownloadStore(store.table('downloads')).all(silentLog);
  await store.close();
  t.match(records[0]?.batch, { id: started.batch?.id, name: 'Moons', folder: 'Moons (2)' });
  t.ok(existsSync(path));
});
