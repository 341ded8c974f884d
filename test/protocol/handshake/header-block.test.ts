import fc from 'fast-check';
import t from 'tap';
import { ProtocolError } from '../../../protocol/errors.ts';
import {
  encodeHeaderBlock,
  type HeaderLimits,
  HeaderReader,
  Headers,
} from '../../../protocol/handshake/header-block.ts';
import { cut } from '../../support/handshake-pair.ts';

function read(text: string, limits: Partial<HeaderLimits> = {}) {
  const reader = new HeaderReader(limits);
  t.equal(reader.push(Buffer.from(text, 'latin1')), 'done');
  return { ...reader.block, rest: reader.rest.toString('latin1') };
}

t.test('names are looked up in any case and written as they were given, in order', async t => {
  const headers = new Headers([
    ['X-Ultrapeer', 'True'],
    ['GGEP', '0.5'],
  ]);
  t.equal(headers.get('x-ultrapeer'), 'True');
  t.equal(headers.get('X-Degree'), null);
  headers.set('x-ULTRAPEER', 'False');
  headers.set('X-Degree', '32');
  t.strictSame(
    [...headers],
    [
      ['X-Ultrapeer', 'False'],
      ['GGEP', '0.5'],
      ['X-Degree', '32'],
    ],
  );
  headers.delete('ggep');
  t.equal(headers.size, 2);
  const bytes = encodeHeaderBlock('GNUTELLA CONNECT/0.6', headers);
  t.equal(bytes.toString(), 'GNUTELLA CONNECT/0.6\r\nX-Ultrapeer: False\r\nX-Degree: 32\r\n\r\n');
});

t.test('CRLF and lone LF end lines, duplicates join, continuation lines unfold, the rest is handed over', async t => {
  const { firstLine, headers, rest } = read(
    'GNUTELLA/0.6 200 OK\r\nX-Try: 1.2.3.4:1,\r\n\t5.6.7.8:2,\r\n 9.9.9.9:3\nNo colon here\r\nEmpty:\r\nx-try:  4.4.4.4:4  \r\n\nbin\0ary',
  );
  t.equal(firstLine, 'GNUTELLA/0.6 200 OK');
  t.equal(headers.get('X-Try'), '1.2.3.4:1, 5.6.7.8:2, 9.9.9.9:3, 4.4.4.4:4');
  t.equal(headers.get('Empty'), '');
  t.equal(headers.size, 2);
  t.equal(rest, 'bin\0ary');
});

t.test('a continuation of a line that is no header goes the way of that line', async t => {
  t.equal(read('A\r\n lost\r\nnothing\r\n lost too\r\nB: 1\r\n\r\n').headers.size, 1);
});

t.test('bytes outside ASCII survive as latin1', async t => {
  t.equal(read('A\r\nB: \xe9\xff\r\n\r\n').headers.get('B'), '\xe9\xff');
});

t.test('limits hold at the byte, with the codes of the area', async t => {
  const code = (text: string, limits: Partial<HeaderLimits> = {}) => {
    try {
      return new HeaderReader(limits).push(Buffer.from(text, 'latin1'));
    } catch (error) {
      return error instanceof ProtocolError ? error.code : 'not a ProtocolError';
    }
  };
  t.equal(code(`${'a'.repeat(1024)}\r\n\r\n`), 'done');
  t.equal(code(`${'a'.repeat(1026)}`), 'HANDSHAKE_TOO_LONG');
  t.equal(code(`GET /\r\n${'a: b\r\n'.repeat(128)}\r\n`), 'done');
  t.equal(code(`GET /\r\n${'a: b\r\n'.repeat(129)}`, { area: 'HTTP' }), 'HTTP_TOO_LONG');
  t.equal(code(`GET /\r\n\r\n`, { totalBytesMax: 9 }), 'done');
  t.equal(code(`GET /\r\n\r\n`, { totalBytesMax: 8 }), 'HANDSHAKE_TOO_LONG');
  t.equal(code(`A\r\n${'b'.repeat(16_384)}`), 'HANDSHAKE_TOO_LONG');
  t.equal(code('\r\n'), 'HANDSHAKE_MALFORMED');
  t.equal(code('\r\nGET /\r\n\r\n', { blankLinesMax: 1 }), 'done');
  t.equal(code('\n\r\nGET /\r\n\r\n', { blankLinesMax: 1 }), 'HANDSHAKE_MALFORMED');
  t.equal(code('A\r\nB: c\0d\r\n\r\n'), 'HANDSHAKE_MALFORMED');
  t.equal(code('A\r\nB: c\rd\r\n\r\n'), 'HANDSHAKE_MALFORMED');
});

