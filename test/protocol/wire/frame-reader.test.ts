import fc from 'fast-check';
import t from 'tap';
import { Frame, FrameReader, ReadResult } from '../../../protocol/wire/frame-reader.ts';
import { encodeDescriptor } from '../../../protocol/wire/header.ts';

const guid = Buffer.alloc(16, 7);

function framesOf(reader: FrameReader, chunks: Buffer[]): Buffer[] {
  const frame = new Frame();
  const out: Buffer[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    while (reader.next(frame) === ReadResult.Frame) out.push(frame.copy());
  }
  return out;
}

t.test('any chunking yields the same frames with at most two joins a frame, and one for each 63 crumbs', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 50 }),
      (payloads, cuts) => {
        const frames = payloads.map(payload => encodeDescriptor(guid, 0x80, 3, 1, payload));
        const stream = Buffer.concat(frames);
        const chunks: Buffer[] = [];
        for (let at = 0, i = 0; at < stream.length; i++) {
          const bytes = cuts[i % cuts.length] ?? 1;
          chunks.push(stream.subarray(at, at + bytes));
          at += bytes;
        }
        const reader = new FrameReader(65536);
        const seen = framesOf(reader, chunks);
        return (
          seen.length === frames.length &&
          seen.every((frame, i) => frame.equals(frames[i] ?? guid)) &&
          reader.joins <= 2 * frames.length + chunks.length / 63
        );
      },
    ),
  );
});

t.test('a payload over the limit is refused from its header alone', async t => {
  const reader = new FrameReader(100);
  reader.push(encodeDescriptor(guid, 0x80, 1, 0, Buffer.alloc(101)).subarray(0, 23));
  t.equal(reader.next(new Frame()), ReadResult.TooLong);
});

t.test('a frame that comes byte by byte is not kept as so many buffers', async t => {
  const whole = encodeDescriptor(guid, 0x80, 1, 0, Buffer.alloc(65_000, 1));
  const reader = new FrameReader(65_536);
  const frame = new Frame();
  let most = 0;
  for (let at = 0; at < whole.length; at++) {
    reader.push(whole.subarray(at, at + 1));
    most = Math.max(most, reader.held - Math.max(64, at / 16));
    if (at + 1 < whole.length && reader.next(frame) !== ReadResult.Wait) t.fail('too early');
  }
  t.ok(most <= 1, 'sixteen bytes a buffer, but for the first few');
  t.equal(reader.next(frame), ReadResult.Frame);
  t.ok(frame.copy().equals(whole));
  t.ok(reader.joins < 200, `${reader.joins} joins`);
});
