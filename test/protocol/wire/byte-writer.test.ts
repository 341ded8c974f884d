import fc from 'fast-check';
import t from 'tap';
import { ByteWriter } from '../../../protocol/wire/byte-writer.ts';
import { formatBase32 } from '../../../protocol/wire/urn.ts';

t.test('what is written comes out in order, in messages of any length, one after the other', async () => {
  const part = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }).map(text => ({
      write: (writer: ByteWriter): void => writer.text(text),
      bytes: Buffer.from(text, 'utf8'),
    })),
    fc.uint8Array({ maxLength: 6000 }).map(bytes => ({
      write: (writer: ByteWriter): void => writer.bytes(bytes),
      bytes: Buffer.from(bytes),
    })),
    fc.uint8Array({ minLength: 20, maxLength: 20 }).map(sha1 => ({
      write: (writer: ByteWriter): void => writer.base32(sha1),
      bytes: Buffer.from(formatBase32(sha1), 'latin1'),
    })),
    fc.nat(0xffff).map(value => ({
      write: (writer: ByteWriter): void => writer.u16(value),
      bytes: Buffer.of(value & 255, value >> 8),
    })),
    fc.nat().map(value => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32LE(value);
      return { write: (writer: ByteWriter): void => writer.u32(value), bytes };
    }),
  );
  const writer = new ByteWriter();
  fc.assert(
    fc.property(fc.array(part, { maxLength: 20 }), parts => {
      writer.clear();
      for (const { write } of parts) write(writer);
      return writer.copy().equals(Buffer.concat(parts.map(({ bytes }) => bytes)));
    }),
    { numRuns: 60 },
  );
});

t.test('base32 of anything but whole groups is refused', async t => {
  t.throws(() => new ByteWriter().base32(Buffer.alloc(24)), RangeError);
});
