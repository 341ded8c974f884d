import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { ProtocolError } from '../../../protocol/errors.ts';
import { ChunkedBody } from '../../../protocol/transfer/chunked-body.ts';

function read(body: ChunkedBody, ...inputs: (string | Buffer)[]): string {
  return inputs
    .flatMap(input => [...body.data(Buffer.from(input))])
    .map(part => part.toString('latin1'))
    .join('');
}

t.test('chunks, extensions and trailers', async t => {
  const body = new ChunkedBody();
  t.equal(read(body, '5;x="y"\r\nhello\r\nA\r\n, gnutella\r\n0\r\nX-Trailer: 1\r\n\r\nHTTP/1.1'), 'hello, gnutella');
  t.ok(body.done);
  t.equal(body.rest.toString(), 'HTTP/1.1', 'what follows belongs to somebody else');
});

t.test('any chunking of the input gives the same data', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 10 }),
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }),
      (parts, cuts) => {
        const chunks = parts.map(part => [Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]);
        const wire = Buffer.concat([...chunks.flat(), Buffer.from('0\r\n\r\nrest')]);
        const body = new ChunkedBody();
        const seen: Buffer[] = [];
        let at = 0;
        for (let i = 0; !body.done; i++) {
          const end = at + (cuts[i % cuts.length] ?? 1);
          for (const data of body.data(wire.subarray(at, end))) seen.push(Buffer.from(data));
          at = end;
        }
        assert.deepEqual(Buffer.concat(seen), Buffer.concat(parts));
        assert.ok('rest'.startsWith(body.rest.toString()));
      },
    ),
  );
});

t.test('what is not chunked is refused', async t => {
  for (const [input, code] of [
    ['hello\r\n', 'HTTP_MALFORMED'],
    ['-5\r\n', 'HTTP_MALFORMED'],
    ['ffffffffffffffff\r\n', 'HTTP_MALFORMED'],
    ['2\r\nabc\r\n', 'HTTP_MALFORMED'],
    [`1;${'x'.repeat(2000)}`, 'HTTP_TOO_LONG'],
    [`0\r\n${'a: b\r\n'.repeat(40)}`, 'HTTP_TOO_LONG'],
  ] as const) {
    t.throws(() => read(new ChunkedBody(), input), { code });
  }
});

t.test('any bytes give data or a ProtocolError', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.constantFrom('1\r\n', '0\r\n', '\r\n'))),
      inputs => {
        const body = new ChunkedBody();
        try {
          for (const input of inputs) read(body, Buffer.from(input as string));
        } catch (error) {
          assert.ok(error instanceof ProtocolError);
        }
      },
    ),
  );
});
