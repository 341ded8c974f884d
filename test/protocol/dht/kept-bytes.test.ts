import fc from 'fast-check';
import t from 'tap';
import { keptBytes } from '../../../protocol/dht/kept-bytes.ts';

t.test('a copy keeps its bytes, whatever becomes of the source and of other copies', async () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 1_500 }), { maxLength: 60 }), sources => {
      const copies = sources.map(source => keptBytes(source));
      const before = sources.map(source => Buffer.from(source).toString('hex'));
      for (const source of sources) source.fill(0);
      return copies.every((copy, i) => copy.toString('hex') === before[i]);
    }),
  );
});

t.test('a block holds kept copies alone: no datagram lives as long as they do', async t => {
  const copies = Array.from({ length: 400 }, (_, i) => {
    const datagram = Buffer.from(`a datagram that is short-lived, number ${i}`);
    const copy = keptBytes(datagram.subarray(0, 20));
    t.not(copy.buffer, datagram.buffer);
    return copy;
  });
  t.equal(new Set(copies.map(({ buffer }) => buffer)).size <= 3, true, '8,000 bytes in blocks of 4,096');
});
