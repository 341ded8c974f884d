// Contents that follow from a seed, and what is kept of them.
import t from 'tap';
import { FILE_BYTES_MAX, FILE_BYTES_MIN, FileContent, KeptContents } from '../../../sim/transfer/file-content.ts';
import { sha1Of, treeOf } from '../../support/verification-scene.ts';

t.test('the same seed, the same file; another seed, another', async t => {
  const [one, again, other] = [7, 7, 8].map(seed => new FileContent(seed, new KeptContents()));
  t.ok(one?.bytes.equals(again?.bytes ?? Buffer.alloc(0)));
  t.notOk(one?.bytes.equals(other?.bytes ?? Buffer.alloc(0)));
  t.ok(one?.sha1.equals(sha1Of(one.bytes)));
  t.ok(one?.tigerRoot.equals(treeOf(one.bytes).root));
});

t.test('sizes are within their bounds, and a content that was forgotten is made again', async t => {
  const kept = new KeptContents();
  const files = Array.from({ length: 150 }, (_, seed) => new FileContent(seed, kept));
  let bytes = 0;
  for (const file of files) {
    bytes += file.bytes.length;
    t.ok(file.bytes.length === file.size && file.size >= FILE_BYTES_MIN && file.size <= FILE_BYTES_MAX);
  }
  t.ok(bytes > 64 << 20, 'more than is kept');
  const [first] = files;
  const last = files.at(-1);
  if (first === undefined || last === undefined) throw new Error('no file');
  t.equal(kept.get(first), null);
  t.equal(kept.get(last), last.bytes);
  t.ok(first.bytes.equals(new FileContent(0, new KeptContents()).bytes));
});
