import { EventEmitter, once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { request } from 'node:http';
import t, { type Test } from 'tap';
import type { EventFeed, FeedEvent, FeedListener, Missed } from '../../api/event-feed.ts';
import { EventStreams, type StreamTimes } from '../../api/event-stream.ts';
import { type EventData, type EventType, eventsQuery, type Topic } from '../../api/events.ts';
import type { StreamSources } from '../../api/streams.ts';
import { noContent, serveFake, TOKEN } from '../support/api-server.ts';
import { eventually } from '../support/loopback.ts';
import { eventOf } from '../support/sample-events.ts';

class FakeFeed implements EventFeed {
  readonly listeners = new Set<FeedListener>();
  readonly past: FeedEvent[] = [];
  missed: Missed | null = null;
  lastId = 0;

  add<T extends EventType>(type: T, data: Partial<EventData<T>> = {}, latestOf: string | null = null): FeedEvent {
    const view = eventOf(type, data, ++this.lastId);
    const event = { view, json: JSON.stringify(view), latestOf };
    this.past.push(event);
    for (const listener of this.listeners) if (listener.topics.has(view.topic)) listener.onEvent(event);
    return event;
  }

  listen(listener: FeedListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async *kept(topics: ReadonlySet<Topic>, after: number, upTo: number, onMissed: (missed: Missed) => void) {
    if (this.missed !== null) onMissed(this.missed);
    for (const event of [...this.past])
      if (event.view.id > after && event.view.id <= upTo && topics.has(event.view.topic)) yield event;
  }
}

const owner = { id: 'owner', mayListen: () => true };
const TIMES: Partial<StreamTimes> = { gatherMs: 1 };

function sourcesOf(feed: FakeFeed, times = TIMES): StreamSources {
  return {
    events: new EventStreams(feed, times),
    content: noContent,
    exportQueries: ({ limit = 3 }) => Array.from({ length: limit }, (_, i) => `{"id":"${i}"}\n`),
    metrics: async () => ({ type: 'text/plain; version=0.0.4', text: 'gnutella_links 1\n' }),
  };
}

interface Frame {
  id?: string;
  event?: string;
  data?: string;
}

/** Reads frames until there are `count` of them. */
async function framesOf(t: Test, port: number, path: string, count: number, headers = {}, onOpen = () => {}) {
  const outgoing = request({
    port,
    host: '127.0.0.1',
    path,
    headers: { Authorization: `Bearer ${TOKEN}`, ...headers },
  });
  outgoing.end();
  t.teardown(() => outgoing.destroy());
  const [response] = (await once(outgoing, 'response')) as [import('node:http').IncomingMessage];
  t.equal(response.statusCode, 200);
  t.match(response.headers['content-type'], 'text/event-stream');
  onOpen();
  let text = '';
  const frames: Frame[] = [];
  for await (const chunk of response) {
    text += String(chunk);
    const parts = text.split('\n\n');
    text = parts.pop() ?? '';
    for (const part of parts) {
      const frame = Object.fromEntries(part.split('\n').map(line => line.split(/: (.*)/s) as [string, string]));
      if ('data' in frame) frames.push(frame);
    }
    if (frames.length >= count) break;
  }
  return frames;
}

t.test('a stream tells what happens, of its topics only', async t => {
  const feed = new FakeFeed();
  const { server } = await serveFake(t, { streams: sourcesOf(feed) });
  const frames = await framesOf(t, server.port, '/api/v1/events?topics=downloads', 2, {}, () => {
    feed.add('download.added', { id: 'd1' });
    feed.add('link.opened', {});
    feed.add('download.finished', { id: 'd1' });
  });
  t.strictSame(
    frames.map(({ id, event }) => [id, event]),
    [
      ['1', 'download.added'],
      ['3', 'download.finished'],
    ],
  );
  t.match(JSON.parse(frames[1]?.data ?? ''), { id: 3, topic: 'downloads', data: { id: 'd1' } });
});

t.test('Last-Event-ID goes on where the stream was cut, and a gap is told first', async t => {
  const feed = new FakeFeed();
  for (let i = 0; i < 5; i++) feed.add('download.changed', { done: i });
  const { server } = await serveFake(t, { streams: sourcesOf(feed) });
  const path = '/api/v1/events?topics=downloads';
  const again = await framesOf(t, server.port, path, 3, { 'Last-Event-ID': '2' });
  t.strictSame(
    again.map(({ id }) => id),
    ['3', '4', '5'],
  );
  feed.missed = { from: 1, to: 4 };
  const [gap] = await framesOf(t, server.port, `${path}&since=0`, 1);
  t.equal(gap?.event, 'gap');
  t.strictSame(JSON.parse(gap?.data ?? ''), { from: 1, to: 4, skipped: null, reason: 'forgotten' });
  const [stranger] = await framesOf(t, server.port, path, 1, { 'Last-Event-ID': '99' });
  t.equal(JSON.parse(stranger?.data ?? '').reason, 'unknown');
});

t.test('of what moves all the time only the latest is sent, once an interval', async t => {
  const feed = new FakeFeed();
  const { server } = await serveFake(t, { streams: sourcesOf(feed) });
  const frames = await framesOf(t, server.port, '/api/v1/events?topics=downloads&interval=0.5', 2, {}, () => {
    for (let done = 1; done <= 100; done++) feed.add('download.progress', { done }, 'download d1');
    feed.add('download.added', { done: 0 });
  });
  t.strictSame(
    frames.map(({ id, event, data }) => [id, event, JSON.parse(data ?? '').data.done]),
    [
      ['101', 'download.added', 0],
      [undefined, 'download.progress', 100],
    ],
  );
});

t.test('nonsense in the query is refused, and so is a caller without a token', async t => {
  const { raw } = await serveFake(t, { streams: sourcesOf(new FakeFeed()) });
  for (const [query, field] of [
    ['topics=weather', 'topics'],
    ['interval=0', 'interval'],
    ['since=-1', 'since'],
    ['since=x', 'since'],
    ['topic=peers', 'topic'],
  ] as const) {
    const reply = await raw({ path: `/api/v1/events?${query}` });
    t.equal(reply.status, 400, query);
    t.equal(reply.json?.['field'], field);
  }
  t.equal((await raw({ path: '/api/v1/events', headers: { 'Last-Event-ID': 'x' } })).status, 400);
  for (const path of ['/api/v1/events', '/metrics', '/api/v1/queries/export'])
    t.equal((await raw({ path, headers: { Authorization: 'Bearer nobody-0123456789' } })).status, 401);
});

t.test('metrics and the export of queries are plain text and lines', async t => {
  const { raw } = await serveFake(t, { streams: sourcesOf(new FakeFeed()) });
  const scraped = await raw({ path: '/metrics' });
  t.match(scraped.headers['content-type'], 'text/plain');
  t.equal(scraped.text, 'gnutella_links 1\n');
  const exported = await raw({ path: '/api/v1/queries/export?limit=2' });
  t.match(exported.headers['content-type'], 'application/x-ndjson');
  t.equal(exported.text, '{"id":"0"}\n{"id":"1"}\n');
  for (const limit of ['0', 'abc', '1.5', '100001'])
    t.match((await raw({ path: `/api/v1/queries/export?limit=${limit}` })).json, {
      status: 400,
      detail: 'limit: expected a whole number from 1 to 100000',
    });
});

/** A response whose socket takes nothing until it is told to. */
class StuckResponse extends EventEmitter {
  text = '';
  takes = false;
  destroyed = false;
  writeHead(): this {
    return this;
  }
  write(text: string): boolean {
    this.text += text;
    return this.takes;
  }
  end(): void {}
  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

t.test('who reads too slowly is told what was left out; memory stays bounded', async t => {
  const feed = new FakeFeed();
  const streams = new EventStreams(feed, TIMES);
  t.teardown(() => streams.close());
  const response = new StuckResponse();
  streams.open(response as unknown as ServerResponse, eventsQuery.parse({ topics: 'peers' }), null, owner);
  const data = 'x'.repeat(1000);
  for (let i = 0; i < 3000; i++) feed.add('link.opened', { userAgent: data });
  t.ok(streams.counters.skipped > 1000, 'a mebibyte waits, the rest is left out');
  response.takes = true;
  response.emit('drain');
  const ids = [...response.text.matchAll(/^id: (\d+)$/gm)].map(match => Number(match[1]));
  const gap = JSON.parse(/event: gap\ndata: (.*)/.exec(response.text)?.[1] ?? '{}');
  t.strictSame(gap, { from: (ids.at(-1) ?? 0) + 1, to: 3000, skipped: streams.counters.skipped, reason: 'slow' });
  t.equal(ids.length + gap.skipped, 3000, 'each event is sent or told of');
});

t.test('who reads nothing for long is given up', async t => {
  const feed = new FakeFeed();
  const streams = new EventStreams(feed, { gatherMs: 1, stallMs: 5 });
  const response = new StuckResponse();
  streams.open(response as unknown as ServerResponse, eventsQuery.parse({}), null, owner);
  await once(response, 'close');
  t.equal(streams.counters.stalled, 1);
  t.equal(streams.counters.subscribers, 0);
  t.equal(feed.listeners.size, 0);
});

t.test('fifty subscribers get a thousand events each, and none is lost', async t => {
  const feed = new FakeFeed();
  const streams = new EventStreams(feed, TIMES);
  t.teardown(() => streams.close());
  const responses = Array.from({ length: 50 }, () => new StuckResponse());
  for (const response of responses) {
    response.takes = true;
    streams.open(response as unknown as ServerResponse, eventsQuery.parse({ topics: 'peers' }), null, owner);
  }
  for (let i = 0; i < 1000; i++) {
    feed.add('link.opened', { id: String(i), address: '127.0.0.1:6346', userAgent: 'servent/0.1.0' });
    if (i % 20 === 0) await new Promise(setImmediate);
  }
  await eventually('all came', () => responses.every(({ text }) => text.match(/^id: /gm)?.length === 1000));
  t.equal(streams.counters.skipped, 0);
});

t.test('the stream of a key that has expired ends with its next heartbeat', async t => {
  let good = true;
  const keys = {
    find: () => ({ id: 'k1', name: 'script', scopes: ['read' as const], expiresAt: null }),
    isGood: (id: string) => id === 'k1' && good,
  };
  const sources = sourcesOf(new FakeFeed(), { ...TIMES, heartbeatMs: 5 });
  const { server } = await serveFake(t, { streams: sources, keys });
  const events = `${server.url}/api/v1/events`;
  const stream = await fetch(events, { headers: { Authorization: 'Bearer servent_script' } });
  const own = await fetch(events, { headers: { Authorization: `Bearer ${TOKEN}` } });
  t.equal(sources.events.counters.subscribers, 2);
  good = false;
  t.match(await stream.text(), /^retry: /, 'and not before it was open');
  t.equal(sources.events.counters.subscribers, 1, "the owner's goes on");
  await own.body?.cancel();
});
