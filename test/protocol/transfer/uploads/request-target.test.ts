import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { ProtocolError } from '../../../../protocol/errors.ts';
import { escapeSegment, parseTarget } from '../../../../protocol/transfer/uploads/request-target.ts';
import { namesFile } from '../../../../protocol/transfer/uploads/requested-name.ts';
import { formatBase32, formatBitprint, formatSha1Urn } from '../../../../protocol/wire/urn.ts';

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
    t.strictSame(parseTarget(text), { kind: 'file', urn: { sha1, tigerRoot: null } }, text);
  }
  const bitprint = formatBitprint(sha1, tigerRoot);
  t.strictSame(parseTarget(`/uri-res/N2R?${bitprint}`), { kind: 'file', urn: { sha1, tigerRoot } });
  for (const prefix of ['urn:tree:tiger:', 'urn:tree:tiger/:']) {
    const urn = { sha1: null, tigerRoot };
    t.strictSame(parseTarget(`/uri-res/N2R?${prefix}${formatBase32(tigerRoot)}`), { kind: 'file', urn }, prefix);
  }
});

t.test('hash trees by hash, with or without the root that X-Thex-URI names', async t => {
  const urn = { sha1, tigerRoot: null };
  for (const text of ['', `;${formatBase32(tigerRoot)}`]) {
    t.strictSame(parseTarget(`/uri-res/N2X?${formatSha1Urn(sha1)}${text}`), { kind: 'tree', urn }, text);
  }
  t.strictSame(parseTarget(`/uri-res/n2x?${formatBitprint(sha1, tigerRoot)}`), {
    kind: 'tree',
    urn: { sha1, tigerRoot },
  });
});

t.test('files by index', async t => {
  t.strictSame(parseTarget('/get/12/a%20b.txt'), { kind: 'index', index: 12, asked: 'a%20b.txt' }, 'as sent');
  t.strictSame(parseTarget('/get/4294967295/x'), { kind: 'index', index: 4294967295, asked: 'x' });
  t.strictSame(parseTarget('/get/1/why? and how'), { kind: 'index', index: 1, asked: 'why? and how' });
  t.strictSame(parseTarget('/get/1/100% of it'), { kind: 'index', index: 1, asked: '100% of it' }, 'a bad escape');
  t.strictSame(parseTarget('/get/7'), { kind: 'index', index: 7, asked: '' });
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

t.test('no path, a step upwards, a NUL, a URN that is none: malformed', async t => {
  for (const text of [
    'x',
    '*',
    'http://host',
    '/get/1/../../etc/passwd',
    '/get/1/%2e%2e/%2e%2e/etc/passwd',
    '/get/1/..%5c..%5cboot.ini',
    '/..',
    '/get/1/a%00b',
    '/uri-res/N2R?urn:sha1:XYZ',
    '/uri-res/N2R?',
    '/uri-res/N2R',
    '/uri-res/N2R?urn:tree:tiger:LWPNACQD',
    '/uri-res/N2X?urn:md5:1B2M2Y8ASGTPGAMN',
  ]) {
    t.throws(() => parseTarget(text), { code: 'HTTP_MALFORMED' }, text);
  }
  t.match(parseTarget('/get/1/a..b'), { asked: 'a..b' });
});

t.test('any name survives the way into a path and back', async t => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), name => {
      fc.pre(!name.includes('\0') && !name.split(/[/\\]/).includes('..'));
      const asked = escapeSegment(name);
      assert.deepEqual(parseTarget(`/get/3/${asked}`), { kind: 'index', index: 3, asked });
      assert.ok(namesFile(asked, name));
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
