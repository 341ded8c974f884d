import fc from 'fast-check';
import t from 'tap';
import { blockRows, blockSlices } from '../../measure/block-slices.ts';
import { eachObservation, Kind, ObservationBuffer } from '../../measure/observation.ts';
import { ObservedRows } from '../../measure/observed-rows.ts';
import { tableNames } from '../../measure/tables.ts';
import { Type } from '../../protocol/constants.ts';
import { everyWord } from '../../protocol/search/tokenizer.ts';
import { encodeDescriptor } from '../../protocol/wire/header.ts';
import { encodeQuery } from '../../protocol/wire/query.ts';

const author = { servent: 'ab'.repeat(16), run: '01234567' };
const observed = new ObservedRows(null);
const GUID = Buffer.from('00112233445566778899aabbccddeeff', 'hex');

function packed(kind: Kind, bytes: Buffer, extra = 0): Buffer {
  const buffer = new ObservationBuffer(100_000);
  buffer.add(kind, 7, 1_700_000_000_123, 5, extra, bytes, 0, bytes.length);
  return buffer.take().bytes;
}

function rowsOf(bytes: Buffer, into = observed): Record<string, string | number>[] {
  eachObservation(bytes, into.add);
  return [...into.blocks].flatMap(([table, block]) => {
    const { rows } = block;
    const bytes = Buffer.alloc(block.size);
    block.writeTo(bytes, 0);
    block.clear();
    const slices = blockSlices(table, rows, bytes);
    if (slices === null) throw new Error('no block');
    return blockRows({ ...author, table, rows, slices });
  });
}

const queryRow = (text: string) =>
  rowsOf(packed(Kind.Query, encodeDescriptor(GUID, Type.Query, 1, 1, encodeQuery({ text }))))[0];

t.test('a query becomes a row', async t => {
  const query = encodeDescriptor(GUID, Type.Query, 4, 2, encodeQuery({ text: 'Blue Moon, blue!' }));
  t.strictSame(rowsOf(packed(Kind.Query, query, 3)), [
    {
      ...{ ...author, seq: 7, at_ms: 1_700_000_000_123, link: 5 },
      guid: '00112233445566778899aabbccddeeff',
      ...{ ttl: 4, hops: 2, bytes: query.length - 23, own_hits: 3, urns: 0 },
      ...{ text: 'Blue Moon, blue!', words: 'blue moon blue' },
    },
  ]);
});

t.test('any descriptor makes one row or none', async () => {
  fc.assert(
    fc.property(
      fc.constantFrom(Kind.Query, Kind.Hit, Kind.Pong),
      fc.uint8Array({ maxLength: 300 }),
      (kind, payload) => {
        const frame = encodeDescriptor(GUID, Type.Query, 1, 1, Buffer.from(payload));
        const rows = rowsOf(packed(kind, frame));
        return (rows.length === 1 || (rows.length === 0 && kind === Kind.Pong)) && rows.every(({ seq }) => seq === 7);
      },
    ),
    { seed: 1, numRuns: 500 },
  );
});

t.test('a text of any bytes is the same in the row, with the words that the tokenizer finds', async () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.string({ unit: 'binary-ascii', maxLength: 60 }),
    fc.string({ unit: fc.constantFrom('a', 'Z', '9', ' ', '-', "'", '\x1f', '\x7f'), maxLength: 40 }),
    fc.string({ unit: 'grapheme-ascii', minLength: 1000, maxLength: 1100 }),
  );
  fc.assert(
    fc.property(texts, text => {
      fc.pre(!text.includes('\0') && text.length > 0);
      const row = queryRow(text);
      return row?.['text'] === text && row['words'] === everyWord(text).join(' ');
    }),
    { seed: 2, numRuns: 2000 },
  );
});

t.test('what follows the text of a query is looked at', async t => {
  const row = (tail: string) => {
    const payload = Buffer.concat([Buffer.from([0x80, 0]), Buffer.from(tail, 'latin1')]);
    return rowsOf(packed(Kind.Query, encodeDescriptor(GUID, Type.Query, 1, 1, payload)))[0];
  };
  const urn = 'urn:sha1:ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  t.match(row(`blue Moon\0${urn}\0`), { text: 'blue Moon', words: 'blue moon', urns: 1 });
  t.match(row(`\\\0${urn}\0`), { text: '', words: '', urns: 1 });
  t.match(row('blue'), { text: '', words: '', urns: 0 }, 'a text without end');
  t.match(row(''), { text: '', urns: 0 });
  for (const tail of ['blue\0', 'blue\0\0', 'blue\0\0\0']) t.match(row(tail), { text: 'blue', urns: 0 });
});

t.test('a row of a table keeps its values; a full buffer says so', async t => {
  const json = Buffer.from(JSON.stringify({ role: 'leaf', why: 'a "reason"' }));
  t.match(rowsOf(packed(Kind.Row, json, tableNames.indexOf('roles'))), [{ seq: 7, role: 'leaf', why: 'a "reason"' }]);
  t.strictSame(rowsOf(packed(Kind.Row, json, 99)), [], 'no such table');
  const small = new ObservationBuffer(64);
  t.ok(small.add(Kind.Row, 1, 1, 0, 0, json, 0, 30));
  t.notOk(small.add(Kind.Row, 2, 1, 0, 0, json, 0, 30));
  t.equal(small.take().count, 1);
  t.ok(small.add(Kind.Row, 2, 1, 0, 0, json, 0, 30), 'it is empty again');
  const large = new ObservationBuffer(1000);
  for (const times of [1, 10]) {
    for (let n = 0; n < times; n++) large.add(Kind.Row, n, 1, 0, tableNames.indexOf('roles'), json, 0, json.length);
    const { bytes } = large.take();
    t.ok(bytes.buffer.byteLength <= 2 * bytes.length, 'what is handed over takes no more than twice its room');
    t.equal(rowsOf(bytes).length, times);
  }
});

t.test('words are hashed where that is asked for', async t => {
  const hashing = new ObservedRows(word => `h${word.length}`);
  const query = encodeDescriptor(GUID, Type.Query, 1, 1, encodeQuery({ text: 'private word' }));
  t.match(rowsOf(packed(Kind.Query, query), hashing), [{ text: 'h7 h4', words: 'h7 h4' }]);
});
