import fc from 'fast-check';
import t from 'tap';
import { Type } from '../../../protocol/constants.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { BYE_BYTES_MAX, BYE_CODE_MISSING, encodeBye, parseBye } from '../../../protocol/wire/bye.ts';
import { readCaptures } from '../../support/captures.ts';
import { vectorPayload } from '../../support/vectors.ts';

t.test('the vectors', async t => {
  const shutdown = { code: 200, text: 'Servent Shutdown', headers: [] };
  t.strictSame(parseBye(vectorPayload('bye_shutdown', Type.Bye)), shutdown);
  t.ok(encodeBye(shutdown).equals(vectorPayload('bye_shutdown', Type.Bye)));
  const sequence = {
    code: 413,
    text: 'Invalid QRP seq number 3 (expected 2)',
    headers: [['Server', 'demo/1.0']] as const,
  };
  t.strictSame(parseBye(vectorPayload('bye_headers', Type.Bye)), sequence);
  t.ok(encodeBye(sequence).equals(vectorPayload('bye_headers', Type.Bye)));
});

t.test('every captured Bye is read, and written as it was', async t => {
  let count = 0;
  for (const capture of readCaptures()) {
    for (const { bytes } of capture.descriptors) {
      if (bytes[16] !== Type.Bye) continue;
      const payload = bytes.subarray(23);
      const bye = parseBye(payload);
      t.ok(bye.code >= 200 && bye.code < 600, capture.file);
      t.match(bye.text, /^\w/, capture.file);
      t.equal(encodeBye(bye).toString('latin1'), payload.toString('latin1'), capture.file);
      count++;
    }
  }
  t.ok(count >= 8, `${count}`);
});

t.test('forgiven: no NUL, lone line ends, no code, text after the NUL', async t => {
  t.strictSame(parseBye(Buffer.from('\xc8\0bye', 'latin1')), { code: 200, text: 'bye', headers: [] });
  t.strictSame(parseBye(Buffer.from('\xc8\0bye\nServer: x\nnonsense\n\n\0junk', 'latin1')).headers, [['Server', 'x']]);
  t.strictSame(parseBye(Buffer.from('Going away\0')), { code: BYE_CODE_MISSING, text: 'Going away', headers: [] });
  t.strictSame(parseBye(Buffer.from([0xc8, 0])), { code: 200, text: '', headers: [] });
});

t.test('refused: no code, too long', async t => {
  t.throws(() => parseBye(Buffer.alloc(1)), { code: 'WIRE_TRUNCATED' });
  t.throws(() => parseBye(Buffer.alloc(BYE_BYTES_MAX + 1)), { code: 'WIRE_TOO_LONG' });
  t.equal(parseBye(Buffer.alloc(BYE_BYTES_MAX, 'a\n')).headers.length, 0);
  t.equal(parseBye(Buffer.alloc(BYE_BYTES_MAX, 'a:\n')).headers.length, 32);
});

t.test('what would change its meaning is not written', async t => {
  t.throws(() => encodeBye({ code: 200, text: 'a\r\nb', headers: [] }), RangeError);
  t.throws(() => encodeBye({ code: 200, text: 'a\0', headers: [] }), RangeError);
  t.throws(() => encodeBye({ code: 200, text: 'x'.repeat(5000), headers: [] }), RangeError);
});

const line = fc.stringMatching(/^[a-zA-Z0-9]([ -9;-~]{0,30}[a-zA-Z0-9])?$/);

t.test('encode and parse are inverse', async () => {
  fc.assert(
    fc.property(fc.nat({ max: 999 }), line, fc.array(fc.tuple(line, line), { maxLength: 5 }), (code, text, headers) => {
      fc.pre(!/^[A-Za-z]{2}/.test(String.fromCharCode(code & 0xff, code >> 8)));
      const bye = { code, text, headers };
      return JSON.stringify(parseBye(encodeBye(bye))) === JSON.stringify(bye);
    }),
  );
});

t.test('any bytes: only ProtocolError', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), bytes => {
      try {
        return parseBye(Buffer.from(bytes)).headers.length <= 32;
      } catch (error) {
        return error instanceof ProtocolError;
      }
    }),
  );
});
