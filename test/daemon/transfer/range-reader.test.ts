// Reads in this thread only while the page cache answers: told by a counter of blocks, here one of the test.
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { DiskWatch } from '../../../daemon/transfer/disk-watch.ts';
import { RangeReader } from '../../../daemon/transfer/range-reader.ts';
import { Turns } from '../../../daemon/transfer/turns.ts';

const BYTES = Buffer.from('0123456789abcdef');

/** A reader of 16 bytes; `pool` counts its reads in the thread pool, each of which reads `blocks` from disk. */
async function readerOf(folder: string, counted = true) {
  const path = join(folder, 'file.bin');
  await writeFile(path, BYTES);
  const handle = await open(path);
  const state = { now: 0, blocksRead: 0, pool: 0, blocks: 0 };
  const file = {
    fd: handle.fd,
    read: ((buffer: Buffer, offset: number, length: number, position: number) => {
      state.pool++;
      state.blocksRead += state.blocks;
      return handle.read(buffer, offset, length, position);
    }) as typeof handle.read,
  };
  const disk = new DiskWatch(
    () => state.blocksRead,
    () => state.now,
  );
  const reader = new RangeReader(file, disk, new Turns(), async () => counted);
  const read = async (position: number, more = true): Promise<string> => {
    const buffer = Buffer.alloc(4);
    return buffer.toString('latin1', 0, await reader.read(buffer, position, more));
  };
  return { state, read, disk, close: () => handle.close() };
}

t.test('after a second without a read from disk, and a read from the page cache, reads need no thread', async t => {
  const { state, read, close } = await readerOf(t.testdir());
  t.equal(await read(0), '0123');
  t.equal(state.pool, 1);
  t.equal(await read(4), '4567');
  t.equal(state.pool, 2, 'the counter was looked at first less than a second ago');
  state.now = 1000;
  t.equal(await read(8), '89ab');
  t.equal(await read(14), 'ef', 'the file ends within the buffer');
  t.equal(await read(16), '', 'and before it');
  t.equal(state.pool, 2);
  await close();
});

t.test('a read from disk sends the reads of the next second to the thread pool', async t => {
  const { state, read, disk, close } = await readerOf(t.testdir());
  await read(0);
  state.now = 1000;
  await read(4);
  t.equal(state.pool, 1);
  state.blocksRead++; // by somebody else
  disk.look();
  await read(8);
  t.equal(state.pool, 2);
  state.now = 1999;
  await read(8);
  t.equal(state.pool, 3);
  state.now = 2000;
  await read(8);
  t.equal(state.pool, 3);
  await close();
});

t.test('a file whose last read came from disk is read in the thread pool, however long ago that was', async t => {
  const { state, read, close } = await readerOf(t.testdir());
  state.blocks = 8;
  for (const position of [0, 4, 8]) {
    await read(position);
    state.now += 5000;
  }
  t.equal(state.pool, 3);
  state.blocks = 0;
  await read(12);
  t.equal(state.pool, 4);
  await read(0);
  t.equal(state.pool, 4);
  await close();
});

t.test('a single or limited read, and all on a file system that counts nothing, go to the thread pool', async t => {
  const { state, read, close } = await readerOf(t.testdir());
  await read(0);
  state.now = 1000;
  await read(4, false);
  t.equal(state.pool, 2);
  await close();
  const other = await readerOf(t.testdir(), false);
  await other.read(0);
  other.state.now = 1000;
  await other.read(4);
  t.equal(other.state.pool, 2);
  await other.close();
});
