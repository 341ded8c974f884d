import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { DimeType, encodeDime, parseDime } from '../../../protocol/digest/dime.ts';
import { encodeThex, parseThex, THEX_BYTES_MAX } from '../../../protocol/digest/thex.ts';
import { TigerTree } from '../../../protocol/digest/tiger-tree.ts';
import { TigerTreeHasher } from '../../../protocol/digest/tiger-tree-hasher.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { base32OrNull } from '../../../protocol/wire/urn.ts';
import { pattern } from '../../support/byte-patterns.ts';
import { limewireReplies } from '../../support/captured-http.ts';
import { readFixture } from '../../support/fixtures.ts';

const vectors = readFixture<{
  dime_thex: { content: string; length: number; depth: number; uuid: string; dime_hex: string; tree_bytes_hex: string };
  dime_thex_small: { content: string; length: number; depth: number; dime_hex: string };
}>('vectors/transfer-vectors.json');

const UUID = vectors.dime_thex.uuid.replace('uuid:', '');
const treeFor = (content: string, length: number): TigerTree =>
  new TigerTreeHasher().update(pattern(content, length)).finish();
const code = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return 'taken';
};

/** A tree of four slices and its message, with one thing changed. */
const file = treeFor('pat251', 900_000);
const [xmlRecord, treeRecord] = parseDime(encodeThex(file, UUID));
if (xmlRecord === undefined || treeRecord === undefined) throw new Error('two records');
const parsed = (xml: string, nodes: Buffer, expected: { size: number; root: Uint8Array } = file): TigerTree =>
  parseThex(
    encodeDime([
      { ...xmlRecord, data: Buffer.from(xml) },
      { ...treeRecord, data: nodes },
    ]),
    expected,
  );
const xml = xmlRecord.data.toString();
const nodes = treeRecord.data;

t.test('trees are written as the published messages and read from them', async t => {
  for (const { content, length, depth, dime_hex } of [vectors.dime_thex, vectors.dime_thex_small]) {
    const tree = treeFor(content, length);
    t.equal(encodeThex(tree, UUID).toString('hex'), dime_hex);
    t.strictSame(parseThex(Buffer.from(dime_hex, 'hex'), tree), tree);
    t.equal(tree.depth, depth);
  }
});

t.test('trees that LimeWire sent are read', async t => {
  const [long, small] = limewireReplies().filter(({ label }) => label.startsWith('THEX'));
  if (long === undefined || small === undefined) throw new Error('two trees');
  const rootOf = (text: string): Buffer => base32OrNull(text) ?? Buffer.alloc(0);
  // As told by the X-Thex-URI of the same servent.
  const expected = { size: 3_146_505, root: rootOf('SM7IUNSO24YE36A5POAB7TY5I6D2X4KX2UKFO6I') };
  const { depth, sliceCount } = parseThex(long.body, expected);
  t.strictSame([depth, sliceCount], [4, 13]);
  const root = rootOf('NGZWSDVRB6OPU372CJYWFGA5XFSHO5DLOKNYUMA');
  t.strictSame(parseThex(small.body, { size: 5000, root }).leaves, root);
  t.equal(
    code(() => parseThex(small.body, { size: 5001, root })),
    'THEX_MISMATCH',
  );
});

t.test('every tree that is written is read again', async t => {
  for (const size of [0, 1, 1025, 262_143, 262_145, 1_048_577, 5_000_000]) {
    const tree = treeFor('pat251', size);
    t.strictSame(parseThex(encodeThex(tree, UUID), tree), tree, `${size} bytes`);
    const [, nodes] = parseDime(encodeThex(tree));
    t.match(nodes?.id, /^uuid:[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-8[\da-f]{3}-[\da-f]{12}$/);
  }
});

t.test('a description is read leniently', async t => {
  t.strictSame(parsed(xml.replaceAll('"', "'"), nodes), file, 'single quotes');
  t.strictSame(parsed(xml.replace('SYSTEM', 'system'), nodes), file);
  t.strictSame(parsed(xml.slice(0, xml.indexOf(' type=')), nodes), file, 'cut off behind the depth');
  t.strictSame(parsed(xml.replace('depth="2"', 'depth=2'), nodes), file, 'no quotes');
});

t.test('a tree deeper than ours is cut, and one with levels cut off or too many is used as far as it goes', async t => {
  const bytes = pattern('pat251', 900_000);
  const leaves: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 1024)
    leaves.push(new TigerTreeHasher().update(bytes.subarray(at, at + 1024)).finish().root);
  const deep = new TigerTree(bytes.length, 10, Buffer.concat(leaves));
  t.strictSame(parseThex(encodeThex(deep, UUID), file), file);
  t.equal(parsed(xml, nodes.subarray(0, 4 * 24)).depth, 1, 'the last level is not whole');
  t.equal(parsed(xml.replace('depth="2"', 'depth="1"'), nodes).depth, 1, 'one level more than announced');
  t.equal(parsed(xml.replace('depth="2"', 'depth="0"'), nodes.subarray(0, 24)).depth, 0);
});

