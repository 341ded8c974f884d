import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { Type } from '../../../protocol/constants.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { ggepPayload } from '../../../protocol/wire/ggep.ts';
import {
  encodeQuery,
  parseQuery,
  type Query,
  QueryFlag,
  queryFlags,
  queryTextEnd,
  queryWith,
  URN_QUERY_TEXT,
  WHATS_NEW_GGEP,
  WHATS_NEW_TEXT,
} from '../../../protocol/wire/query.ts';
import { formatSha1Urn, formatUrn, parseUrn, type Urn } from '../../../protocol/wire/urn.ts';
import { readCaptures } from '../../support/captures.ts';
import { vectorPayload } from '../../support/vectors.ts';
import { bytes, ggepItems, hostileBytes, plain, text } from '../../support/wire-arbitraries.ts';

const plainQuery: Query = { flags: 0, maxHits: 0, text: '', urns: [], ggep: [], xml: null, malformed: 0 };
const urns: fc.Arbitrary<Urn> = fc
  .record({ sha1: fc.option(bytes(20)), tigerRoot: fc.option(bytes(24)) }, plain)
  .filter(({ sha1, tigerRoot }) => sha1 !== null || tigerRoot !== null);
const { Marked, Xml, LeafGuided, GgepH, OutOfBand } = QueryFlag;
const none = Buffer.alloc(0);

t.test('the queries of the vectors are read, and written alike', async t => {
  const vectors: Record<string, Partial<Query>> = {
    query_plain: { flags: Marked | Xml | LeafGuided | GgepH, text: 'debian netinst iso' },
    query_oob_so: {
      flags: Marked | Xml | LeafGuided | GgepH | OutOfBand,
      text: 'debian netinst iso',
      ggep: [{ id: 'SO', payload: none }],
    },
    query_sha1_huge_ggep: {
      flags: Marked | LeafGuided | GgepH,
      text: URN_QUERY_TEXT,
      urns: [parseUrn('urn:sha1:VGMT4NSHA2AWVOR6EVYXQUGCNSONBWE5')],
      ggep: [
        { id: 'M', payload: Buffer.of(48) },
        { id: 'PR', payload: none },
      ],
    },
    query_whats_new: { flags: Marked | LeafGuided, text: WHATS_NEW_TEXT, ggep: [WHATS_NEW_GGEP] },
    guess_query: {
      flags: Marked | LeafGuided,
      text: 'debian iso',
      ggep: [
        { id: 'QK', payload: Buffer.from('01020304', 'hex') },
        { id: 'SCP', payload: Buffer.of(1) },
        { id: 'Z', payload: none },
      ],
    },
  };
  for (const [name, fields] of Object.entries(vectors)) {
    const payload = vectorPayload(name, Type.Query);
    t.strictSame(parseQuery(payload), { ...plainQuery, ...fields }, name);
    t.equal(encodeQuery(fields as Query).toString('hex'), payload.toString('hex'), name);
  }
});

