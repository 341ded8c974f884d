import t from 'tap';
import {
  keyOf,
  ofContent,
  PLAIN_SOURCE,
  type Source,
  sourceFromAddress,
  sourceFromUrl,
} from '../../../../protocol/transfer/downloads/source.ts';
import { formatBase32 } from '../../../../protocol/wire/urn.ts';

t.test('HTTP addresses of magnet links', async t => {
  t.match(sourceFromUrl('http://192.0.2.7:6346/uri-res/N2R?urn:sha1:X'), {
    endpoint: { host: '192.0.2.7', port: 6346 },
    target: '/uri-res/N2R?urn:sha1:X',
    push: false,
  });
  t.match(sourceFromUrl('HTTP://192.0.2.7/a%20b'), { endpoint: { port: 80 }, target: '/a%20b' });
  t.match(sourceFromUrl('http://[2001:db8::1]:8080/'), { endpoint: { host: '2001:db8::1', port: 8080 }, target: '/' });
  t.match(sourceFromUrl('http://localhost:1234/x'), { endpoint: { host: '127.0.0.1', port: 1234 } });
  t.match(sourceFromUrl('http://2130706433/x'), { endpoint: { host: '127.0.0.1' } }, 'as every URL parser reads it');
  for (const text of [
    'https://192.0.2.7/x',
    'http://example.com/x',
    'push://101112131415161718191a1b1c1d1e1f:192.0.2.9:6346/x',
    'http://user:secret@192.0.2.7/',
    'http://',
    'urn:sha1:X',
    '',
  ]) {
    t.equal(sourceFromUrl(text), null, text);
  }
  t.notMatch(sourceFromUrl('http://192.0.2.7/a\r\nX-Evil: 1')?.target, /[\r\n]/, 'no second header out of a link');
});

t.test('the address of a content at a servent is the servent', async t => {
  const sha1 = Buffer.alloc(20, 7);
  const urn = `urn:sha1:${formatBase32(sha1)}`;
  const of = (text: string): Source => {
    const source = sourceFromUrl(text);
    if (source === null) throw new Error(text);
    return ofContent(source, sha1);
  };
  const servent = sourceFromAddress('192.0.2.7:6346');
  t.strictSame(of(`http://192.0.2.7:6346/uri-res/N2R?${urn}`), servent);
  t.strictSame(of(`http://192.0.2.7:6346/uri-res/n2r?${urn.toLowerCase()}`), servent);
  t.equal(
    of('http://192.0.2.7:6346/uri-res/N2R?urn:sha1:AAAA').target,
    '/uri-res/N2R?urn:sha1:AAAA',
    'another content',
  );
  t.equal(of(`http://192.0.2.7:6346/uri-res/N2X?${urn}`).target, `/uri-res/N2X?${urn}`, 'the tree is not the file');
  t.equal(of('http://192.0.2.7:6346/a.ogg').target, '/a.ogg');
  const web = sourceFromUrl(`http://192.0.2.7/uri-res/N2R?${urn}`);
  t.equal(web === null ? null : ofContent(web, null), web, 'without a hash');
});

t.test('addresses', async t => {
  t.match(sourceFromAddress('192.0.2.7'), { endpoint: { host: '192.0.2.7', port: 6346 }, target: null });
  t.equal(sourceFromAddress('example.com:80'), null);
});

t.test('the same place twice has the same key', async t => {
  const plain = { ...PLAIN_SOURCE, endpoint: { host: '192.0.2.7', port: 6346 } };
  t.equal(keyOf(plain), keyOf({ ...plain, index: 7, name: 'other' }));
  t.not(keyOf(plain), keyOf({ ...plain, endpoint: { host: '192.0.2.7', port: 6347 } }));
  t.not(keyOf(plain), keyOf({ ...plain, target: '/x' }));
  const pushed = { ...plain, push: true, serventGuid: Buffer.alloc(16, 1) };
  t.not(keyOf(pushed), keyOf(plain));
  t.not(keyOf(pushed), keyOf({ ...pushed, serventGuid: Buffer.alloc(16, 2) }));
});
