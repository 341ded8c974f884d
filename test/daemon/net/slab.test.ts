import t from 'tap';
import { SLAB_BYTES, Slab } from '../../../daemon/net/slab.ts';

t.test('memory is used again when it is closed and all that came into it is written', async t => {
  const slab = Slab.take();
  const first = slab.fill(1000);
  t.equal(slab.bytesLeft, SLAB_BYTES - 1000);
  t.equal(slab.room.byteOffset, first.byteOffset + 1000, 'further bytes follow');
  const second = slab.fill(500);
  Slab.written(first);
  Slab.written(second);
  const other = Slab.take();
  t.not(other, slab, 'it is still open');
  slab.close();
  t.equal(Slab.take(), slab);
  t.equal(slab.bytesLeft, SLAB_BYTES, 'empty again');

  const bytes = slab.fill(10);
  slab.close();
  Slab.written(bytes.subarray(0, 9));
  t.not(Slab.take(), slab, 'one byte is not written');
  Slab.written(bytes.subarray(9));
  t.equal(Slab.take(), slab);
});

t.test('one into which nothing came is used again', async t => {
  const slab = Slab.take();
  slab.close();
  t.equal(Slab.take(), slab);
});

t.test('bytes of other memory are nobody’s', async t => {
  Slab.written(Buffer.alloc(10));
  Slab.written(Buffer.from('short, of the pool of Node.js'));
  t.equal(Slab.take().bytesLeft, SLAB_BYTES);
});
