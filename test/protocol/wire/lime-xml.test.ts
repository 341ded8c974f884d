import fc from 'fast-check';
import t from 'tap';
import {
  type EncodedElement,
  encodeFields,
  encodeLimeXml,
  LIME_SCHEMAS,
  LIME_XML_CHARACTERS_MAX,
  parseLimeXml,
  playFactsOf,
  playFactsOfNote,
} from '../../../protocol/wire/lime-xml.ts';

const AUDIO = '<audios xsi:noNamespaceSchemaLocation="http://www.limewire.com/schemas/audio.xsd">';

t.test('a rich query and the metadata of a hit are read as LimeWire writes them', async t => {
  const [query] = parseLimeXml(
    `<?xml version="1.0"?>${AUDIO}<audio title="Blue &amp; Moon" artist="x"></audio></audios>`,
  );
  t.equal(query?.schema, 'audio');
  t.equal(query?.index, null);
  t.strictSame(
    [...(query?.fields ?? [])],
    [
      ['title', 'Blue & Moon'],
      ['artist', 'x'],
    ],
  );

  const hit =
    `<?xml version="1.0"?>${AUDIO}<audio bitrate="128" seconds="205" index="0"/><audio genre="" title="b" index="2"/></audios>` +
    '<?xml version="1.0"?><videos xsi:noNamespaceSchemaLocation="http://www.limewire.com/schemas/video.xsd">' +
    '<video title="caf&#233;" index="1"/></videos>\0';
  t.strictSame(
    parseLimeXml(hit).map(({ schema, index, fields }) => [schema, index, Object.fromEntries(fields)]),
    [
      ['audio', 0, { bitrate: '128', seconds: '205' }],
      ['audio', 2, { title: 'b' }],
      ['video', 1, { title: 'café' }],
    ],
  );
});

t.test('what is not well-formed, has a document type, or is too long gives nothing', async t => {
  const bomb = '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>';
  const texts = [
    '',
    'no xml',
    `<?xml version="1.0"?>${AUDIO}<audio title="a`,
    `<?xml version="1.0"?>${AUDIO}<audio title="a"></audios>`,
    `<?xml version="1.0"?>${AUDIO}<audio title="&unknown;"/></audios>`,
    `<?xml version="1.0"?>${bomb}${AUDIO}<audio title="&b;"/></audios>`,
    `<?xml version="1.0"?>${bomb}${AUDIO}<audio title="plain"/></audios>`,
    `<?xml version="1.0"?>${AUDIO}<audio title="${'a'.repeat(LIME_XML_CHARACTERS_MAX)}"/></audios>`,
    '<?xml version="1.0"?>'.repeat(1_000),
    '<a>'.repeat(10_000),
  ];
  for (const text of texts) t.strictSame(parseLimeXml(text), [], text.slice(0, 60));
});

t.test('other schemas, deeper elements, and too many elements or fields are left out', async t => {
  t.strictSame(parseLimeXml('<games><game title="a"/></games>'), []);
  t.strictSame(parseLimeXml('<audios><x><audio title="a"/></x></audios>'), []);
  t.equal(parseLimeXml(`<audios>${'<audio a="1"/>'.repeat(100)}</audios>`).length, 32);
  const wide = Array.from(
    { length: 26 * 2 },
    (_, i) => `a${String.fromCharCode(97 + (i % 26)).repeat(1 + (i >= 26 ? 1 : 0))}="1"`,
  );
  t.equal(parseLimeXml(`<audios><audio ${wide.join(' ')}/></audios>`)[0]?.fields.size, 32);
  t.equal(parseLimeXml(`<audios><audio title="${'ab'.repeat(1000)}"/></audios>`)[0]?.fields.get('title')?.length, 512);
});

t.test('what is encoded is parsed back alike, whatever the values', async () => {
  const value = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
    .filter(text => text.trim() === text && !/[\p{Cc}\p{Cs}]/u.test(text));
  const name = fc.stringMatching(/^[a-z]{1,8}$/).filter(text => text !== 'index');
  const element = fc.record({
    schema: fc.constantFrom(...LIME_SCHEMAS),
    index: fc.option(fc.nat(9)),
    fields: fc.array(fc.tuple(name, value), { maxLength: 5 }).map(pairs => new Map(pairs)),
  });
  fc.assert(
    fc.property(fc.array(element, { maxLength: 10 }), elements => {
      const encoded: EncodedElement[] = elements.map(({ schema, index, fields }) => ({
        ...{ schema, index },
        attributes: encodeFields(fields),
      }));
      const ordered = LIME_SCHEMAS.flatMap(schema => elements.filter(one => one.schema === schema));
      const parsed = parseLimeXml(encodeLimeXml(encoded));
      return (
        parsed.length === ordered.length &&
        parsed.every(({ schema, index, fields }, i) => {
          const wanted = ordered[i];
          return (
            wanted?.schema === schema &&
            wanted.index === index &&
            JSON.stringify([...wanted.fields]) === JSON.stringify([...fields])
          );
        })
      );
    }),
  );
});

t.test('text that could end an attribute or start an element is escaped, controls become blanks', async t => {
  const attributes = encodeFields(new Map([['title', '"/><x action="http://a" b=\'&\u0001\ud800']]));
  t.equal(attributes, ' title="&quot;/&gt;&lt;x action=&quot;http://a&quot; b=&apos;&amp;  "');
  t.equal(
    encodeLimeXml([{ schema: 'audio', index: 3, attributes: ' title="a"' }]),
    `<?xml version="1.0"?>${AUDIO}<audio title="a" index="3"/></audios>`,
  );
  t.equal(encodeLimeXml([]), '');
});

t.test('playing time and bit rate are found in the forms of LimeWire, Shareaza and old servents', async t => {
  const of = (fields: Record<string, string>) => playFactsOf(new Map(Object.entries(fields)));
  t.strictSame(of({ seconds: '205', bitrate: '128' }), { seconds: 205, kbps: 128 });
  t.strictSame(of({ length: '5400', bitrate: '160~' }), { seconds: 5400, kbps: 160 });
  t.strictSame(of({ minutes: '1.5' }), { seconds: 90, kbps: null });
  t.strictSame(of({ seconds: '-1', bitrate: 'NaN' }), { seconds: null, kbps: null });
  t.strictSame(of({ seconds: '0', bitrate: '99999999999' }), { seconds: null, kbps: null });
  t.strictSame(playFactsOfNote('192 kbps 44 kHz 3:25'), { seconds: 205, kbps: 192 });
  t.strictSame(playFactsOfNote('128Kbps'), { seconds: null, kbps: 128 });
  t.strictSame(playFactsOfNote('at 12:99 or 1:2:03'), { seconds: null, kbps: null });
});
