import fc from 'fast-check';
import t from 'tap';
import { mediaRecord, packMedia, unpackMedia } from '../../../protocol/search/media-record.ts';
import { HIT_XML_BYTES_MAX, MediaShelf } from '../../../protocol/search/media-shelf.ts';
import { LIME_SCHEMAS, parseLimeXml } from '../../../protocol/wire/lime-xml.ts';

function shelfOf(...songs: Record<string, unknown>[]): MediaShelf {
  const shelf = new MediaShelf();
  for (const [i, fields] of songs.entries()) {
    const record = mediaRecord('audio', fields);
    if (record !== null) shelf.set(i + 1, record);
  }
  return shelf;
}
const query = (fields: string, schema = 'audio'): string => `<${schema}s><${schema} ${fields}/></${schema}s>`;

t.test('a query with metadata matches as in LimeWire', async t => {
  const shelf = shelfOf(
    { title: 'Blue Moon', artist: 'The Band', year: 1961, bitrate: 128 },
    { title: 'Blue Sky', artist: 'Others', bitrate: 128 },
  );
  t.strictSame(shelf.match(query('title="blue"'), 10), [1, 2]);
  t.strictSame(shelf.match(query('title="blue"'), 1), [1]);
  t.strictSame(shelf.match(query('title="blue" artist="band"'), 10), [1]);
  t.strictSame(
    shelf.match(query('title="blue" year="1961"'), 10),
    [1, 2],
    'a field that the file lacks does not exclude it',
  );
  t.strictSame(shelf.match(query('title="blue" year="1962"'), 10), [2]);
  t.strictSame(shelf.match(query('bitrate="128"'), 10), [], 'the bit rate alone is no match');
  t.strictSame(shelf.match(query('title="blue"', 'video'), 10), [], 'another schema');
  t.strictSame(shelf.match('not xml', 10), []);
  shelf.delete(1);
  t.strictSame(shelf.match(query('title="blue"'), 10), [2]);
  t.equal(shelf.files, 1);
});

t.test('the XML of a hit names each record by its position, and is bounded', async t => {
  const shelf = shelfOf({ title: 'a & b' }, {}, { title: 'c' });
  const files = [{ index: 3 }, { index: 2 }, { index: 1 }];
  t.strictSame(
    parseLimeXml(shelf.xmlOf(files) ?? '').map(({ index, fields }) => [index, fields.get('title')]),
    [
      [0, 'c'],
      [2, 'a & b'],
    ],
  );
  t.equal(shelf.xmlOf([{ index: 2 }]), null);
  const long = shelfOf(...Array.from({ length: 50 }, () => ({ title: 'é'.repeat(120), artist: 'é'.repeat(120) })));
  const xml = long.xmlOf(Array.from({ length: 50 }, (_, i) => ({ index: i + 1 }))) ?? '';
  t.ok(Buffer.byteLength(xml) <= HIT_XML_BYTES_MAX + 200 && parseLimeXml(xml).length > 5);
});

t.test('words of the metadata and the schema whole go into the QRP table', async t => {
  t.strictSame([...shelfOf({ title: 'Blue', year: 1961 }).words()].sort(), [
    'blue',
    'http://www.limewire.com/schemas/audio.xsd',
  ]);
  t.strictSame([...shelfOf().words()], []);
});

t.test('a record keeps what fits: values are cleaned and cut, odd ones left out', async t => {
  t.equal(mediaRecord('audio', { title: ' \u0000 ', year: Number.NaN, track: -1, artist: null }), null);
  const record = mediaRecord('audio', {
    title: 'x'.repeat(1000),
    artist: `a\u202e\nb`,
    seconds: 1.6,
    album: '&'.repeat(120),
    genre: 'g',
  });
  t.strictSame(record?.fields, { title: 'x'.repeat(120), artist: 'a b', seconds: '2', genre: 'g' });
  t.ok(record !== null && Buffer.byteLength(packMedia(record)) <= 481);
});

t.test('a packed record is unpacked to the same fields, whatever their names and values', async t => {
  const name = fc.oneof(fc.constantFrom('title', 'artist', 'seconds', 'comments'), fc.stringMatching(/^[a-z]{1,16}$/));
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.constantFrom('a=b', '<"&\u0001', 'é'),
    fc.nat(),
  );
  fc.assert(
    fc.property(fc.constantFrom(...LIME_SCHEMAS), fc.dictionary(name, value, { maxKeys: 6 }), (schema, given) => {
      const record = mediaRecord(schema, given);
      if (record === null) return;
      const unpacked = unpackMedia(Buffer.from(packMedia(record)).toString());
      t.equal(unpacked?.schema, schema);
      t.strictSame(Object.fromEntries(unpacked?.fields ?? []), { ...record.fields });
    }),
  );
  t.equal(unpackMedia(''), null);
  t.equal(unpackMedia('9'), null);
  t.equal(unpackMedia('0\u001fno-end\u001f=x')?.fields.size, 0, 'a record of nobody');
});