t.test('every captured query is read', async t => {
  const seen = { servent: 0, peer: 0, canonical: 0 };
  for (const { file, descriptors } of readCaptures()) {
    for (const { from, bytes, note } of descriptors) {
      if (bytes[16] !== Type.Query) continue;
      const payload = bytes.subarray(23);
      const query = parseQuery(payload);
      seen[from]++;
      const about = `${file}: ${note}`;
      const oneByteH = /query with GGEP H|malformed GGEP H/.test(note);
      t.equal(query.malformed, oneByteH ? 1 : 0, about);
      t.equal(
        query.flags !== 0,
        !/old style flags/.test(note) && !(file.startsWith('mldonkey') && from === 'servent'),
        about,
      );
      t.equal(query.text, payload.toString('utf8', 2, payload.indexOf(0, 2)), about);
      t.equal(query.xml, null);
      if (/urn:sha1 in|urn:sha1 with|as GGEP u|H \(0x01|by URN|and URN/.test(note))
        t.equal(query.urns.length, 1, about);
      if (/OOB/.test(note)) t.ok(query.flags & OutOfBand && ggepPayload(query.ggep, 'SO'), about);
      if (encodeQuery(query).equals(payload)) seen.canonical++;
    }
  }
  // the others end in two NULs, or lack ours
  t.strictSame(seen, { servent: 11, peer: 73, canonical: 40 });
});

t.test("gtk-gnutella's own searches are read whole and written alike", async t => {
  const leaf = readCaptures().find(({ file }) => file.endsWith('gtkg-leaf-dials-up.json'));
  const queries = (leaf?.descriptors ?? [])
    .filter(({ from, bytes }) => from === 'servent' && bytes[16] === Type.Query)
    .map(({ bytes }) => bytes.subarray(23));
  const [words, hash] = queries.map(parseQuery);
  t.equal(words?.text, 'needle haystack');
  t.equal(words?.flags, Marked | Xml | LeafGuided | GgepH | OutOfBand | QueryFlag.ReliableUdp);
  t.strictSame(hash?.urns.map(formatUrn), ['urn:sha1:PLKQGIZGSFAYIS2XQOHQNEAWXQNE7MEE']);
  for (const payload of queries) {
    // the final NUL is LimeWire's way
    t.equal(encodeQuery(parseQuery(payload)).toString('hex'), `${payload.toString('hex')}00`);
  }
});

const queries: fc.Arbitrary<Query> = fc.record(
  {
    flags: fc.nat(0x7f).map(bits => (bits << 8) | Marked),
    maxHits: fc.nat(255),
    text: text.filter(value => value !== ''),
    urns: fc.array(urns, { maxLength: 4 }),
    ggep: ggepItems,
    xml: fc.option(text.map(body => `<?xml ${body.replaceAll('\x1c', '')}`)),
    malformed: fc.constant(0),
  },
  plain,
);

t.test('what is written is read', async () => {
  fc.assert(
    fc.property(queries, query => {
      const payload = encodeQuery(query);
      assert.deepEqual(parseQuery(payload), query);
      assert.equal(queryFlags(payload), query.flags | query.maxHits);
      assert.equal(payload.toString('utf8', 2, queryTextEnd(payload)), query.text);
      // LimeWire reads extensions up to the next NUL: there is none but the last
      const last = payload.indexOf(0, queryTextEnd(payload) + 1);
      assert.ok(last === -1 || last === payload.length - 1);
    }),
  );
});

t.test('a query with a further GGEP item is otherwise as it was', async t => {
  const so = { id: 'SO', payload: none };
  const withIt = (payload: Buffer): void => {
    const more = queryWith(payload, [so]);
    const { ggep, ...rest } = parseQuery(payload);
    assert.deepEqual(parseQuery(more), { ...rest, ggep: [...ggep, so] });
    if (payload.at(-1) === 0) assert.equal(more.at(-1), 0);
  };
  let captured = 0;
  for (const { descriptors } of readCaptures())
    for (const { bytes: descriptor } of descriptors.filter(({ bytes: each }) => each[16] === Type.Query)) {
      withIt(descriptor.subarray(23));
      captured++;
    }
  t.equal(captured, 84);
  const plainText = encodeQuery({ text: 'words' });
  t.equal(queryWith(plainText, [so]).toString('hex'), `${plainText.toString('hex')}c382534f4000`);
  fc.assert(
    fc.property(queries, query => withIt(encodeQuery(query))),
    { numRuns: 50 },
  );
});

t.test('a query for nothing but hashes gets the text that LimeWire wants', async t => {
  const payload = encodeQuery({ text: '', urns: [{ sha1: Buffer.alloc(20), tigerRoot: null }] });
  t.equal(parseQuery(payload).text, '\\');
  t.equal(encodeQuery({ text: '' }).toString('hex'), '800000', 'but none without hashes');
});

t.test('flags of unmarked queries are a speed and mean nothing', async t => {
  const query = parseQuery(Buffer.from('7fff6100', 'hex'));
  t.strictSame(query, { ...plainQuery, text: 'a' });
});

t.test('hashes are taken from HUGE, bitprints, GGEP H and u alike', async t => {
  const sha1 = Buffer.alloc(20, 0xab);
  const urn = formatSha1Urn(sha1);
  const payload = Buffer.concat([
    Buffer.from(`\x80\0\\\0${urn}\x1curn:bitprint:${urn.slice(9)}.${'A'.repeat(39)}\x1c`, 'latin1'),
    encodeQuery({
      text: '',
      ggep: [
        { id: 'H', payload: Buffer.concat([Buffer.of(1), sha1]) },
        { id: 'H', payload: Buffer.concat([Buffer.of(2), sha1, Buffer.alloc(24, 1)]) },
        { id: 'u', payload: Buffer.from(urn.slice(4)) },
        { id: 'u', payload: Buffer.from('sha1:no') },
      ],
    }).subarray(3),
  ]);
  const query = parseQuery(payload);
  const bare = { sha1, tigerRoot: null };
  const bitprint = (fill: number) => ({ sha1, tigerRoot: Buffer.alloc(24, fill) });
  t.strictSame(query.urns, [bare, bitprint(0), bare, bitprint(1), bare]);
  t.equal(query.malformed, 1);
  t.strictSame(query.ggep, []);
});

t.test('the full text of a query that LimeWire cut is in GGEP XQ', async t => {
  const full = 'a text that is a good deal longer than thirty characters';
  const payload = encodeQuery({ text: full.slice(0, 30), ggep: [{ id: 'XQ', payload: Buffer.from(full) }] });
  t.strictSame(parseQuery(payload), { ...plainQuery, flags: Marked, text: full });
});

t.test('text that is no UTF-8 is read as Latin-1', async t => {
  t.equal(parseQuery(Buffer.from('8000e974e900', 'hex')).text, 'été');
  t.equal(parseQuery(Buffer.from('8000c3a974c3a900', 'hex')).text, 'été');
});

t.test('queries without text end or too short are refused', async t => {
  for (const hex of ['', '80', '8000']) t.throws(() => parseQuery(Buffer.from(hex, 'hex')), { code: 'WIRE_TRUNCATED' });
  t.throws(() => parseQuery(Buffer.from('80006162', 'hex')), { code: 'WIRE_MALFORMED' });
  t.throws(() => encodeQuery({ text: 'a\0b' }), RangeError);
});

t.test('any bytes are a query or a ProtocolError', async () => {
  fc.assert(
    fc.property(fc.oneof(bytes(0, 80), hostileBytes), fc.boolean(), (tail, framed) => {
      const payload = framed ? Buffer.concat([Buffer.from('80006100', 'hex'), tail]) : tail;
      try {
        parseQuery(payload);
      } catch (error) {
        assert.ok(!framed && error instanceof ProtocolError, String(error));
      }
    }),
    { numRuns: 3000 },
  );
});
