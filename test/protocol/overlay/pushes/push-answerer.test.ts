import t from 'tap';
import { PushAnswerer } from '../../../../protocol/overlay/pushes/push-answerer.ts';
import type { Endpoint } from '../../../../protocol/wire/endpoint.ts';
import { FIREWALL_TO_FIREWALL_INDEX, type Push } from '../../../../protocol/wire/push.ts';

const pushTo = (endpoint: Endpoint, fileIndex = 0): Push => ({
  serventGuid: Buffer.alloc(16, 1),
  fileIndex,
  endpoint,
  ipv6: null,
  tls: false,
  ggep: [],
});

function made(sharedAddress = false) {
  const served: Endpoint[] = [];
  const forbids = ({ port }: Endpoint) => (port === 9 ? 'forbidden' : null);
  return { served, pushes: new PushAnswerer({ forbids, serve: to => served.push(to), sharedAddress }, 0) };
}

t.test('pushes are limited by address, and refused where policy forbids the address', async t => {
  const { pushes, served } = made();
  for (let port = 1000; port < 1008; port++) pushes.onPush(pushTo({ host: '5.5.1.1', port }), 'overlay', 0);
  t.equal(served.length, 5);
  t.equal(pushes.outcomes.of('rate'), 3);
  pushes.onPush(pushTo({ host: '5.5.1.1', port: 1000 }), 'overlay', 6_000);
  t.equal(served.length, 6);
  pushes.onPush(pushTo({ host: '5.5.2.2', port: 9 }), 'overlay', 6_000);
  pushes.onPush(pushTo({ host: '5.5.2.2', port: 10 }, FIREWALL_TO_FIREWALL_INDEX), 'overlay', 6_000);
  t.match(pushes.outcomes.toRecord(), { forbidden: 1, firewall_to_firewall: 1 });
  const lab = made(true);
  for (let port = 1000; port < 1008; port++) lab.pushes.onPush(pushTo({ host: '127.0.0.1', port }), 'overlay', 0);
  t.equal(lab.served.length, 8, 'ports tell servents apart that share an address');
});

t.test('a push that comes by several ways is followed once', async t => {
  const { pushes, served } = made();
  const push = pushTo({ host: '5.5.1.1', port: 6346 });
  // as gtk-gnutella 1.2.3 sends one: to us, to our push proxy, and to us again along a link
  for (const [way, now] of [
    ['datagram', 0],
    ['overlay', 200],
    ['datagram', 300],
  ] as const)
    pushes.onPush(push, way, now, Buffer.alloc(16, 7));
  t.equal(served.length, 1);
  t.match(pushes.outcomes.toRecord(), { repeated: 2 });
  pushes.onPush(push, 'datagram', 400, Buffer.alloc(16, 8));
  pushes.onPush(push, 'proxy', 500);
  t.equal(served.length, 3, 'another push is another one');
  pushes.onPush(push, 'datagram', 60_300, Buffer.alloc(16, 7));
  t.equal(served.length, 4, 'a minute later it may be meant anew');
});

t.test('an address that could not be reached is not tried again for eight minutes', async t => {
  const { pushes, served } = made();
  const nobody = { host: '5.5.3.3', port: 1 };
  pushes.onPush(pushTo(nobody), 'overlay', 0);
  pushes.ended(nobody, 'unreachable', 10_000);
  pushes.onPush(pushTo(nobody), 'overlay', 20_000);
  t.match(pushes.outcomes.toRecord(), { unreachable: 1, remembered: 1 });
  pushes.onPush(pushTo(nobody), 'overlay', 510_001);
  t.equal(served.length, 2);
});

t.test('an address that cannot be connected to may still open a stream by UDP', async t => {
  const streamed: Endpoint[] = [];
  const pushes = new PushAnswerer(
    { forbids: () => null, serve: () => undefined, serveStream: to => streamed.push(to), sharedAddress: false },
    0,
  );
  const requester = { host: '5.5.3.3', port: 7000 };
  pushes.onPush(pushTo(requester), 'overlay', 0);
  pushes.ended(requester, 'unreachable', 10_000);
  pushes.onPush({ ...pushTo(requester), fileIndex: FIREWALL_TO_FIREWALL_INDEX }, 'proxy', 20_000);
  t.strictSame(streamed, [requester]);
  pushes.ended(requester, 'no_stream', 40_000);
  t.match(pushes.outcomes.toRecord(), { unreachable: 1, no_stream: 1 });
});

t.test('many at once, many in a second, and those after the end are refused', async t => {
  const { pushes, served } = made();
  const at = (n: number) => ({ host: `5.6.${n >> 8}.${n & 255}`, port: 6346 });
  for (let n = 1; n <= 40; n++) pushes.onPush(pushTo(at(n)), 'overlay', 0);
  t.equal(served.length, 32);
  t.equal(pushes.outcomes.of('crowded'), 8);
  for (const to of served.splice(0)) pushes.ended(to, 'served', 0);
  for (let n = 100; n < 160; n++) {
    pushes.onPush(pushTo(at(n)), 'overlay', 0);
    for (const to of served.splice(0)) pushes.ended(to, 'served', 0);
  }
  t.equal(pushes.outcomes.of('rate'), 42, '50 from all together, then one each 200 ms');
  pushes.close();
  pushes.onPush(pushTo(at(999)), 'overlay', 60_000);
  t.equal(pushes.outcomes.of('crowded'), 9);
});

t.test('refused pushes to thousands of addresses do not have the rate of a victim forgotten', async t => {
  const { pushes, served } = made();
  let victims = 0;
  const settle = (now: number) => {
    for (const to of served.splice(0)) {
      if (to.host === '5.5.9.9') victims++;
      pushes.ended(to, 'served', now);
    }
  };
  for (let second = 0; second < 3; second++) {
    const now = second * 1_000;
    for (let n = 0; n < 6; n++) pushes.onPush(pushTo({ host: '5.5.9.9', port: 80 }), 'overlay', now);
    settle(now);
    for (let n = 0; n < 4_200; n++) {
      pushes.onPush(pushTo({ host: `6.${second}.${n >> 8}.${n & 255}`, port: 80 }), 'overlay', now);
      settle(now);
    }
  }
  t.equal(victims, 5);
});

t.test('streams by UDP to other and other ports of an address end after three that did not come about', async t => {
  const streamed: Endpoint[] = [];
  const pushes = new PushAnswerer(
    { forbids: () => null, serve: () => undefined, serveStream: to => streamed.push(to), sharedAddress: false },
    0,
  );
  for (let n = 0; n < 10_000; n++) {
    const to = { host: '5.5.4.4', port: 1_000 + n };
    pushes.onPush(pushTo(to, FIREWALL_TO_FIREWALL_INDEX), 'overlay', n * 30);
    if (streamed.at(-1)?.port === to.port) pushes.ended(to, 'no_stream', n * 30);
  }
  t.equal(streamed.length, 3);
});
