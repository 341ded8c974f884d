import { PassThrough } from 'node:stream';
import t from 'tap';
import type { DownloadView } from '../../api/control.ts';
import { followProgress } from '../../cli/progress.ts';
import { aDownload } from '../support/sample-views.ts';

/** A terminal that keeps what was drawn. */
function screen(): { out: PassThrough & { isTTY: boolean; columns: number }; text: () => string } {
  const stream = new PassThrough();
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const cursor = { cursorTo: () => true, clearLine: () => true, moveCursor: () => true };
  return { out: Object.assign(stream, { isTTY: true, columns: 100, ...cursor }), text: () => text };
}

t.test('on a terminal the progress is a bar that ends full', async t => {
  const { out, text } = screen();
  const progress = await followProgress(out);
  progress.show(aDownload);
  progress.show({ ...aDownload, state: 'completed', done: 4_200_000, rate: 0, eta: null });
  progress.end();
  t.match(text(), 'blue moon.ogg');
  t.match(text(), '25 %');
  t.match(text(), /100 % completed {2}of 4\.0 MiB/);
});

t.test('a size that is not known yet shows what there is', async t => {
  const { out, text } = screen();
  const progress = await followProgress(out);
  progress.show({ ...aDownload, size: null, done: 2048, eta: null });
  progress.end();
  t.match(text(), '2.0 KiB');
  let lines = '';
  const plain = await followProgress({ write: given => (lines += given) });
  plain.show({ ...aDownload, size: null, done: 2048, eta: null });
  plain.show({ ...aDownload, size: null, done: 4096, eta: null });
  t.equal(lines, 'blue moon.ogg  2.0 KiB  active  103 KiB/s  1 of 2 sources  977 KiB verified\n');
});

t.test('lines say what a download waits for, and say it once', async t => {
  let lines = '';
  const plain = await followProgress({ write: given => (lines += given) });
  const waiting: DownloadView = { ...aDownload, state: 'queued', rate: 0, eta: null, sources: [] };
  const [, queued] = aDownload.sources;
  const soon = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
  plain.show({ ...waiting, search: { asked: 0, next: null } });
  plain.show({ ...waiting, search: { asked: 2, next: soon(500) } });
  plain.show({ ...waiting, search: { asked: 2, next: soon(400) } });
  for (const position of [3, 3, 2]) {
    const queue = { position, length: 10, eta: 100 * position, id: null };
    plain.show({ ...waiting, sources: queued === undefined ? [] : [{ ...queued, queue }] });
  }
  plain.show({ ...waiting, state: 'completed' });
  t.strictSame(lines.trimEnd().split('\n'), [
    'blue moon.ogg  25 %  queued  of 4.0 MiB  no source is known',
    'blue moon.ogg  25 %  queued  of 4.0 MiB  searching for sources: asked 2 times, again in 8 min',
    'blue moon.ogg  25 %  queued  of 4.0 MiB  in 1 queue: place 3 of 10, about 5 min',
    'blue moon.ogg  25 %  queued  of 4.0 MiB  in 1 queue: place 2 of 10, about 3 min',
    'blue moon.ogg  25 %  completed  of 4.0 MiB',
  ]);
});

t.test('the bar leaves room for what happens on 80 columns', async t => {
  const { out, text } = screen();
  const progress = await followProgress(Object.assign(out, { columns: 80 }));
  progress.show({ ...aDownload, name: 'a name that is much longer than the room that there is for it.ogg' });
  progress.end();
  t.match(text(), /a name tha…t\.ogg .{8} 25 % of 4\.0 MiB {2}103 KiB\/s {2}30 s left {2}1 of 2 sources/);
});
