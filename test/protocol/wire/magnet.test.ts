import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { formatMagnet, type Magnet, parseMagnet, strangeHashesIn } from '../../../protocol/wire/magnet.ts';
import { isMagnet, linkIn } from '../../../protocol/wire/pasted-link.ts';
import { base32OrNull, formatBase32, urnOrNull } from '../../../protocol/wire/urn.ts';
import { readFixture } from '../../support/fixtures.ts';
import { bytes, plain } from '../../support/wire-arbitraries.ts';

interface Expected {
  sha1?: string;
  tth?: string;
  dn?: string;
  xl?: number;
  kt?: string[];
  sources?: string[];
}
interface Vector {
  in?: string;
  format?: Expected;
  out: string | Expected | null;
}

const nothing: Magnet = { name: null, size: null, sha1: null, tigerRoot: null, sources: [], keywords: [] };

t.test('magnets read as the vectors say', async t => {
  for (const vector of readFixture<{ magnet: Vector[] }>('vectors/transfer-vectors.json').magnet) {
    const { in: text, format, out } = vector;
    if (format !== undefined) {
      const sha1 = base32OrNull(format.sha1 ?? '');
      const tigerRoot = base32OrNull(format.tth ?? '');
      t.equal(formatMagnet({ ...nothing, name: format.dn ?? null, size: format.xl ?? null, sha1, tigerRoot }), out);
    } else if (out === null) {
      t.throws(() => parseMagnet(text ?? ''), { code: 'MAGNET_MALFORMED' }, text ?? '');
    } else if (typeof out === 'object') {
      const magnet = parseMagnet(text ?? '');
      t.equal(magnet.sha1 && formatBase32(magnet.sha1), out.sha1 ?? null, `sha1 of ${text}`);
      t.equal(magnet.tigerRoot && formatBase32(magnet.tigerRoot), out.tth ?? null, `tth of ${text}`);
      t.equal(magnet.name, out.dn ?? null, `dn of ${text}`);
      t.equal(magnet.size, out.xl ?? null, `xl of ${text}`);
      t.strictSame(magnet.keywords, out.kt ?? [], `kt of ${text}`);
      t.strictSame(magnet.sources, out.sources ?? [], `sources of ${text}`);
    }
  }
});

t.test('text and value of a magnet are the same thing', async () => {
  const words = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(
      fc.record(
        {
          name: fc.option(words),
          size: fc.option(fc.maxSafeNat()),
          sha1: bytes(20),
          tigerRoot: fc.option(bytes(24)),
          sources: fc.array(fc.webUrl({ withQueryParameters: true })),
          keywords: fc.array(words),
        },
        plain,
      ),
      magnet => {
        assert.deepEqual(parseMagnet(formatMagnet(magnet)), magnet);
      },
    ),
  );
});

t.test('a percent sign that starts no octet stays, octets that are no UTF-8 are Latin-1', async t => {
  t.equal(parseMagnet('magnet:?dn=100%').name, '100%');
  t.equal(parseMagnet('magnet:?dn=%zz%4').name, '%zz%4');
  t.equal(parseMagnet('magnet:?dn=r%E9sum%E9').name, 'résumé');
  t.equal(parseMagnet('magnet:?dn=r%C3%A9sum%c3%a9').name, 'résumé');
});

t.test('sizes that are none are left out', async t => {
  for (const xl of ['-1', '1.5', '1e3', '', '99999999999999999999', '9999999999999999']) {
    t.equal(parseMagnet(`magnet:?xl=${xl}&dn=x`).size, null, xl);
  }
  t.equal(parseMagnet(`magnet:?xl=${5 * 2 ** 30}`).size, 5368709120);
});

t.test('any text is a magnet or MAGNET_MALFORMED, and bounded', async t => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'xtsdnal.=&%+:?urnsh1E9/ ') }), text => {
      parseMagnet(`magnet:?${text}&`);
    }),
    { numRuns: 2000 },
  );
  t.throws(() => parseMagnet(`magnet:?dn=${'x'.repeat(20_000)}`), { code: 'MAGNET_MALFORMED' });
  t.equal(parseMagnet(`magnet:?${'xs=a&'.repeat(1000)}`).sources.length, 100);
});

const B = 'PLSTHIPQGSSZTS5FJUPAKUZWUGYQYPFB';
const TIGER = 'L66Q4YVNAFWVS23X2HJIRA5ZJ7WXR3F26RSASFA';
const hexOf = (text: string): string => base32OrNull(text)?.toString('hex') ?? '';

