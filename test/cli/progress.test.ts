import { PassThrough } from 'node:stream';
import t from 'tap';
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
  t.equal(lines, 'blue moon.ogg  2.0 KiB  active  103 KiB/s\n');
});
