// Plain web servers as sources.
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { type Source, sourceFromUrl } from '../../../protocol/transfer/downloads/source.ts';
import { parseRange } from '../../../protocol/transfer/range.ts';
import { DownloadRig, sha1 } from '../../support/download-rig.ts';
import { honest, ScriptedSource } from '../../support/scripted-source.ts';
import { testBytes } from '../../support/shared-files.ts';

const content = testBytes(3 << 20);

interface WebServer {
  readonly source: Source;
  readonly requests: IncomingMessage[];
}

async function webServer(t: Test, answer: RequestListener): Promise<WebServer> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening));
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const source = sourceFromUrl(`http://127.0.0.1:${port}/files/a%20song.ogg?version=1`);
  if (source === null) throw new Error('not a source');
  return { source, requests };
}

const withRanges: RequestListener = ({ headers }, response) => {
  const range = parseRange(headers.range ?? null, content.length);
  if (range === null || typeof range === 'string') return void response.writeHead(400).end();
  const { start, end } = range;
  response.writeHead(206, {
    'Content-Range': `bytes ${start}-${end - 1}/${content.length}`,
    'Content-Length': end - start,
  });
  response.end(content.subarray(start, end));
};

const whole: RequestListener = (_, response) =>
  void response.writeHead(200, { 'Content-Length': content.length }).end(content);

/** Holds back answers until so many sources have been asked: none brings the whole file before another one is. */
function together(count: number): (source: string) => Promise<void> {
  const asked = new Set<string>();
  let go = (): void => undefined;
  const all = new Promise<void>(resolve => {
    go = resolve;
  });
  return source => {
    if (asked.add(source).size === count) go();
    return all;
  };
}

async function fetched(t: Test, sources: readonly Source[]) {
  const rig = await DownloadRig.open(t, t.testdir());
  const { id } = await rig.downloads.add({ sha1: sha1(content), size: content.length, name: 'a.ogg', sources });
  const view = await rig.ended(id);
  await rig.stop();
  return view;
}

t.test('a web server and a servent bring one file; the server is told nothing of Gnutella', async t => {
  const both = together(2);
  const web = await webServer(t, (...call) => void both('web').then(() => withRanges(...call)));
  const tellsAll = honest(content);
  const servent = await ScriptedSource.open(t, async asked => {
    await both('servent');
    return tellsAll(asked);
  });
  const view = await fetched(t, [web.source, servent.source]);
  t.match(view, { state: 'completed', error: null });
  t.ok(readFileSync(view.path ?? '').equals(content));
  for (const { bytes } of view.sources) t.ok(bytes > 0, `brought ${bytes} bytes`);
  const { host, port } = web.source.endpoint;
  for (const { url, headers } of web.requests) {
    t.equal(url, '/files/a%20song.ogg?version=1');
    t.equal(headers.host, `${host}:${port}`);
    t.strictSame(Object.keys(headers).sort(), ['host', 'range', 'user-agent']);
  }
  t.ok(servent.requests[0]?.headers.has('X-Features'));
});

t.test('a web server that knows no ranges sends all of it, alone or with a servent', async t => {
  const alone = await fetched(t, [(await webServer(t, whole)).source]);
  t.match(alone, { state: 'completed', error: null, sources: [{ bytes: content.length }] });
  const web = await webServer(t, whole);
  const servent = await ScriptedSource.open(t, honest(content));
  const view = await fetched(t, [servent.source, web.source]);
  t.match(view, { state: 'completed', error: null });
  t.ok(readFileSync(view.path ?? '').equals(content));
});

t.test('a web server redirects to itself once, and nowhere else', async t => {
  const to =
    (location: string): RequestListener =>
    (_, response) =>
      void response.writeHead(302, { Location: location, 'Content-Length': 0 }).end();
  const moved = await webServer(t, (request, response) => {
    if (request.url === '/there') withRanges(request, response);
    else to('/there')(request, response);
  });
  t.match(await fetched(t, [moved.source]), { state: 'completed' });
  const inCircles = await webServer(t, to('/again'));
  t.match(await fetched(t, [inCircles.source]), { state: 'failed', error: /answered 302/ });
  t.equal(inCircles.requests.length, 2);

  const victim = await ScriptedSource.open(t, honest(content));
  const { port } = victim.source.endpoint;
  const away = await webServer(t, to(`http://127.0.0.1:${port}/x`));
  t.match(await fetched(t, [away.source]), { state: 'failed', error: /answered 302/ });
  t.equal(victim.connections, 0);
});