t.test('a tree that lies is refused, and it is said how', async t => {
  const changed = (at: number): Buffer => {
    const copy = Buffer.from(nodes);
    copy[at] = 1 ^ (copy[at] ?? 0);
    return copy;
  };
  t.equal(
    code(() => parsed(xml, changed(0))),
    'THEX_MISMATCH',
    'another root',
  );
  t.equal(
    code(() => parsed(xml, changed(24))),
    'THEX_MISMATCH',
    'an inner node',
  );
  t.equal(
    code(() => parsed(xml, changed(24 * 6))),
    'THEX_MISMATCH',
    'a leaf',
  );
  t.equal(
    code(() => parsed(xml, nodes, { size: 900_001, root: file.root })),
    'THEX_MISMATCH',
    'another size',
  );
  t.equal(
    code(() => parsed(xml, nodes, { size: 900_000, root: Buffer.alloc(24) })),
    'THEX_MISMATCH',
  );
  for (const [from, to] of [
    ['segmentsize="1024"', 'segmentsize="512"'],
    ['outputsize="24"', 'outputsize="20"'],
    ['digest/tiger', 'digest/sha1'],
  ] as const)
    t.equal(
      code(() => parsed(xml.replace(from, to), nodes)),
      'THEX_MISMATCH',
      to,
    );
  for (const depth of ['11', '-1', '1e2', '999999999', 'two'])
    t.equal(
      code(() => parsed(xml.replace('depth="2"', `depth="${depth}"`), nodes)),
      'THEX_MALFORMED',
      depth,
    );
  t.equal(
    code(() => parsed('<hashtree/>', nodes)),
    'THEX_MALFORMED',
    'no description',
  );
  t.equal(
    code(() => parsed(xml, nodes.subarray(0, 23))),
    'THEX_MALFORMED',
    'not a whole node',
  );
  t.equal(
    code(() => parsed(xml, Buffer.alloc(0))),
    'THEX_MALFORMED',
    'no nodes',
  );
  t.equal(
    code(() => parsed(xml + ' '.repeat(5000), nodes)),
    'THEX_TOO_LONG',
  );
  t.equal(
    code(() => parseThex(Buffer.alloc(THEX_BYTES_MAX + 1), file)),
    'THEX_TOO_LONG',
  );
  t.equal(
    code(() => parseThex(encodeDime([xmlRecord]), file)),
    'THEX_MALFORMED',
    'no tree',
  );
});

t.test('broken DIME is refused', async t => {
  const message = encodeThex(file, UUID);
  const withByte = (at: number, value: number): Buffer => {
    const copy = Buffer.from(message);
    copy[at] = value;
    return copy;
  };
  const second = message.indexOf(Buffer.from('0a20', 'hex'));
  for (const [what, bytes] of [
    ['nothing', Buffer.alloc(0)],
    ['another version', withByte(0, 0x14)],
    ['no mark of the first', withByte(0, 0x08)],
    ['chunks', withByte(0, 0x0d)],
    ['two first ones', withByte(second, 0x0e)],
    ['no last one', withByte(second, 0x08)],
    ['more data than there is', withByte(8, 0xff)],
    ['cut off', message.subarray(0, -1)],
    ['something behind', Buffer.concat([message, Buffer.alloc(4)])],
    ['too many records', encodeDime(Array.from({ length: 9 }, () => xmlRecord))],
  ] as const)
    t.equal(
      code(() => parseDime(bytes)),
      'DIME_MALFORMED',
      what,
    );
});

t.test('records of any contents come back', async t => {
  const record = fc.record(
    {
      typeFormat: fc.constantFrom(...Object.values(DimeType)),
      type: fc.string({ unit: 'binary-ascii', maxLength: 50 }),
      id: fc.string({ unit: 'binary-ascii', maxLength: 50 }),
      data: fc.uint8Array({ maxLength: 100 }).map(bytes => Buffer.from(bytes)),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 8 }), records =>
      isDeepStrictEqual(parseDime(encodeDime(records)), records),
    ),
  );
  t.pass('they do');
});

t.test('no bytes do more than a ProtocolError', async t => {
  const message = encodeThex(file, UUID);
  const spoilt = fc.array(fc.tuple(fc.nat(message.length - 1), fc.nat(255)), { maxLength: 10 }).chain(changes => {
    const copy = Buffer.from(message);
    for (const [at, value] of changes) copy[at] = value;
    return fc.nat(copy.length).map(end => copy.subarray(0, end % 3 === 0 ? end : copy.length));
  });
  const anything = fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes));
  const description = fc
    .string({ maxLength: 200 })
    .map(text => encodeDime([{ ...xmlRecord, data: Buffer.from(xml.slice(0, 250) + text) }, treeRecord]));
  fc.assert(fc.property(fc.oneof(spoilt, anything, description), bytes => void code(() => parseThex(bytes, file))));
  t.pass('none did');
});
