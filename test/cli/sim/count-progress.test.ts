// How many runs are done: a bar on a terminal, lines elsewhere.
import { PassThrough } from 'node:stream';
import t from 'tap';
import { countProgress } from '../../../cli/sim/count-progress.ts';

t.test('on a terminal it is a bar that ends full', async t => {
  let text = '';
  const stream = new PassThrough();
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const cursor = { cursorTo: () => true, clearLine: () => true, moveCursor: () => true };
  const progress = await countProgress(Object.assign(stream, { isTTY: true, columns: 90, ...cursor }), 'runs', 40);
  progress.show(1.5);
  progress.show(40);
  progress.end();
  t.match(text, /runs .*40 of 40/);
});

t.test('elsewhere it is a line at each tenth', async t => {
  let text = '';
  const progress = await countProgress({ write: given => (text += given) }, 'runs', 40);
  for (let done = 0; done <= 40; done += 0.5) progress.show(done);
  progress.end();
  t.equal(text, Array.from({ length: 10 }, (_, i) => `runs ${4 * (i + 1)} of 40\n`).join(''));
});
