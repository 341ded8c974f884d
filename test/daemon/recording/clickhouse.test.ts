// Four servents record to two ClickHouse servers, one of which dies; every row is there once, and questions get one answer.

import { once } from 'node:events';
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { analyse } from '../../../daemon/analysis/analysis.ts';
import { openClickHouse } from '../../../daemon/analysis/clickhouse.ts';
import { openDuckDb } from '../../../daemon/analysis/duckdb.ts';
import type { Engine } from '../../../daemon/analysis/engine.ts';
import { writeCrawl } from '../../../daemon/crawl/crawl-rows.ts';
import { Database } from '../../../daemon/recording/database.ts';
import { Deliveries } from '../../../daemon/recording/deliveries.ts';
import type { RecordingReply } from '../../../daemon/recording/recording-messages.ts';
import { RecordingWriter } from '../../../daemon/recording/recording-writer.ts';
import { type Author, journalContent } from '../../../daemon/segments/journal-frame.ts';
import { questionNames } from '../../../measure/questions.ts';
import { rowBinary } from '../../../measure/row-binary.ts';
import { blockColumns } from '../../../measure/row-block.ts';
import { tableNames } from '../../../measure/tables.ts';
import type { CrawlReport } from '../../../protocol/crawl/crawl-report.ts';
import { CLUSTER, ClickHouseServer, clickHouseMissing } from '../../support/clickhouse-server.ts';
import { duckDbMissing } from '../../support/duckdb.ts';
import { type JournalRow, writeJournal } from '../../support/journals.ts';
import { QueryPeer } from '../../support/query-peer.ts';
import { startServent, until } from '../../support/running-servent.ts';

const skip = clickHouseMissing() ?? (await duckDbMissing()) ?? false;
const portOf = (address: string): number => Number(address.split(':').at(-1));

t.test('with two ClickHouse servers', { skip }, async t => {
  const folder = t.testdir({});
  const [a, b] = await ClickHouseServer.shards(t, folder, 2);
  if (a === undefined || b === undefined) throw new Error('two were asked for');
  await t.test('four servents record while one server dies and comes back', t => fleet(t, folder, [a, b]));
  await t.test('an attempt whose outcome is not known puts no row there twice', t => unknownOutcomes(t, folder, a));
  await t.test('a table of another shape is told once, and its rows wait', t => wrongTable(t, folder, b));
});

const HOST = { state: 'answered', why: '', role: 'ultrapeer', userAgent: 'x/1', uptime: null, leaves: 0 } as const;

/** Two hosts that answered, and a third that both named. */
const CRAWLED: CrawlReport = {
  hosts: [
    { ...HOST, address: '127.0.0.1:1', ultrapeers: 2, way: 'tcp', ms: 1 },
    { ...HOST, address: '127.0.0.1:2', ultrapeers: 2, way: 'udp', ms: 2 },
    { ...HOST, address: '127.0.0.1:3', ultrapeers: 0, way: null, ms: 0, state: 'left_out', why: 'not_reached' },
  ],
  edges: [
    { host: '127.0.0.1:1', neighbour: '127.0.0.1:2', kind: 'ultrapeer', both: true },
    { host: '127.0.0.1:1', neighbour: '127.0.0.1:3', kind: 'ultrapeer', both: false },
    { host: '127.0.0.1:2', neighbour: '127.0.0.1:3', kind: 'ultrapeer', both: false },
  ],
  asked: 2,
  beyond: 0,
};

async function sameAnswers(t: Test, one: Engine, other: Engine): Promise<void> {
  for (const name of questionNames) {
    const [left, right] = [await analyse(one, name, 1000), await analyse(other, name, 1000)];
    t.strictSame(rounded(right.rows), rounded(left.rows), name);
    t.strictSame([left.engine, right.engine], ['duckdb', 'clickhouse']);
    // nobody crawls here
    if (name !== 'crawled-degrees') t.ok(left.rows.length > 0, `${name} has an answer`);
  }
}

/** Shares are divisions, whose last bit may differ. */
const rounded = (rows: readonly Readonly<Record<string, unknown>>[]) =>
  rows.map(row =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        typeof value === 'number' ? Number(value.toPrecision(10)) : value,
      ]),
    ),
  );

