import fc from 'fast-check';
import t from 'tap';
import { ProtocolError } from '../../../protocol/errors.ts';
import { METALINK_CHARACTERS_MAX, type MetalinkFile, parseMetalink } from '../../../protocol/wire/metalink.ts';
import { formatBase32 } from '../../../protocol/wire/urn.ts';

const B = 'PLSTHIPQGSSZTS5FJUPAKUZWUGYQYPFB';
const TIGER = 'L66Q4YVNAFWVS23X2HJIRA5ZJ7WXR3F26RSASFA';
const HEX = '80ad56d7fb0fb1e9a5d53cd3a4dc2a45d2e1d2a8';
const V4 = 'xmlns="urn:ietf:params:xml:ns:metalink"';

const told = ({ sha1, tigerRoot, ...plain }: MetalinkFile) => ({
  ...plain,
  sha1: sha1 === null ? null : formatBase32(sha1),
  tigerRoot: tigerRoot === null ? null : formatBase32(tigerRoot),
});
const file = (inner: string, name = 'a') => `<metalink ${V4}><file name="${name}">${inner}</file></metalink>`;

t.test('a description of version 4 is read', async t => {
  const [first, second, ...more] = parseMetalink(`\ufeff<?xml version="1.0" encoding="UTF-8"?>
<metalink ${V4}>
  <published>2009-05-15T12:23:23Z</published>
  <file name="a &amp; b.ogg">
    <size>14471447</size>
    <identity>A song</identity>
    <hash type="sha-256">f0ad929cd259957e160ea442eb80986b5f01</hash>
    <hash type="SHA-1"> ${B} </hash>
    <hash type="tth">${TIGER}</hash>
    <pieces length="1048576" type="sha-1"><hash>${HEX}</hash></pieces>
    <url location="de" priority="2">ftp://ftp.example.com/b.ogg</url>
    <url>http://192.0.2.4/last</url>
    <url location="fr" priority="1"><![CDATA[http://192.0.2.3/b.ogg?a&b]]></url>
    <metaurl mediatype="torrent" priority="1">http://example.com/b.torrent</metaurl>
    <x:url xmlns:x="urn:x">http://192.0.2.9/of-another-namespace</x:url>
  </file>
  <file name="c"><hash type="sha-1">${HEX}</hash></file>
</metalink>`).map(told);
  t.strictSame(first, {
    name: 'a & b.ogg',
    size: 14471447,
    urls: ['http://192.0.2.3/b.ogg?a&b', 'ftp://ftp.example.com/b.ogg', 'http://192.0.2.4/last'],
    urlsLeftOut: 1,
    strangeHashes: ['sha-256'],
    sha1: B,
    tigerRoot: TIGER,
  });
  t.match(second, { name: 'c', size: null, sha1: formatBase32(Buffer.from(HEX, 'hex')), tigerRoot: null, urls: [] });
  t.equal(more.length, 0);
});

t.test('a description of version 3 is read, its preferences the other way round', async t => {
  const [only] = parseMetalink(`<?xml version="1.0"?>
<metalink version="3.0" xmlns="http://www.metalinker.org/" type="dynamic"><files>
  <file name="a.iso">
    <size>5</size>
    <verification>
      <hash type="md5">01234567890123456789012345678901</hash><hash type="sha1">${HEX}</hash>
      <pieces length="262144" type="sha1"><hash piece="0">${'0'.repeat(40)}</hash></pieces>
    </verification>
    <resources maxconnections="3">
      <url type="http" location="uk" preference="90">http://192.0.2.1/a</url>
      <url type="http">http://192.0.2.2/a</url>
      <url type="http" preference="100">http://192.0.2.3/a</url>
    </resources>
  </file>
</files></metalink>`).map(told);
  t.match(only, { name: 'a.iso', size: 5, sha1: formatBase32(Buffer.from(HEX, 'hex')), strangeHashes: ['md5'] });
  t.strictSame(only?.urls, ['http://192.0.2.3/a', 'http://192.0.2.1/a', 'http://192.0.2.2/a']);
});

t.test('what is no description is refused with the line', async t => {
  const refused = (text: string, message: RegExp) =>
    t.throws(() => parseMetalink(text), { code: 'METALINK_MALFORMED', message }, text.slice(0, 80));
  refused('', /document must contain a root element/);
  refused('<html/>', /^line 1: expected a Metalink description/);
  refused('<metalink/>', /^line 1: expected a Metalink description/);
  refused('<metalink xmlns="__proto__"/>', /^line 1: expected/);
  refused(`<metalink ${V4}/>`, /names no file/);
  refused(`<metalink ${V4}>\n<file name="a">\n</metalink>`, /^line 3: unexpected close tag/);
  refused(`<metalink ${V4}>\n<file name="a">`, /^line 2: unclosed tag/);
  refused(`<metalink ${V4}>\n<file/></metalink>`, /^line 2: expected the name of the file/);
  refused(`<!DOCTYPE metalink [<!ENTITY a "b">]>\n${file('')}`, /^line 1: a document type is not taken/);
  refused(file('\n<size>&a;</size>'), /^line 2: undefined entity/);
  refused(file('<a>'.repeat(20) + '</a>'.repeat(20)), /at most 16 deep/);
  refused(`<metalink ${V4}>${'<file name="a"/>'.repeat(1001)}</metalink>`, /at most 1000 files/);
  refused(`${' '.repeat(METALINK_CHARACTERS_MAX)}${file('')}`, /at most 1048576 characters/);
});

t.test('what is said too much or wrongly of a file is left out', async t => {
  const urls = Array.from({ length: 70 }, (_, i) => `<url>http://192.0.2.1/${i}</url>`).join('');
  const [many] = parseMetalink(file(urls));
  t.equal(many?.urls.length, 64);
  t.equal(many?.urlsLeftOut, 6);
  const wrong = `<size>-1</size><size>9999999999999999</size><hash type="sha-1">x</hash><url>${'x'.repeat(5000)}</url>`;
  t.match(parseMetalink(file(wrong)), [{ size: null, sha1: null, urls: [] }]);
  const kinds = Array.from({ length: 20 }, (_, i) => `<hash type="h${i}">0</hash>`).join('');
  t.equal(parseMetalink(file(kinds))[0]?.strangeHashes.length, 8);
});

t.test('any text is a description or METALINK_MALFORMED', async () => {
  const parts = [
    '<',
    '>',
    '</',
    '/>',
    'metalink ',
    V4,
    'file name="a"',
    'size',
    'url',
    '&',
    ';',
    '\n',
    '"',
    '<![CDATA[',
    ']]>',
  ];
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...parts), fc.string({ maxLength: 3 })), { maxLength: 20 }),
      words => {
        for (const text of [words.join(''), file(words.join(''))]) {
          try {
            parseMetalink(text);
          } catch (error) {
            if (!(error instanceof ProtocolError) || error.code !== 'METALINK_MALFORMED') throw error;
          }
        }
      },
    ),
    { numRuns: 1000 },
  );
});
