import t from 'tap';
import { Dialer } from '../../../../daemon/net/dialer.ts';
import { callPushProxy } from '../../../../daemon/network/push-proxy-call.ts';
import { PushRelay } from '../../../../protocol/overlay/pushes/push-relay.ts';
import { formatGuid } from '../../../../protocol/wire/guid.ts';
import type { Push } from '../../../../protocol/wire/push.ts';
import { HttpClient } from '../../../support/http-client.ts';
import { SharedFiles, serve } from '../../../support/shared-files.ts';
import { VirtualClock } from '../../../support/virtual-network.ts';

const OURS = Buffer.alloc(16, 1);
const LEAF = Buffer.alloc(16, 2);
const FAR = Buffer.alloc(16, 9);
const target = (guid: Buffer) => `/gnet/push-proxy?guid=${formatGuid(guid)}&file=3`;

function relay(ultrapeer = true) {
  const sent: Push[] = [];
  const own: Push[] = [];
  const clock = new VirtualClock();
  const pushes = new PushRelay({
    identity: { serventGuid: OURS, ultrapeer },
    isNeighbour: guid => guid.equals(LEAF),
    sendPush: push => (push.serventGuid.equals(LEAF) || push.serventGuid.equals(FAR) ? sent.push(push) : 0),
    onPush: push => own.push(push),
  });
  const answer = (asked: string, node: string | null, remote: string, ipv6: string | null = null) =>
    pushes.answer(asked, [node, ipv6], remote, clock.ms);
  return { pushes, answer, sent, own, clock };
}

t.test('a push for a neighbour goes on, one for us is answered, others are gone', async t => {
  const { pushes, answer, sent, own } = relay();
  t.equal(answer(target(LEAF), '5.6.7.8:6346', '5.6.7.8'), 202);
  t.match(sent, [{ fileIndex: 3, endpoint: { host: '5.6.7.8', port: 6346 } }]);
  t.equal(answer(target(OURS), '5.6.7.8:6346', '::ffff:5.6.7.8'), 202);
  t.equal(own.length, 1);
  t.equal(answer(target(Buffer.alloc(16, 3)), '5.6.7.8:6346', '5.6.7.8'), 410);
  t.equal(relay(false).answer(target(LEAF), '5.6.7.8:6346', '5.6.7.8'), 410, 'a leaf passes nothing on');
  t.equal(answer(target(FAR), '5.6.7.8:6346', '5.6.7.8'), 203, 'along the way of its hits');
  t.match(pushes.outcomes.toRecord(), { neighbour: 1, ourselves: 1, unknown: 1, routed: 1 });
});

t.test('of two addresses that one is passed on by which the asker came', async t => {
  const { answer, sent } = relay();
  t.equal(answer(target(LEAF), '5.6.7.8:6346', '2a02::7', '[2a02::7]:6346'), 202);
  t.match(sent, [{ endpoint: { host: '2a02::7', port: 6346 }, ipv6: null }]);
  t.equal(answer(target(LEAF), '5.6.7.8:6346', '2a02::7', '[2a02::8]:6346'), 400);
  t.equal(answer(target(LEAF), '5.6.7.8:6346', '5.6.7.8', '[2a02::8]:6346'), 202);
  t.match(sent[1], { endpoint: { host: '5.6.7.8', port: 6346 }, ipv6: null });
  const others = Array.from({ length: 20 }, (_, i) =>
    answer(target(LEAF), null, `2a02::1:${i}`, `[2a02::1:${i}]:6346`),
  );
  t.equal(others.filter(status => status === 202).length, 4, 'an IPv6 network of 64 bits is one address');
});

t.test('nobody has our neighbours connect to somebody else, or too often', async t => {
  const { answer, clock } = relay();
  for (const node of [null, '', 'x', '5.6.7.9:6346', '5.6.7.8', '5.6.7.8:0']) {
    t.equal(answer(target(LEAF), node, '5.6.7.8'), 400, String(node));
  }
  const ask = () => answer(target(LEAF), '5.6.7.8:6346', '5.6.7.8');
  t.strictSame([ask(), ask(), ask(), ask(), ask(), ask()], [202, 202, 202, 202, 202, 503]);
  clock.ms += 6_000;
  t.equal(ask(), 202);
  t.throws(() => answer('/gnet/push-proxy?', '5.6.7.8:6346', '5.6.7.8'), { code: 'HTTP_MALFORMED' });
});

t.test('over HTTP: our own call is understood, and the vectors of others', async t => {
  const { answer, sent } = relay();
  const { port, server } = await serve(t, new SharedFiles(t.testdir()), {
    passPush: (asked, [node = null], remote) => answer(asked, node, remote),
  });
  const dialer = new Dialer({ forbids: () => null });
  const call = (serventGuid: Buffer, host = '127.0.0.1') =>
    callPushProxy(
      { serventGuid, proxy: { host: '127.0.0.1', port }, node: { host, port: 6346 }, userAgent: 'test/1' },
      (endpoint, signal) => dialer.dial(endpoint, signal),
      AbortSignal.timeout(5_000),
    );
  t.equal(await call(LEAF), 'sent');
  t.match(sent, [{ endpoint: { host: '127.0.0.1', port: 6346 } }]);
  t.equal(await call(Buffer.alloc(16, 3)), 'refused');
  t.equal(await call(LEAF, '5.6.7.8'), 'refused');
  const client = await HttpClient.open(t, port);
  const { status } = await client.ask('GET /gnutella/push-proxy?ServerId=oops HTTP/1.1', 'X-Node: 127.0.0.1:1');
  t.equal(status, 400);
  t.equal(server.outcomes.of('push_passed'), 1);
  t.equal(server.outcomes.of('push_refused'), 2);
});