async function fleet(t: Test, folder: string, shards: readonly [ClickHouseServer, ClickHouseServer]): Promise<void> {
  const [a, b] = shards;
  const servents = await Promise.all(
    [0, 1, 2, 3].map(n =>
      startServent(t, join(folder, `servent${n}`), {
        'recording.mode': 'clickhouse',
        'recording.url': (shards[n % 2] ?? a).url,
      }),
    ),
  );
  const peers = await Promise.all(
    servents.map((servent, n) => QueryPeer.connect(t, portOf(servent.address), n, `Peer${n}/1`)),
  );
  const others = await Promise.all(servents.map((servent, n) => QueryPeer.connect(t, portOf(servent.address), n + 10)));
  let sent = 0;
  const ask = async (count: number): Promise<void> => {
    for (const [n, peer] of peers.entries()) {
      const texts = Array.from({ length: count }, (_, i) => `word${i % 7} word${i % 3} of ${n}`);
      const [first] = peer.send(texts.map((text, i) => ({ text, ttl: 1 + (i % 3), hops: 1 + (i % 2) })));
      const before = sent / 4;
      await until('the first is known', async () => {
        const items = (await servents[n]?.client.queries({ limit: 1000 }))?.items ?? [];
        return items.length >= before + count ? true : null;
      });
      if (first !== undefined) others[n]?.answer(first, ['a file'], 1);
    }
    sent += 4 * count;
  };
  const total = async (sql: string): Promise<number> =>
    Number(await a.query(sql).catch(() => '0')) + Number(await b.query(sql).catch(() => '0'));
  await ask(50);
  await until('the first rows are at both', async () =>
    (await total('SELECT count() FROM servent.queries')) === sent ? true : null,
  );
  await b.kill();
  await ask(60);
  await until('the other one has its share', async () =>
    (await total('SELECT count() FROM servent.queries')) >= 100 + 120 ? true : null,
  );
  await until('it is told that one is away', async () => {
    const metrics = await fetch(`${servents[1]?.api}/metrics`, {
      headers: { authorization: `Bearer ${servents[1]?.token}` },
    });
    return (await metrics.text()).includes('gnutella_recording_failing 1') ? true : null;
  });
  await b.start();
  await ask(40);
  for (const peer of [...peers, ...others]) await peer.close();
  await Promise.all(servents.map(servent => servent.stop()));
  writeCrawl(join(servents[0]?.dataDir ?? '', 'recordings'), CRAWLED, 'ab'.repeat(16), 1_700_000_000_000, 'unsent');
  // what a stop had no time to send, and what a crawl has found, is sent by the next start
  const left = servents.filter(({ dataDir }) => readdirSync(join(dataDir, 'recordings')).length > 0);
  for (const { dataDir } of left) {
    const index = servents.findIndex(servent => servent.dataDir === dataDir);
    const again = await startServent(t, dataDir, {
      'recording.mode': 'clickhouse',
      'recording.url': (shards[index % 2] ?? a).url,
    });
    await until('the rest is sent', async () => {
      const { items } = await again.client.recordings({ limit: 1000 });
      return items.some(({ state }) => state === 'unsent') ? null : true;
    });
    await again.stop();
  }
  t.equal(await total('SELECT count() FROM servent.queries'), sent);
  for (const table of tableNames) {
    const rows = await total(`SELECT count() FROM servent.${table}`);
    t.equal(await total(`SELECT uniqExact(servent, run, seq) FROM servent.${table}`), rows, `${table}: every row once`);
  }

  const says: string[] = [];
  const clickhouse = await openClickHouse(a.url, CLUSTER, text => {
    says.push(text);
    b.start().catch(error => t.fail(error));
  });
  t.teardown(() => clickhouse.close());
  const segments = join(folder, 'segments');
  mkdirSync(segments);
  for (const [i, table] of tableNames.entries()) {
    const text = await a.query(`SELECT * FROM servent.all_${table} ORDER BY servent, run, seq FORMAT JSONEachRow`);
    const byAuthor = new Map<string, { author: Author; rows: JournalRow[] }>();
    for (const line of text.split('\n').filter(each => each !== '')) {
      const { servent, run, ...quoted } = JSON.parse(line) as Record<string, string>;
      if (servent === undefined || run === undefined) throw new Error(line);
      const isNumber = (name: string) =>
        blockColumns(table).some(column => column.name === name && column.type !== 'text');
      const row = Object.fromEntries(
        Object.entries(quoted).map(([name, value]) => [name, isNumber(name) ? Number(value) : value]),
      );
      const of = byAuthor.get(servent + run) ?? { author: { servent, run }, rows: [] as JournalRow[] };
      of.rows.push(row);
      byAuthor.set(servent + run, of);
    }
    for (const { author, rows } of byAuthor.values())
      writeJournal(join(segments, `${table}-0000000${i}-${author.run}.journal`), table, rows, author);
  }
  const duckdb = await openDuckDb([segments]);
  t.teardown(() => duckdb.close());
  await sameAnswers(t, duckdb, clickhouse);
  t.strictSame(says, []);
  await b.kill();
  const { rows } = await analyse(clickhouse, 'top-words', 5);
  t.match(says[0], /^a server was lost during the question .* it is run again, 2 of /);
  t.strictSame(rows, (await analyse(duckdb, 'top-words', 5)).rows, 'the same answer after a server was lost');
}

/** A recording in a folder, not sent. */
async function recordedIn(folder: string, run: string): Promise<{ writer: RecordingWriter; said: RecordingReply[] }> {
  const said: RecordingReply[] = [];
  const writer = new RecordingWriter(
    {
      ...{ folder, bytesMax: 1e9, segmentBytes: 1e6, segmentMs: 60_000, servent: 'cd'.repeat(16) },
      ...{ run, salt: null, url: 'http://127.0.0.1:1' },
    },
    reply => said.push(reply),
  );
  await writer.start();
  return { writer, said };
}

