import fc from 'fast-check';
import t from 'tap';
import {
  encodePushProxyCall,
  isPushProxyTarget,
  parsePushProxyQuery,
  pushProxyVerdict,
} from '../../../protocol/transfer/push-proxy.ts';
import { readFixture } from '../../support/fixtures.ts';

interface Vectors {
  push_proxy_http: { request: string; out: { guid: string; file: number; tls?: boolean } }[];
}

const targetOf = (request: string) => request.split(' ')[1] ?? '';

t.test('the vectors: what others ask a push proxy', async t => {
  for (const { request, out } of readFixture<Vectors>('vectors/transfer-vectors.json').push_proxy_http) {
    const target = targetOf(request);
    t.ok(isPushProxyTarget(target));
    const query = parsePushProxyQuery(target);
    t.match(query, { serventGuid: Buffer.from(out.guid, 'hex'), fileIndex: out.file, tls: out.tls ?? false }, target);
  }
});

t.test('spelled as LimeWire does, padded, and wrong', async t => {
  const guid = Buffer.from('101112131415161718191a1b1c1d1e1f', 'hex');
  const id = 'CAIREEYUCULBOGAZDINRYHI6D4';
  for (const target of [
    `/gnutella/pushproxy?ServerID=${id}`,
    `/gnutella/push-proxy?serverid=${id.toLowerCase()}%3d%3d%3d%3d%3d%3d&x`,
    `/gnet/push-proxy?GUID=${guid.toString('hex').toUpperCase()}`,
  ]) {
    t.match(parsePushProxyQuery(target), { serventGuid: guid, fileIndex: 0, tls: false }, target);
  }
  for (const query of ['', 'ServerId=', 'ServerId=AAAA', `ServerId=${id}&file=x`, 'guid=12', `guid=${id}`]) {
    t.throws(() => parsePushProxyQuery(`/gnutella/push-proxy?${query}`), { code: 'HTTP_MALFORMED' }, query);
  }
  t.notOk(isPushProxyTarget('/get/1/push-proxy?'));
});

t.test('our call is one that we understand', async t => {
  const proxy = { host: '5.6.7.8', port: 6346 };
  const node = { host: '5.5.5.5', port: 6347 };
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), bytes => {
      const serventGuid = Buffer.from(bytes);
      const call = encodePushProxyCall({ serventGuid, proxy, node, userAgent: 'test/1' }).toString('latin1');
      return (
        parsePushProxyQuery(targetOf(call)).serventGuid.equals(serventGuid) &&
        /^HEAD .*\r\nHost: 5\.6\.7\.8:6346\r\n/.test(call) &&
        /\r\nX-Node: 5\.5\.5\.5:6347\r\n/.test(call)
      );
    }),
  );
  t.strictSame([202, 203, 400, 410, 200, 0].map(pushProxyVerdict), [
    'sent',
    'routed',
    'refused',
    'refused',
    'refused',
    'refused',
  ]);
});
