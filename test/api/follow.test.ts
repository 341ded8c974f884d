import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import type { EventGap, ServentEvent } from '../../api/events.ts';
import type { StreamState } from '../../api/live/follow.ts';
import { followDaemon } from '../../api/live/follow-daemon.ts';
import { eventually } from '../support/loopback.ts';

type Script = (request: IncomingMessage, response: ServerResponse, number: number) => void;

async function followed(t: Test, script: Script, options: { after?: number; silenceMs?: number } = {}) {
  let number = 0;
  const server = createServer((request, response) => script(request, response, number++));
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening));
  const ending = new AbortController();
  const events: ServentEvent[] = [];
  const gaps: EventGap[] = [];
  const states: StreamState[] = [];
  const over = followDaemon({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'secret' })({
    topics: ['peers', 'queries'],
    interval: 2,
    after: options.after ?? null,
    ...(options.silenceMs === undefined ? {} : { silenceMs: options.silenceMs }),
    signal: ending.signal,
    onEvents: batch => events.push(...batch),
    onGap: gap => gaps.push(gap),
    onState: state => states.push(state),
  });
  t.teardown(async () => {
    ending.abort();
    await over;
    server.closeAllConnections();
    server.close();
  });
  return { events, gaps, states, ending, over };
}

const STREAM = { 'Content-Type': 'text/event-stream; charset=utf-8' };
const frame = (id: number | null, type: string): string =>
  `${id === null ? '' : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify({ id: id ?? 99, at: '', topic: 'peers', type, data: '雨' })}\n\n`;

t.test('goes back to the last event that had an id, and says what could not be had', async t => {
  const asked: [string | undefined, string | undefined][] = [];
  const { events, gaps, states } = await followed(
    t,
    (request, response, number) => {
      asked.push([request.url, request.headers['last-event-id'] as string | undefined]);
      response.writeHead(200, STREAM);
      if (number > 0) {
        response.write('id: 20\nevent: gap\ndata: {"from":13,"to":20,"skipped":null,"reason":"forgotten"}\n\n');
        response.write(frame(21, 'link.closed'));
        return;
      }
      const bytes = Buffer.from(frame(12, 'link.opened') + frame(null, 'status.now'));
      response.write(bytes.subarray(0, 90)); // in the middle of a character, perhaps
      setImmediate(() => response.end(bytes.subarray(90)));
    },
    { after: 5 },
  );
  await eventually('both connections have told', () => events.length === 3);
  t.strictSame(asked, [
    ['/api/v1/events?topics=peers%2Cqueries&interval=2', '5'],
    ['/api/v1/events?topics=peers%2Cqueries&interval=2', '12'],
  ]);
  t.match(
    events.map(({ type, data }) => [type, data]),
    [
      ['link.opened', '雨'],
      ['status.now', '雨'],
      ['link.closed', '雨'],
    ],
  );
  t.strictSame(gaps, [{ from: 13, to: 20, skipped: null, reason: 'forgotten' }]);
  t.match(states, [{ state: 'open' }, { state: 'lost', retryMs: 1000, refusal: null }, { state: 'open' }]);
});

t.test('a refusal is told with its code, and asked again later and later', async t => {
  const { states } = await followed(t, (request, response) => {
    t.equal(request.headers.authorization, 'Bearer secret');
    response.writeHead(429, { 'Content-Type': 'application/problem+json' });
    response.end(JSON.stringify({ type: 'x', title: 'x', status: 429, code: 'TOO_MANY', detail: '200 listen' }));
  });
  await eventually('it was refused twice', () => states.length === 2);
  t.strictSame(states, [
    { state: 'lost', reason: '200 listen', refusal: 'TOO_MANY', retryMs: 1000 },
    { state: 'lost', reason: '200 listen', refusal: 'TOO_MANY', retryMs: 2000 },
  ]);
});

t.test('silence and nonsense are losses, and the end of it is the end', async t => {
  const silent = await followed(t, (_, response) => void response.writeHead(200, STREAM).write(':\n\n'), {
    silenceMs: 50,
  });
  await eventually('the silence was noticed', () => silent.states.length >= 2);
  t.match(silent.states.slice(0, 2), [{ state: 'open' }, { state: 'lost', refusal: null }]);
  silent.ending.abort();
  await silent.over;
  const nonsense = await followed(t, (_, response) => response.writeHead(200, STREAM).end('data: {\n\n'));
  await eventually('the nonsense was noticed', () => nonsense.states.length >= 2);
  t.match(nonsense.states[1], { state: 'lost', reason: /JSON/ });
  const page = await followed(t, (_, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('hi'));
  await eventually('the page was not taken for a stream', () => page.states.length >= 1);
  t.match(page.states[0], { state: 'lost', reason: /not as a servent daemon/ });
});