async function unknownOutcomes(t: Test, folder: string, server: ClickHouseServer): Promise<void> {
  const own = join(folder, 'unknown');
  const count = async (): Promise<[rows: string, distinct: string]> => [
    await server.query(`SELECT count() FROM servent.roles WHERE servent = '${'cd'.repeat(16)}'`),
    await server.query(`SELECT uniqExact(run, seq) FROM servent.roles WHERE servent = '${'cd'.repeat(16)}'`),
  ];
  const author = { servent: 'cd'.repeat(16), run: '0123abcd' };
  const rows = Array.from({ length: 100 }, (_, i) => ({ seq: i + 1, at_ms: 1, role: 'leaf', why: 'a test' }));
  mkdirSync(own);
  const journal = join(own, 'roles-00000001-0123abcd.unsent.journal');
  writeJournal(journal, 'roles', rows, author);
  appendFileSync(journal, 'svj1 cut');
  for (const copy of ['copy', 'again']) cpSync(own, `${own}.${copy}`, { recursive: true });
  const send = async (from: string, url = server.url): Promise<void> => {
    const { writer, said } = await recordedIn(from, '99999999');
    const database = await Database.at(url);
    const deliveries = new Deliveries({
      writer,
      database,
      segmentMs: 1,
      run: '99999999',
      say: reply => said.push(reply),
    });
    deliveries.start();
    await until('all is sent', async () => (writer.folder.size === 0 ? true : null));
    await deliveries.stop();
    t.strictSame(writer.counts.lost, { broken: 1 });
    t.equal(said.length, url === server.url ? 0 : 2, 'trouble is told once, and its end');
  };
  // a part is there already, as if the server had died in the middle of it
  const database = await Database.at(server.url);
  await database.prepare();
  const range = { id: 'part', table: 'roles', servent: 'cd'.repeat(16), run: '0123abcd', first: 1, last: 100 } as const;
  const { blocks } = journalContent('roles', readFileSync(journal));
  const others = rows.flatMap(({ seq }) => (seq > 20 && seq <= 50 ? [] : [seq]));
  await database.insert(range, rowBinary(blocks, new Set(others)));
  await database.close();
  await send(own);
  t.strictSame(await count(), ['100', '100'], 'what was missing was added');
  await send(`${own}.copy`);
  t.strictSame(await count(), ['100', '100'], 'as if the servent had died before it knew that all was there');

  await server.query(`RENAME TABLE servent.roles TO servent.full_roles`);
  const proxy = await losingProxy(t, server.url);
  await send(`${own}.again`, proxy.url);
  t.strictSame(await count(), ['100', '100'], 'three answers to an insert were lost');
  t.equal(proxy.inserts(), 1, 'it was not sent again');
}

/** In front of a server: the answer to the first insert does not come back, nor do the next two answers. */
async function losingProxy(t: Test, target: string): Promise<{ url: string; inserts: () => number }> {
  let inserts = 0;
  let lost = 0;
  const server = createServer((request, response) => {
    const upstream = httpRequest(
      `${target}${request.url}`,
      { method: request.method, headers: request.headers },
      answer => {
        const isInsert = /INSERT/.test(decodeURIComponent(request.url ?? ''));
        if (isInsert) inserts++;
        if (inserts > 0 && lost < 3) {
          lost++;
          answer.resume().on('end', () => request.socket.destroy());
          return;
        }
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    upstream.on('error', () => response.destroy());
    request.pipe(upstream);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, inserts: () => inserts };
}

async function wrongTable(t: Test, folder: string, server: ClickHouseServer): Promise<void> {
  await server.query('RENAME TABLE servent.roles TO servent.kept_roles');
  await server.query('CREATE TABLE servent.roles (servent String, role Int32) ENGINE = Log');
  const own = join(folder, 'wrong');
  const { writer, said } = await recordedIn(own, '88888888');
  writeJournal(
    join(own, 'roles-00000001-88888888.unsent.journal'),
    'roles',
    [{ seq: 1, at_ms: 1, role: 'leaf', why: 'x' }],
    { servent: 'cd'.repeat(16), run: '88888888' },
  );
  await writer.folder.load();
  const database = await Database.at(server.url);
  const deliveries = new Deliveries({
    writer,
    database,
    segmentMs: 1,
    run: '77777777',
    say: reply => said.push(reply),
  });
  deliveries.start();
  await until('it is told', async () => (said.length > 0 ? true : null));
  t.match(said[0], { kind: 'said', level: 'warn', trouble: true });
  t.match(
    JSON.stringify(said[0]),
    /servent\.roles lacks the column run \(String\), .*has the column role as Int32 instead of String/,
  );
  await server.query('DROP TABLE servent.roles');
  await server.query('RENAME TABLE servent.kept_roles TO servent.roles');
  await until('it is sent', async () => (writer.folder.size === 0 ? true : null));
  await deliveries.stop();
  t.equal(said.filter(({ kind }) => kind === 'said').length, 2, 'one line, and one when it works again');
  t.equal(await server.query(`SELECT count() FROM servent.roles WHERE run = '88888888'`), '1');
}
