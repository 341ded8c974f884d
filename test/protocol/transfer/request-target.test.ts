import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { ProtocolError } from '../../../protocol/errors.ts';
import { escapeSegment, parseTarget } from '../../../protocol/transfer/request-target.ts';
import { formatBitprint, formatSha1Urn } from '../../../protocol/wire/urn.ts';

const sha1 = Buffer.alloc(20, 7);
const tigerRoot = Buffer.alloc(24, 9);

t.test('files by hash, in every spelling', async t => {
  const urn = formatSha1Urn(sha1);
  for (const text of [
    `/uri-res/N2R?${urn}`,
    `/uri-res/n2r?${urn.toLowerCase()}`,
    `/uri-res/N2R?${urn.replaceAll(':', '%3A')}`,
    `http://1.2.3.4:6346/uri-res/N2R?${urn}`,
  ]) {
    t.strictSame(parseTarget(text), { kind: 'urn', sha1, tigerRoot: null }, text);
  }
  t.strictSame(parseTarget(`/uri-res/N2R?${formatBitprint(sha1, tigerRoot)}`), { kind: 'urn', sha1, tigerRoot });
});

t.test('files by index', async t => {
  t.strictSame(parseTarget('/get/12/a%20b.txt'), { kind: 'index', index: 12, name: 'a b.txt' });
  t.strictSame(parseTarget('/get/4294967295/%C3%89.txt'), { kind: 'index', index: 4294967295, name: 'É.txt' });
  t.strictSame(parseTarget('/get/1/caf%E9'), { kind: 'index', index: 1, name: 'café' }, 'Latin-1 of old servents');
  t.strictSame(parseTarget('/get/7'), { kind: 'index', index: 7, name: '' });
  for (const other of ['/get/4294967296/x', '/get/-1/x', '/get/x/1', '/get/12345678901/x']) {
    t.strictSame(parseTarget(other), { kind: 'other', path: other });
  }
});

t.test('the root and everything else', async t => {
  t.strictSame(parseTarget('/'), { kind: 'root' });
  t.strictSame(parseTarget('http://host:1/'), { kind: 'root' });
  t.strictSame(parseTarget('/robots.txt'), { kind: 'other', path: '/robots.txt' });
  t.strictSame(parseTarget('/gnet/push-proxy?guid=A'), { kind: 'other', path: '/gnet/push-proxy' });
});

t.test('no path, a step upwards, a NUL, a bad escape, a URN that is none: malformed', async t => {
  for (const text of [
    'x',
    '*',
    'http://host',
    '/get/1/../../etc/passwd',
    '/get/1/%2e%2e/%2e%2e/etc/passwd',
    '/get/1/..%5c..%5cboot.ini',
    '/..',
    '/get/1/a%00b',
    '/get/1/100%',
    '/get/1/%zz',
    '/uri-res/N2R?urn:sha1:XYZ',
    '/uri-res/N2R?',
    '/uri-res/N2R',
    '/uri-res/N2R?urn:tree:tiger:LWPNACQDBZRYXW3VHJVCJ64QBZNGHOHHHZWCLNQ',
  ]) {
    t.throws(() => parseTarget(text), { code: 'HTTP_MALFORMED' }, text);
  }
  t.match(parseTarget('/get/1/a..b'), { name: 'a..b' });
});

t.test('any name survives the way into a path and back', async t => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), name => {
      fc.pre(!name.includes('\0') && !name.split(/[/\\]/).includes('..'));
      assert.deepEqual(parseTarget(`/get/3/${escapeSegment(name)}`), { kind: 'index', index: 3, name });
    }),
  );
  t.equal(escapeSegment('\ud800'), '%EF%BF%BD');
});

t.test('any text is a target or malformed', async () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 100 }), fc.constantFrom('', '/', '/get/', '/uri-res/N2R?'), (text, prefix) => {
      try {
        parseTarget(prefix + text);
      } catch (error) {
        assert.ok(error instanceof ProtocolError);
      }
    }),
    { numRuns: 1000 },
  );
});
