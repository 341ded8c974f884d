// Whole daemons, and the feeds of what passes too fast: whatever they tell is what the table of events says, and they tell all of it.
import { truncate } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type EventRow, events, eventTypes, type ServentEvent, TOPICS } from '../../../api/events.ts';
import { followDaemon } from '../../../api/live/follow-daemon.ts';
import { EventLog } from '../../../daemon/events/event-log.ts';
import { silentLog } from '../../../daemon/log.ts';
import { LogTail } from '../../../daemon/log-tail.ts';
import { LogFeed } from '../../../daemon/observation/log-feed.ts';
import { QueryFeed } from '../../../daemon/observation/query-feed.ts';
import { QueryMonitor } from '../../../daemon/queries/query-monitor.ts';
import { Store } from '../../../daemon/store/store.ts';
import { recordingNewsView } from '../../../daemon/views/recordings.ts';
import { Type } from '../../../protocol/constants.ts';
import type { Link } from '../../../protocol/overlay/links/link.ts';
import { Frame, FrameReader } from '../../../protocol/wire/frame-reader.ts';
import { encodeDescriptor } from '../../../protocol/wire/header.ts';
import { encodeQuery } from '../../../protocol/wire/query.ts';
import { hashed, type RunningServent, startServent, until } from '../../support/running-servent.ts';
import { SHA1 } from '../../support/sample-views.ts';
import { ScriptedSource } from '../../support/scripted-source.ts';

const told = new Set<string>();

/** Fields that the schema does not know are stripped by it, and so are a fault. */
function check(t: Test, { topic, type, data }: ServentEvent): void {
  const row: EventRow | undefined = Object.hasOwn(events, type) ? events[type] : undefined;
  const parsed = row?.schema.safeParse(data);
  if (parsed?.success !== true || row?.topic !== topic)
    t.fail(`${topic} ${type}: ${row === undefined ? 'not in the table' : (parsed?.error?.message ?? 'another topic')}`);
  else if (!told.has(type)) t.strictSame(parsed.data, data, type);
  told.add(type);
}

/** All that a daemon tells, and has told since its start. */
function listen(t: Test, { api, token }: RunningServent): (type: string) => Promise<ServentEvent> {
  const all: ServentEvent[] = [];
  const ending = new AbortController();
  const over = followDaemon({ url: api, token })({
    topics: TOPICS,
    interval: 0.5,
    after: 0,
    signal: ending.signal,
    onEvents: told => {
      for (const event of told) check(t, event);
      all.push(...told);
    },
    onGap: () => undefined, // queries and lines of before
    onState: () => undefined,
  });
  t.teardown(async () => {
    ending.abort();
    await over;
  });
  return type => until(`${type} is told`, async () => all.find(event => event.type === type) ?? null);
}

