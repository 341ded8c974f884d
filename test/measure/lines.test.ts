import fc from 'fast-check';
import t from 'tap';
import { Lines } from '../../measure/lines.ts';
import { Kind, ObservationBuffer, observationsIn } from '../../measure/observation.ts';
import { tableNames } from '../../measure/tables.ts';
import { Type } from '../../protocol/constants.ts';
import { encodeDescriptor } from '../../protocol/wire/header.ts';
import { encodeQuery } from '../../protocol/wire/query.ts';

const servent = 'ab'.repeat(16);
const lines = new Lines({ servent, run: '01234567', hash: null });
const GUID = Buffer.from('00112233445566778899aabbccddeeff', 'hex');

function packed(kind: Kind, bytes: Buffer, extra = 0): Buffer {
  const buffer = new ObservationBuffer(100_000);
  buffer.add(kind, 7, 1_700_000_000_123, 5, extra, bytes, 0, bytes.length);
  return buffer.take().bytes;
}

const rowsOf = (bytes: Buffer): unknown[] =>
  [...observationsIn(bytes)].map(one => {
    const line = lines.of(one);
    return line === null ? null : JSON.parse(line.text);
  });

t.test('a query becomes a row', async t => {
  const query = encodeDescriptor(GUID, Type.Query, 4, 2, encodeQuery({ text: 'Blue Moon, blue!' }));
  t.strictSame(rowsOf(packed(Kind.Query, query, 3)), [
    {
      ...{ servent, run: '01234567', seq: 7, at_ms: 1_700_000_000_123, link: 5 },
      guid: '00112233445566778899aabbccddeeff',
      ...{ ttl: 4, hops: 2, bytes: query.length - 23, own_hits: 3, urns: 0 },
      ...{ text: 'Blue Moon, blue!', words: 'blue moon blue' },
    },
  ]);
});

t.test('any descriptor makes one line or none', async () => {
  fc.assert(
    fc.property(
      fc.constantFrom(Kind.Query, Kind.Hit, Kind.Pong),
      fc.uint8Array({ maxLength: 300 }),
      (kind, payload) => {
        const frame = encodeDescriptor(GUID, Type.Query, 1, 1, Buffer.from(payload));
        for (const one of observationsIn(packed(kind, frame))) {
          const line = lines.of(one);
          if (line === null) continue;
          if (!line.text.endsWith('\n') || line.text.indexOf('\n') !== line.text.length - 1) return false;
          if (JSON.parse(line.text).seq !== 7) return false;
        }
        return true;
      },
    ),
    { seed: 1, numRuns: 500 },
  );
});

t.test('a text of any bytes is the same in the row', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), text => {
      fc.pre(!text.includes('\0') && text.length > 0);
      const query = encodeDescriptor(GUID, Type.Query, 1, 1, encodeQuery({ text }));
      const [row] = rowsOf(packed(Kind.Query, query)) as { text: string }[];
      return row?.text === text;
    }),
    { seed: 2, numRuns: 500 },
  );
});

t.test('a row of a table keeps its values; a full buffer says so', async t => {
  const json = Buffer.from(JSON.stringify({ role: 'leaf', why: 'a "reason"' }));
  t.match(rowsOf(packed(Kind.Row, json, tableNames.indexOf('roles'))), [{ seq: 7, role: 'leaf', why: 'a "reason"' }]);
  t.strictSame(rowsOf(packed(Kind.Row, json, 99)), [null], 'no such table');
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
    t.equal([...observationsIn(bytes)].length, times);
  }
});

t.test('words are hashed where that is asked for', async t => {
  const hashing = new Lines({ servent, run: '01234567', hash: word => `h${word.length}` });
  const query = encodeDescriptor(GUID, Type.Query, 1, 1, encodeQuery({ text: 'private word' }));
  const [one] = observationsIn(packed(Kind.Query, query));
  const line = one === undefined ? null : hashing.of(one);
  t.match(JSON.parse(line?.text ?? '{}'), { text: 'h7 h4', words: 'h7 h4' });
});
