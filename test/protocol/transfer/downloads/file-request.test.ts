import t from 'tap';
import { HeaderReader } from '../../../../protocol/handshake/header-block.ts';
import { encodeFileRequest, targetOf } from '../../../../protocol/transfer/downloads/file-request.ts';
import { HTTP_LIMITS, parseRequestHead } from '../../../../protocol/transfer/http-head.ts';
import { testIdentity } from '../../../support/shared-files.ts';

const sha1 = Buffer.alloc(20, 1);
const plain = {
  host: '192.0.2.7:6346',
  target: '/get/1/x',
  range: null,
  sha1: null,
  identity: { ...testIdentity, userAgent: 'servent/1' },
  now: 0,
  locations: [],
  doneBytes: 0,
  queued: null,
  first: false,
};

t.test('the first request of a connection introduces us', async t => {
  const text = encodeFileRequest({
    ...plain,
    target: targetOf(sha1, 7, 'x'),
    range: { start: 100, end: 200 },
    sha1,
    locations: [['X-Alt', '192.0.2.9']],
    doneBytes: 100,
    queued: { position: 5, id: 'ab'.repeat(16) },
    first: true,
  }).toString();
  t.equal(
    text,
    [
      'GET /uri-res/N2R?urn:sha1:AEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIB HTTP/1.1',
      'Host: 192.0.2.7:6346',
      'User-Agent: servent/1',
      'Range: bytes=100-199',
      'X-Queue: 1.1',
      'X-Queued: position=5; ID=abababababababababababababababab',
      'X-Gnutella-Content-URN: urn:sha1:AEAQCAIBAEAQCAIBAEAQCAIBAEAQCAIB',
      'X-Downloaded: 100',
      'X-Features: browse/1.0, queue/1.1, fwalt/0.1',
      'X-Node: 127.0.0.1:6346',
      'X-Alt: 192.0.2.9',
      '',
      '',
    ].join('\r\n'),
  );
});

t.test('later ones are short, and every one is a head', async t => {
  const bytes = encodeFileRequest({ ...plain, target: targetOf(null, 7, 'a b/ü.txt') });
  t.notMatch(bytes.toString(), /X-Features|X-Node|Range|URN/);
  const reader = new HeaderReader(HTTP_LIMITS);
  t.equal(reader.push(bytes), 'done');
  t.match(parseRequestHead(reader.block), { method: 'GET', target: '/get/7/a%20b%2F%C3%BC.txt' });
});

t.test('behind a firewall it names the proxies through which we are asked, and promises no push', async t => {
  const identity = {
    ...plain.identity,
    firewalled: () => true,
    pushProxies: () => [{ host: '192.0.2.1', port: 6346 }],
  };
  const text = encodeFileRequest({ ...plain, identity, first: true }).toString();
  t.match(text, /^X-FW-Node-Info: (AB){16};192\.0\.2\.1:6346\r$/m);
  t.notMatch(text, /fwalt|X-Node:/);
});