t.test('two daemons that search, transfer, fail and stop', async t => {
  const folder = t.testdir({ a: { shared: { 'blue moon.ogg': 'la la la', 'long tide.ogg': '' } }, b: {} });
  await truncate(join(folder, 'a/shared/long tide.ogg'), 32 << 20);
  const a = await startServent(t, join(folder, 'a'));
  const b = await startServent(t, join(folder, 'b'), { 'downloads.folder': join(folder, 'b-downloads') });
  await hashed(a.client, 2);
  const [atA, atB] = [listen(t, a), listen(t, b)];
  for (const type of ['status.started', 'library.scanned', 'library.hashing', 'status.now']) await atA(type);

  await b.client.connect({ address: a.address });
  await atB('link.opened');
  const search = await b.client.startSearch({ text: 'blue moon', duration: 1 });
  const found = await atB('search.result');
  await atA('query.passed');
  if (found.type === 'search.result')
    await b.client.startDownload({ search: search.id, results: [found.data.result.id] });
  for (const type of ['search.started', 'download.added', 'download.changed', 'download.finished', 'batch.finished'])
    await atB(type);
  for (const type of ['upload.started', 'upload.finished']) await atA(type);

  const source = await ScriptedSource.open(t, ({ socket, number }) => {
    if (number > 0) socket.write('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
    // The first one gets a little, and then nothing for long.
    else
      socket.write('HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-99999/100000\r\nContent-Length: 100000\r\n\r\nla');
    return true;
  });
  const { host, port } = source.source.endpoint;
  const slow = await b.client.startDownload({ urn: SHA1, sources: [`${host}:${port}`], name: 'slow', size: 100_000 });
  await atB('download.progress');
  const urn = SHA1.replace('PLST', 'QLST');
  await b.client.startDownload({ urn, sources: [`${host}:${port}`], name: 'gone', size: 100 });
  await atB('download.failed');
  await b.client.removeDownload({ id: slow.id });
  await atB('download.removed');

  const [{ urn: long = '' } = {}] = (await a.client.files({ filter: 'name~long' })).items;
  const reader = connect(a.gnutella.port, '127.0.0.1').pause(); // takes what the system takes for it, and no more
  t.teardown(() => reader.destroy());
  reader.write(`GET /uri-res/N2R?${long} HTTP/1.1\r\nHost: a\r\n\r\n`);
  await atA('upload.progress');
  reader.destroy();

  const ban = await a.client.addBan({ address: '192.0.2.7' });
  await atA('ban.started');
  await a.client.liftBan({ id: ban.id });
  await atA('ban.lifted');
  const saved = await b.client.saveSearch({ text: 'tide', state: 'paused' });
  await b.client.runSavedSearch({ id: saved.id, duration: 1 });
  await atB('saved.found');
  await atB('saved.changed');
  await b.client.removeSavedSearch({ id: saved.id });
  await atB('saved.removed');
  await a.client.changeConfig({ limits: { monthlyBytes: 1 } });
  await atA('status.budget');
  await a.client.changeConfig({ uploads: { slots: 7 } });
  await atA('status.configured');
  await atB('search.finished');
  await b.stop();
  await atB('status.stopping');
  await atA('link.closed');
});

t.test('queries and lines of the log that come too fast', async t => {
  const store = await Store.open(t.testdir(), silentLog);
  t.teardown(() => store.close());
  const clock = { now: () => 0, wallTime: () => Date.UTC(2026, 10, 21) };
  const tables = { table: store.table<never>('events'), marks: store.table<never>('event-marks') };
  const log = new EventLog({ ...tables, clock, log: silentLog });
  await log.start();
  t.teardown(() => log.stop());
  const all: ServentEvent[] = [];
  log.listen({ topics: new Set(TOPICS), onEvent: ({ json }) => void all.push(JSON.parse(json)) });

  const monitor = new QueryMonitor();
  const queries = new QueryFeed(monitor, log);
  const link = { endpoint: { host: '192.0.2.1', port: 6346 } } as Link;
  for (let i = 0; i < 150; i++) monitor.note(link, queryFrame(i), 0, clock.wallTime());
  for (let slices = 0; slices < 10; slices++) queries.slice();
  queries.stop();

  const tail = new LogTail();
  const lines = new LogFeed(tail, log);
  for (let i = 0; i < 600; i++)
    tail.write(`${JSON.stringify({ level: 30, time: i, mod: 'links', msg: 'hello', i })}\n`);
  lines.second();
  lines.stop();

  for (const event of all) check(t, event);
  const skipped = all.filter(({ type }) => type.endsWith('.skipped')).map(({ data }) => data);
  t.strictSame(skipped, [
    { queries: 50, seconds: 1 },
    { lines: 100, seconds: 1 },
  ]);
});

t.test('a recording that cannot be written, and one that reaches its bound', async t => {
  const store = await Store.open(t.testdir({ store: {} }), silentLog);
  t.teardown(() => store.close());
  const clock = { now: () => 0, wallTime: () => Date.UTC(2026, 10, 21) };
  const tables = { table: store.table<never>('events'), marks: store.table<never>('event-marks') };
  const log = new EventLog({ ...tables, clock, log: silentLog });
  await log.start();
  t.teardown(() => log.stop());
  log.listen({ topics: new Set(TOPICS), onEvent: ({ json }) => check(t, JSON.parse(json)) });
  const segment = { name: 'a', table: 'hits', number: 1, state: 'parquet', rows: 1, bytes: 1, from: 1, to: 2 } as const;
  for (const news of [{ state: 'failing', text: 'no room' } as const, { state: 'removed', segment } as const])
    log.tell('status.recording', recordingNewsView(news));
});

t.test('no event of the table is never told', async t => {
  t.strictSame(
    eventTypes.filter(type => !told.has(type)),
    [],
  );
});

function queryFrame(number: number): Frame {
  const guid = Buffer.alloc(16, number);
  const reader = new FrameReader(65_535);
  const frame = new Frame();
  reader.push(encodeDescriptor(guid, Type.Query, 3, 1, encodeQuery({ text: `blue ${number}` })));
  reader.next(frame);
  return frame;
}
