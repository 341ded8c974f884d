// Saved searches of a whole daemon, against another one on loopback.
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { Client } from '../../../api/client.ts';
import { hashed, startServent, until } from '../../support/running-servent.ts';

const WORDS = 'blue moon';

/** Runs it and waits until what it found is handled. */
async function ran(client: Client, id: string) {
  const { runs } = await client.runSavedSearch({ id, duration: 1 });
  return until('the run is over', async () => {
    const saved = (await client.savedSearches()).items.find(row => row.id === id);
    return saved !== undefined && saved.runs === runs && !saved.running ? saved : null;
  });
}

t.test('a saved search downloads what is shared later, once, and knows it after a restart', async t => {
  const folders = t.testdir({ seeker: {}, sharer: { shared: { 'other.txt': 'another file' } } });
  const [seekerDir, sharerDir] = [join(folders, 'seeker'), join(folders, 'sharer')];
  const sharer = await startServent(t, sharerDir);
  let seeker = await startServent(t, seekerDir);
  const { id } = await seeker.client.saveSearch({
    ...{ text: WORDS, action: 'download', filter: 'size<1MiB and not name~"live"', state: 'paused' },
  });
  t.match(await ran(seeker.client, id), { new: 0, runs: 1, error: null }, 'nobody is there to be asked');

  for (const name of ['blue moon.ogg', 'blue moon live.ogg'])
    await writeFile(join(sharerDir, 'shared', name), Buffer.alloc(50_000, name));
  await sharer.client.rescan();
  await hashed(sharer.client, 3);
  await seeker.client.connect({ address: sharer.address });
  const found = await until('it is found', async () => {
    const saved = await ran(seeker.client, id);
    return saved.new > 0 ? saved : null;
  });
  t.equal(found.new, 1, 'the filter leaves one out');
  const { items } = await seeker.client.finds({ id });
  t.match(items, [{ name: 'blue moon.ogg', size: 50_000, outcome: 'downloaded', sources: 1 }]);
  const download = items[0]?.download ?? '';
  const done = await until('it is downloaded', async () => {
    const view = await seeker.client.download({ id: download });
    return view.state === 'completed' ? view : null;
  });
  t.ok(readFileSync(done.path ?? '').equals(Buffer.alloc(50_000, 'blue moon.ogg')));
  t.match((await seeker.client.changeSavedSearch({ id, new: 0 })).new, 0);

  await seeker.stop();
  seeker = await startServent(t, seekerDir);
  t.match((await seeker.client.savedSearches()).items, [
    { id, text: WORDS, action: 'download', state: 'paused', new: 0 },
  ]);
  t.match((await seeker.client.finds({ id })).items, [{ name: 'blue moon.ogg', download }]);

  await seeker.client.connect({ address: sharer.address });
  await seeker.client.removeDownload({ id: download });
  const { id: other } = await seeker.client.saveSearch({
    text: 'moon',
    action: 'download',
    filter: 'not name~"live"',
    state: 'paused',
  });
  const finds = await until('the other one finds it', async () => {
    await ran(seeker.client, other);
    const { items } = await seeker.client.finds({ id: other });
    return items.length > 0 ? items : null;
  });
  t.match(
    finds,
    [{ name: 'blue moon.ogg', outcome: 'known', download: null }],
    'what was removed is not fetched again',
  );
  t.strictSame((await seeker.client.downloads()).items, []);

  await seeker.client.removeSavedSearch({ id });
  t.equal((await seeker.client.savedSearches()).items.length, 1);
  await t.rejects(seeker.client.finds({ id }), /no saved search/);
});

t.test('contents on the list of bad ones are hidden, counted and shown when they are asked for', async t => {
  const folders = t.testdir({ seeker: {}, sharer: { shared: { 'blue moon.ogg': 'one', 'blue moon.mp3.exe': 'two' } } });
  const sharer = await startServent(t, join(folders, 'sharer'));
  const { client } = await startServent(t, join(folders, 'seeker'));
  await hashed(sharer.client, 2);
  await client.connect({ address: sharer.address });
  const { id } = await client.startSearch({ text: WORDS, duration: 60 });
  await until('both are found', async () => ((await client.search({ id })).results === 2 ? true : null));
  t.equal((await client.search({ id })).hidden, 1);
  const [honest] = (await client.results({ id })).items;
  t.match(honest, { name: 'blue moon.ogg', spam: [] });
  await client.addBadContent({ urn: honest?.urn ?? '', note: 'a siren' });
  t.equal((await client.search({ id })).hidden, 2);
  t.strictSame((await client.results({ id })).items, []);
  const shown = (await client.results({ id, spam: 'show', sort: 'name' })).items;
  t.strictSame(
    shown.map(({ name, spam }) => [name, spam.map(({ reason }) => reason)]),
    [
      ['blue moon.mp3.exe', ['disguised', 'impossible_size']],
      ['blue moon.ogg', ['known_bad']],
    ],
  );
  t.equal(
    (await client.results({ id, filter: 'spam.reason=known_bad' })).items.length,
    1,
    'a filter by marks shows them',
  );
  await client.changeConfig({ searches: { spam: 'spam.reason=disguised' } });
  t.equal((await client.search({ id })).hidden, 1, 'the rule is read anew');
  await client.removeBadContent({ id: (await client.badContents()).items[0]?.id ?? '' });
  t.strictSame((await client.badContents()).items, []);
});