t.test('what would forge a header is not written', async t => {
  t.throws(() => encodeHeaderBlock('A', [['B', 'c\r\nD: e']]), RangeError);
  t.throws(() => encodeHeaderBlock('A', [['B', 'c\nD: e']]), RangeError);
  t.throws(() => encodeHeaderBlock('A\n', []), RangeError);
  t.throws(() => encodeHeaderBlock('A', [['B', '\u010a']]), RangeError, 'its low byte is LF');
});

t.test('a reader that is done, or not yet, says so', async t => {
  const reader = new HeaderReader();
  t.throws(() => reader.block, RangeError);
  reader.push(Buffer.from('A\n\n'));
  t.throws(() => reader.push(Buffer.from('B')), RangeError);
});

t.test('one byte at a time costs few copies and never holds more than the limit', async t => {
  const bytes = Buffer.from(`A\r\n${'b: ccccccccccccccc\r\n'.repeat(120)}\r\n`);
  const reader = new HeaderReader({ totalBytesMax: 3000 });
  const sizes = new Set<number>();
  for (const byte of bytes.subarray(0, -1)) {
    t.equal(reader.push(Buffer.of(byte)), 'more');
    sizes.add(reader.heldBytes);
  }
  t.strictSame([...sizes], [512, 1024, 2048, 3000]);
  t.equal(reader.push(Buffer.of(10)), 'done');
  t.equal(reader.heldBytes, 0);
});

const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,20}$/);
const value = fc.stringMatching(/^[\x21-\x7e]([\x20-\x7e]{0,40}[\x21-\x7e])?$/);
const lengths = fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 30 });

t.test('encode and read are inverse for any chunking', async () => {
  fc.assert(
    fc.property(
      value,
      fc.uniqueArray(fc.tuple(token, value), { selector: ([name]) => name.toLowerCase(), maxLength: 40 }),
      fc.uint8Array(),
      lengths,
      (firstLine, fields, tail, cuts) => {
        const head = encodeHeaderBlock(firstLine, fields);
        const stream = Buffer.concat([head, tail]);
        const reader = new HeaderReader();
        let taken = 0;
        for (const chunk of cut(stream, cuts)) {
          taken += chunk.length;
          if (reader.push(chunk) === 'done') break;
        }
        const rest = Buffer.concat([reader.rest, stream.subarray(taken)]);
        return (
          reader.block.firstLine === firstLine &&
          JSON.stringify([...reader.block.headers]) === JSON.stringify(fields) &&
          rest.equals(tail)
        );
      },
    ),
  );
});

/** Bytes that are lines more often than not. */
const lineBytes = fc
  .array(
    fc.oneof(fc.constantFrom('\r\n', '\n', '\r', ': ', ' ', '\t', 'X-Try', '\0', 'GET / HTTP/1.1\r\n'), fc.string()),
    { maxLength: 60 },
  )
  .map(parts => Buffer.from(parts.join(''), 'latin1'));

t.test('any bytes in any chunks: the same verdict as whole, within the limit, and only ProtocolError', async () => {
  const limits = { totalBytesMax: 200, firstLineBytesMax: 60, linesMax: 5, blankLinesMax: 1 };
  const verdict = (chunks: Buffer[]): string => {
    const reader = new HeaderReader(limits);
    for (const chunk of chunks) {
      try {
        const state = reader.push(chunk);
        if (reader.heldBytes > limits.totalBytesMax) throw new Error('held too much');
        if (state === 'done') return JSON.stringify([reader.block.firstLine, ...reader.block.headers]);
      } catch (error) {
        if (error instanceof ProtocolError) return error.code;
        throw error;
      }
    }
    return 'more';
  };
  fc.assert(
    fc.property(
      fc.oneof(
        lineBytes,
        fc.uint8Array({ maxLength: 400 }).map(bytes => Buffer.from(bytes)),
      ),
      lengths,
      (bytes, cuts) => {
        const [whole, pieces] = [verdict([bytes]), verdict(cut(bytes, cuts))];
        return whole === pieces;
      },
    ),
    { numRuns: 500 },
  );
});
