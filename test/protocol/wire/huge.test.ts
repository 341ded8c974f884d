import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { encodeGgep } from '../../../protocol/wire/ggep.ts';
import { EXTENSIONS_MAX, encodeExtensions, parseExtensions } from '../../../protocol/wire/huge.ts';
import { formatUrn } from '../../../protocol/wire/urn.ts';
import { bytes, ggepItems, hostileBytes } from '../../support/wire-arbitraries.ts';

const sha1Urn = 'urn:sha1:PLSTHIPQGSSZTS5FJUPAKUZWUGYQYPFB';
const bitprint = `urn:bitprint:${'A'.repeat(32)}.${'A'.repeat(39)}`;
const so = Buffer.from('c382534f40', 'hex');

function parse(...parts: (string | Buffer)[]) {
  const area = Buffer.concat(parts.map(part => Buffer.from(part as string)));
  return parseExtensions(area, 0, area.length);
}

t.test('what is written is read, by offset, wherever it starts', async () => {
  const xml = fc.option(fc.string({ unit: fc.constantFrom(...'aé\u00c3<>/= ') }).map(body => `<?xml ${body}`));
  const urns = fc.array(
    fc.oneof(
      bytes(20).map(sha1 => ({ sha1, tigerRoot: null })),
      fc.tuple(bytes(20), bytes(24)).map(([sha1, tigerRoot]) => ({ sha1, tigerRoot })),
    ),
    { maxLength: 4 },
  );
  fc.assert(
    fc.property(urns, ggepItems, xml, bytes(0, 9), fc.boolean(), (urns, ggep, xml, before, endsAtNul) => {
      const area = encodeExtensions(urns, ggep, xml);
      assert.ok(!area.includes(0));
      const whole = Buffer.concat([before, area, Buffer.alloc(1), before]);
      const end = before.length + area.length + (endsAtNul ? 1 : 0);
      const found = parseExtensions(whole, before.length, endsAtNul ? whole.length : end, endsAtNul);
      const blockEnd = before.length + area.length; // GGEP comes last
      const blockStart = blockEnd - encodeGgep(ggep, { cobs: true }).length;
      const ggepBlocks = ggep.length === 0 ? [] : [{ start: blockStart, end: blockEnd }];
      assert.deepEqual(found, { urns, ggep, ggepBlocks, xml, unknown: 0, note: null, malformed: 0, end });
    }),
  );
});

t.test('fields come in any order, with runs of separators and NULs between them', async t => {
  const found = parse(
    '\x1c',
    so,
    '\x1c\x1c',
    sha1Urn,
    '\0',
    so,
    sha1Urn.toUpperCase(),
    '\x1c<audios/>\x1c',
    bitprint,
    '\0',
  );
  t.strictSame(found.urns.map(formatUrn), [sha1Urn, sha1Urn, bitprint]);
  t.strictSame(
    found.ggep.map(item => item.id),
    ['SO', 'SO'],
  );
  t.equal(found.xml, '<audios/>');
  t.equal(found.unknown + found.malformed, 0);
});

t.test('a C3 inside a field is no GGEP: it is the first byte of é', async t => {
  const found = parse('<?xml version="1.0"?><audio title="é\xc3\x82SO@"/>\x1c', so);
  t.equal(found.xml, '<?xml version="1.0"?><audio title="é\xc3\x82SO@"/>');
  t.equal(found.ggep.length, 1);
  const old = parse('128 kbps é', so, '\x1c', sha1Urn);
  t.equal(old.ggep.length, 0);
  t.equal(old.unknown, 1);
  t.equal(old.urns.length, 1);
});

t.test('separators and NULs inside a GGEP payload belong to it', async t => {
  const found = parse(Buffer.from('c382534f451c001cc300', 'hex'), '\x1c', sha1Urn);
  t.equal(found.ggep[0]?.payload.toString('hex'), '1c001cc300');
  t.equal(found.urns.length, 1);
});

t.test('a text that starts with é is passed over and counted', async t => {
  const found = parse('école\x1c', sha1Urn);
  t.equal(found.malformed, 1);
  t.equal(found.urns.length, 1);
  t.equal(found.ggep.length, 0);
});

t.test('bare prefixes ask for URNs and are no fault, broken URNs are', async t => {
  t.equal(parse('urn:\x1curn:sha1:').malformed, 0);
  t.equal(parse('urn:\x1curn:sha1:').unknown, 0);
  t.equal(parse('urn:sha1:TOOSHORT\x1curn:bitprint:X\x1curn:tree:tiger:').malformed, 3);
  t.equal(parse('urn:md5:X\x1c192 kbps').unknown, 2);
});

t.test('the area of a hit record ends at its NUL, or has no end', async t => {
  const area = Buffer.from(`${sha1Urn}\0next record\0`);
  t.equal(parseExtensions(area, 0, area.length, true).end, sha1Urn.length + 1);
  t.equal(parseExtensions(area, 0, sha1Urn.length, true).end, -1);
  t.equal(parseExtensions(Buffer.alloc(3), 1, 3, true).end, 2, 'an empty one');
});

t.test('fields beyond the bound are skipped to the end of the area', async t => {
  const area = Buffer.from(`${`${sha1Urn}\x1c`.repeat(EXTENSIONS_MAX + 5)}\0tail`);
  const found = parseExtensions(area, 0, area.length, true);
  t.equal(found.urns.length, EXTENSIONS_MAX);
  t.equal(found.unknown, 5);
  t.equal(found.end, area.length - 4);
});

t.test('any bytes are read without an exception', async () => {
  fc.assert(
    fc.property(fc.oneof(bytes(0, 80), hostileBytes), fc.boolean(), (area, endsAtNul) => {
      const found = parseExtensions(area, 0, area.length, endsAtNul);
      assert.ok(found.end <= area.length);
      assert.ok(found.urns.length + found.unknown + found.malformed <= area.length);
    }),
    { numRuns: 3000 },
  );
});
