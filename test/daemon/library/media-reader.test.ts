import { statSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { MediaReader, type MediaReaderOptions } from '../../../daemon/library/media-reader.ts';
import { HOSTILE_MEDIA, wav } from '../../support/media-files.ts';

function readerFor(t: Test, options: MediaReaderOptions = {}): MediaReader {
  const reader = new MediaReader(options);
  t.teardown(() => reader.stop());
  return reader;
}

function requestFor(path: string) {
  const { size, mtimeMs } = statSync(path);
  return { path, size, mtimeMs };
}

const script = (source: string): URL => new URL(`data:text/javascript,${encodeURIComponent(source)}`);

t.test('length, bit rate and tags of a media file are read as the fields of LimeWire', async t => {
  const folder = t.testdir({ 'a.wav': wav(2, { INAM: 'Blue & Moon', IART: 'The  Band\u0001' }) });
  t.strictSame(await readerFor(t).read(requestFor(join(folder, 'a.wav'))), {
    kind: 'read',
    record: { schema: 'audio', fields: { seconds: '2', bitrate: '64', title: 'Blue & Moon', artist: 'The Band' } },
  });
});

t.test('files made to hurt the parser end soon, and the next file is read', async t => {
  const folder = t.testdir({ ...HOSTILE_MEDIA, 'good.wav': wav(1) });
  const reader = readerFor(t);
  for (const name of Object.keys(HOSTILE_MEDIA)) {
    const result = await reader.read(requestFor(join(folder, name)));
    t.ok(result.kind === 'failed' || result.kind === 'read', `${name}: ${JSON.stringify(result)}`);
  }
  t.match(await reader.read(requestFor(join(folder, 'good.wav'))), { kind: 'read', record: { schema: 'audio' } });
});

t.test('a file that changed, is gone, or became a link is not read', async t => {
  const folder = t.testdir({ 'a.wav': wav(1), link: t.fixture('symlink', 'a.wav') });
  const reader = readerFor(t);
  const request = requestFor(join(folder, 'a.wav'));
  t.match(await reader.read({ ...request, size: 7 }), { kind: 'changed' });
  t.match(await reader.read({ ...request, path: join(folder, 'none.wav') }), { kind: 'changed' });
  t.match(await reader.read({ ...request, path: join(folder, 'link') }), { kind: 'changed' });
});

t.test('a parser that hangs, eats memory, throws or ends costs its thread only', async t => {
  const ready = "import { parentPort } from 'node:worker_threads'; parentPort.postMessage({ kind: 'ready' });";
  const on = (body: string): URL => script(`${ready} parentPort.on('message', () => { ${body} });`);
  const request = { path: '/none', size: 0, mtimeMs: 0 };
  const cases: [URL, RegExp][] = [
    [on('for (;;);'), /took more than 0\.2 s/],
    [on('const a = []; for (;;) a.push(new Array(1000).fill(Math.random()));'), /too much memory/],
    [on("throw new Error('broken inside')"), /broken inside/],
    [on('process.exit(0)'), /ended/],
  ];
  for (const [workerUrl, why] of cases) {
    const isHanging = why.source.includes('took more');
    const reader = readerFor(t, { workerUrl, fileMs: isHanging ? 200 : 20_000, heapMb: 16 });
    t.match(await reader.read(request), { kind: 'failed', why });
    t.match(await reader.read(request), { kind: 'failed', why }, 'with a new thread');
  }
});

t.test('a stopped reader ends what it reads', async t => {
  const reader = readerFor(t, { workerUrl: script('setInterval(() => undefined, 1000)') });
  const reading = reader.read({ path: '/none', size: 0, mtimeMs: 0 });
  await reader.stop();
  t.strictSame(
    [await reading, await reader.read({ path: '/none', size: 0, mtimeMs: 0 })],
    [{ kind: 'stopped' }, { kind: 'stopped' }],
  );
});
