import t from 'tap';
import { keyOf, PLAIN_SOURCE } from '../../../../protocol/transfer/downloads/source.ts';
import { locationOf, sourceAt } from '../../../../protocol/transfer/downloads/source-locations.ts';
import { parseAltLocations } from '../../../../protocol/transfer/mesh/alt-locations.ts';
import { type Answers, MemoryDownload, VisitScene } from '../../../support/visit-scene.ts';

const SHA1 = Buffer.alloc(20, 1);
const OTHER = { host: '20.0.0.9', port: 6346, tls: false };
const BODY = 'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-9/10\r\nContent-Length: 10\r\n';
const body: Answers = () => [`${BODY}X-Alt: 20.0.0.1:7000\r\nX-NAlt: 20.0.0.9\r\n\r\n0123456789`];
const good = (download: MemoryDownload) => download.mesh.goodLocations(SHA1, 10, 0).map(({ host }) => host);
const failed = (download: MemoryDownload) => download.mesh.failures(SHA1, 0).map(({ location }) => location);

t.test('a source that serves us is good, and what it names is passed on', async t => {
  const download = new MemoryDownload(10, SHA1);
  new VisitScene(download, body).run();
  t.strictSame(good(download), ['192.0.2.1']);
  t.strictSame(download.alternates, [{ host: '20.0.0.1', port: 7000, tls: false }]);
});

t.test(
  'busy and without this range still means that it has the file; 404 and another size mean that it has not',
  async t => {
    for (const [answer, isGood, isBad] of [
      ['503 Busy\r\nContent-Length: 0', true, false],
      ['416 No\r\nContent-Length: 0\r\nX-Available-Ranges: bytes 100-200', true, false],
      ['404 Not Found\r\nContent-Length: 0', false, true],
      ['206 OK\r\nContent-Range: bytes 0-9/11\r\nContent-Length: 10', false, true],
      [
        '206 OK\r\nX-Gnutella-Content-URN: urn:sha1:ORWD6TJINRJR4BS6RL3W4CWAQ2EDDRVU\r\nContent-Length: 10',
        false,
        true,
      ],
      ['403 Forbidden\r\nContent-Length: 0', false, false],
      ['500 Trouble\r\nContent-Length: 0', false, false],
    ] as const) {
      const download = new MemoryDownload(10, SHA1);
      new VisitScene(download, () => [`HTTP/1.1 ${answer}\r\n\r\n`, { end: 'ended' }]).run();
      t.same([good(download).length, failed(download).length], [isGood ? 1 : 0, isBad ? 1 : 0], answer);
    }
  },
);

t.test('who cannot be connected to is bad; without a hash nothing is learnt', async t => {
  const download = new MemoryDownload(10, SHA1);
  const scene = new VisitScene(download, () => []);
  scene.visit.unreachable('nobody there', 5);
  t.match(failed(download), [{ host: '192.0.2.1', port: 6346 }]);
  const nameless = new MemoryDownload(10);
  new VisitScene(nameless, body).run();
  t.equal(nameless.mesh.files, 0);
});

t.test('requests tell others that are good, and ourselves when we serve a part', async t => {
  const download = new MemoryDownload(10, SHA1);
  download.mesh.served(SHA1, OTHER, 0);
  download.servedBytes = (1 << 20) + 1;
  const { requests } = new VisitScene(download, body).run();
  const told = parseAltLocations(requests[0]?.head.headers.get('X-Alt') ?? '').map(({ host }) => host);
  t.strictSame(told, ['127.0.0.1', '20.0.0.9']);
  const small = new MemoryDownload(10, SHA1);
  const { requests: quiet } = new VisitScene(small, body).run();
  t.equal(quiet[0]?.head.headers.get('X-Alt'), null);
});

t.test('sources and locations are made of each other', async t => {
  const endpoint = { host: '20.0.0.1', port: 7000 };
  const serventGuid = Buffer.alloc(16, 3);
  const proxy = { host: '20.0.0.2', port: 6346, tls: false };
  t.strictSame(locationOf({ ...PLAIN_SOURCE, endpoint }), { ...endpoint, tls: false });
  t.equal(locationOf({ ...PLAIN_SOURCE, endpoint, target: '/x' }), null, 'a web server');
  t.equal(locationOf({ ...PLAIN_SOURCE, endpoint, serventGuid, push: true }), null, 'no way to it');
  const pushed = locationOf({ ...PLAIN_SOURCE, endpoint, serventGuid, push: true, pushProxies: [proxy] });
  t.strictSame(pushed, { serventGuid, fwt: null, address: null, pushProxies: [proxy] });
  const source = pushed === null ? null : sourceAt(pushed);
  t.match(source, { push: true, serventGuid, endpoint: { host: '20.0.0.2', port: 6346 } });
  t.equal(source === null ? '' : keyOf(source), serventGuid.toString('hex'));
  t.equal(sourceAt({ serventGuid, fwt: null, address: null, pushProxies: [] }), null);
});
