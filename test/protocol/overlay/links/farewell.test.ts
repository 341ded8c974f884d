import t from 'tap';
import { Type } from '../../../../protocol/constants.ts';
import { encodeFarewell, type Farewell, readFarewell } from '../../../../protocol/overlay/links/farewell.ts';
import { Frame } from '../../../../protocol/wire/frame-reader.ts';
import { encodeDescriptor } from '../../../../protocol/wire/header.ts';

function read(payload: Buffer): Farewell | null {
  const frame = new Frame();
  frame.bytes = encodeDescriptor(Buffer.alloc(16, 1), Type.Bye, 1, 0, payload);
  frame.end = frame.bytes.length;
  return readFarewell(frame);
}

t.test('what is said is heard: a code, one line, and at most ten hosts', async t => {
  const hosts = Array.from({ length: 12 }, (_, i) => ({ host: `5.6.7.${i}`, port: 6346 + i }));
  const heard = read(encodeFarewell({ code: 200, text: 'Shutting\r\ndown', hosts }));
  t.strictSame(heard, { code: 200, text: 'Shutting  down', hosts: hosts.slice(0, 10) });
  t.equal(read(encodeFarewell({ code: 200, text: 'x'.repeat(300), hosts: [] }))?.text.length, 200);
});

t.test('of a malformed one nothing is known, of one that is too long only that', async t => {
  t.equal(read(Buffer.of(1)), null);
  t.strictSame(read(Buffer.alloc(60_000, 0x41)), { code: 0, text: '', hosts: [] });
});
