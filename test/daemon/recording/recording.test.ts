import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { analyse } from '../../../daemon/analysis/analysis.ts';
import { openDuckDb } from '../../../daemon/analysis/duckdb.ts';
import { tables } from '../../../measure/tables.ts';
import { duckDbMissing } from '../../support/duckdb.ts';
import { QueryPeer } from '../../support/query-peer.ts';
import { startServent, until } from '../../support/running-servent.ts';

const portOf = (address: string): number => Number(address.split(':').at(-1));
const skip = (await duckDbMissing()) ?? false;

t.test('what passes is recorded and analysed while the servent runs, and after it has stopped', { skip }, async t => {
  const servent = await startServent(t, t.testdir({}), { 'recording.mode': 'files' });
  const asking = await QueryPeer.connect(t, portOf(servent.address), 1, 'QueryPeer/1');
  const having = await QueryPeer.connect(t, portOf(servent.address), 2, 'OtherPeer/2');
  const odd = 'nul\0"quote" \\ \n ünïcode 語 \u{1f600}'.replace('\0', '');
  const [blue] = asking.send([
    { text: 'blue moon blue', ttl: 3, hops: 1 },
    { text: 'Blue Suede', ttl: 2, hops: 2 },
    { text: odd, ttl: 1, hops: 3 },
  ]);
  asking.send([{ text: 'blue moon blue', ttl: 3, hops: 1, guid: blue as Buffer }]);
  await until('all queries came in', async () =>
    (await servent.client.queries({ limit: 10 })).items.length === 3 ? true : null,
  );
  having.answer(blue as Buffer, ['blue moon.mp3', 'blue moon 2.mp3'], 1);
  const folder = join(servent.dataDir, 'recordings');
  const rows = async (question: string) => {
    const engine = await openDuckDb([folder]);
    try {
      return (await analyse(engine, question, 50)).rows;
    } finally {
      await engine.close();
    }
  };
  await until('the hit is recorded', async () => ((await rows('hit-hops')).length === 1 ? true : null));
  t.strictSame((await rows('top-words')).slice(0, 2), [
    { word: 'blue', count: 3 },
    { word: 'moon', count: 1 },
  ]);
  t.strictSame(await rows('unanswered'), [
    { text: 'Blue Suede', queries: 1 },
    { text: odd, queries: 1 },
  ]);
  t.strictSame(await rows('hit-hops'), [{ hops: 1, hits: 1, files: 2 }]);
  t.strictSame(
    await rows('ttl'),
    [1, 2, 3].map(ttl => ({ ttl, queries: 1 })),
  );
  t.strictSame(
    (await rows('hops')).map(({ hops, queries }) => [hops, queries]),
    [
      [1, 1],
      [2, 1],
      [3, 1],
    ],
  );
  t.strictSame(
    (await rows('vendors')).map(({ vendor, links }) => [vendor, links]),
    [
      ['OtherPeer', 1],
      ['QueryPeer', 1],
    ],
  );
  const duplicates = await until('duplicates are recorded', async () => {
    const all = await rows('duplicates');
    const sum = (name: string) => all.reduce((total, row) => total + Number(row[name]), 0);
    return sum('queries') === 4 ? sum('duplicates') : null;
  });
  t.equal(duplicates, 1);
  const { items } = await servent.client.recordings({ limit: 100, filter: 'table=queries' });
  t.strictSame(
    items.map(({ table, state, rows }) => [table, state, rows]),
    [['queries', 'open', 3]],
  );
  await asking.close();
  await having.close();
  await until('both have left', async () =>
    (await servent.client.peers({ limit: 5 })).items.length === 0 ? true : null,
  );
  await servent.stop();
  t.strictSame(
    (await rows('sessions')).reduce((sum, row) => sum + Number(row['sessions']), 0),
    2,
  );
  t.ok((await rows('degrees')).some(({ degree }) => degree === 2));
  t.equal(
    (await rows('churn')).reduce((sum, row) => sum + Number(row['opened']), 0),
    2,
  );
  t.ok((await rows('rate')).length > 0);
  t.strictSame((await rows('hit-rate')).map(({ words, queries, answered }) => [words, queries, answered]).slice(0, 2), [
    [2, 1, 0],
    [3, 1, 1],
  ]);

  const again = await startServent(t, servent.dataDir, { 'recording.mode': 'files' });
  await until('the closed segments are Parquet files', async () => {
    const { items } = await again.client.recordings({ limit: 100 });
    return items.some(({ state }) => state === 'parquet') && !items.some(({ state }) => state === 'closed')
      ? true
      : null;
  });
  await again.stop();
  t.ok(readdirSync(folder).some(file => file.startsWith('queries-') && file.endsWith('.parquet')));
  t.strictSame((await rows('top-words')).slice(0, 1), [{ word: 'blue', count: 3 }]);
  t.strictSame(
    (await rows('unanswered')).map(({ text }) => text),
    ['Blue Suede', odd],
    'every byte of a text comes back',
  );
});

t.test('the privacy of queries holds for what is recorded', { skip }, async t => {
  const folders = t.testdir({ hashed: {}, counts: {}, off: {} });
  for (const privacy of ['hashed', 'counts', 'off']) {
    const servent = await startServent(t, join(folders, privacy), {
      'recording.mode': 'files',
      'queries.privacy': privacy,
    });
    const peer = await QueryPeer.connect(t, portOf(servent.address), 1);
    peer.send([{ text: 'secret words secret' }]);
    const folder = join(servent.dataDir, 'recordings');
    const engine = await openDuckDb([folder]);
    t.teardown(() => engine.close());
    await until('the query is recorded', async () => {
      if (!existsSync(folder)) return null;
      const [row] = await engine.rows('SELECT sum(queries_in) AS seen FROM traffic');
      return row?.['seen'] === 1 ? true : null;
    });
    await servent.stop();
    const queries = await engine.rows('SELECT text, words FROM queries');
    const counted = await engine.rows('SELECT counted FROM query_counts');
    t.equal(queries.length, privacy === 'hashed' ? 1 : 0, privacy);
    t.equal(counted.length, privacy === 'off' ? 0 : 1, privacy);
    for (const { text, words } of queries) {
      t.notMatch(`${text} ${words}`, /secret|words/);
      const [first, , third] = String(words).split(' ');
      t.equal(first, third, 'equal words have equal hashes');
    }
  }
});

t.test('nothing is recorded unless it is asked for', async t => {
  const servent = await startServent(t, t.testdir({}));
  t.strictSame((await servent.client.recordings({ limit: 10 })).items, []);
  t.notOk(readdirSync(servent.dataDir).includes('recordings'));
  t.ok(Object.keys(tables).length > 0);
});