t.test('a magnet link is read as people paste it', async t => {
  const link = `magnet:?xt=urn:sha1:${B}&dn=a%20b.ogg`;
  for (const pasted of [
    `magnet:?xt=urn:sha1:${B}&dn=a+b.ogg`,
    `magnet:?xt=urn:sha1:${B}&dn=a b.ogg`,
    `magnet:?dn=a b.ogg&xt=urn:sha1:${B}`,
    `MAGNET:?XT=URN:SHA1:${B}&DN=a%20b.ogg`,
    `Magnet:?xt=urn:sha1:${B.toLowerCase()}&dn=a%20b.ogg`,
    `magnet:?xt.1=urn:sha1:${B}&xt.2=urn:md5:0&dn.1=a%20b.ogg`,
    `magnet:?xt=urn:btih:1234&xt=urn:tree:tiger:${TIGER}&xt=urn:sha1:${B}&dn=a%20b.ogg`,
    `magnet:?xt=urn:sha1:${hexOf(B)}&dn=a%20b.ogg`,
    `magnet:?xt=urn:sha1:${hexOf(B).toUpperCase()}&dn=a%20b.ogg`,
    `magnet:?xt=urn:bitprint:${B}.${TIGER}&dn=a%20b.ogg`,
    `magnet:?xt=urn:bitprint:${hexOf(B)}.${TIGER.toLowerCase()}&dn=a%20b.ogg`,
    `magnet:?xt=urn:bitprint:${B}.${hexOf(TIGER)}&dn=a%20b.ogg`,
    `magnet:?xt=urn%3Asha1%3A${B}&dn=a%20b.ogg`,
    `magnet://?xt=urn:sha1:${B}&dn=a%20b.ogg`,
    ` \t${link}`,
    `${link}\r\n`,
    `${link}\nThanks!`,
    `${link} (thanks)`,
    `<${link}> is it`,
    `<magnet:?xt=urn:sha1:${B}\n  &dn=a%20b.ogg>`,
    `"${link}"`,
    `'${link}'`,
    `“${link}”`,
    `(${link})`,
    `Here it is: ${link}`,
    `<a href="${link.replace('&', '&amp;')}">a b</a>`,
    encodeURIComponent(link),
    encodeURIComponent(encodeURIComponent(link)),
    ` ${encodeURIComponent(link)}\n`,
    encodeURIComponent(link).toLowerCase().replace(B.toLowerCase(), B),
    `http://page.example/open?link=${encodeURIComponent(link)}`,
  ]) {
    const { sha1, name } = parseMagnet(pasted);
    t.equal(sha1 && formatBase32(sha1), B, JSON.stringify(pasted));
    t.equal(name, 'a b.ogg', JSON.stringify(pasted));
  }
  t.equal(formatBase32(parseMagnet(`magnet:?dn=x&xt=urn:sha1:${B} is it`).sha1 ?? Buffer.of()), B);
  t.equal(parseMagnet('magnet:?xl=17, thanks').size, 17);
  t.equal(parseMagnet("magnet:?dn=it's (live).ogg").name, "it's (live).ogg");
  t.equal(parseMagnet("('magnet:?dn=it's (live).ogg')").name, "it's (live).ogg");
  t.equal(parseMagnet('magnet:?dn=100%25%20true').name, '100% true', 'unescaped once');
});

t.test('what has no magnet link in it is none', async t => {
  for (const text of [
    '',
    'magnet',
    'magnet:',
    'magnet:?',
    'electromagnet:?xt=1',
    'urn:sha1:x',
    '%6dagnet',
    'magnet%3A',
  ])
    t.throws(() => parseMagnet(text), { code: 'MAGNET_MALFORMED' }, text);
});

t.test('a URN is read as people paste it', async t => {
  for (const pasted of [
    `urn:sha1:${B}`,
    ` URN:SHA1:${B}\n`,
    `<urn:sha1:${B}>`,
    `"urn:sha1:${B}",`,
    `urn:sha1:${hexOf(B)} (a song)`,
    `urn%3Asha1%3A${B}`,
  ]) {
    const sha1 = urnOrNull(linkIn(pasted) ?? '')?.sha1;
    t.equal(sha1 && formatBase32(sha1), B, JSON.stringify(pasted));
    t.notOk(isMagnet(pasted));
  }
  for (const text of ['song', `http://1.2.3.4/uri-res/N2R?urn:sha1:${B}`, '12', 'urn'])
    t.equal(linkIn(text), null, text);
});

t.test('hashes of other networks are named, those that we know and what is no URN are not', async t => {
  t.strictSame(
    strangeHashesIn(`magnet:?xt.1=urn:btih:1234&xt.2=URN:ED2K:5&xt=urn%3Abtih%3A6&xt=urn:sha1:${B}&xt=x&dn=urn:md5:0`),
    ['urn:btih', 'urn:ed2k'],
  );
  t.strictSame(strangeHashesIn(`magnet:?${'xt=urn:a&'.repeat(5000)}`), ['urn:a']);
  t.strictSame(strangeHashesIn('no link'), []);
  t.throws(() => parseMagnet(`magnet:?dn=${'x'.repeat(10_240)}`), /at most 10240 characters/);
});
