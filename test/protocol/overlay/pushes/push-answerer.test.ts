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
  for (let port = 1000; port < 1008; port++) pushes.onPush(pushTo({ host: '5.5.1.1', port }), 0);
  t.equal(served.length, 5);
  t.equal(pushes.outcomes.of('rate'), 3);
  pushes.onPush(pushTo({ host: '5.5.1.1', port: 1000 }), 6_000);
  t.equal(served.length, 6);
  pushes.onPush(pushTo({ host: '5.5.2.2', port: 9 }), 6_000);
  pushes.onPush(pushTo({ host: '5.5.2.2', port: 10 }, FIREWALL_TO_FIREWALL_INDEX), 6_000);
  t.match(pushes.outcomes.toRecord(), { forbidden: 1, firewall_to_firewall: 1 });
  const lab = made(true);
  for (let port = 1000; port < 1008; port++) lab.pushes.onPush(pushTo({ host: '127.0.0.1', port }), 0);
  t.equal(lab.served.length, 8, 'ports tell servents apart that share an address');
});

t.test('an address that could not be reached is not tried again for eight minutes', async t => {
  const { pushes, served } = made();
  const nobody = { host: '5.5.3.3', port: 1 };
  pushes.onPush(pushTo(nobody), 0);
  pushes.ended(nobody, 'unreachable', 10_000);
  pushes.onPush(pushTo(nobody), 20_000);
  t.match(pushes.outcomes.toRecord(), { unreachable: 1, remembered: 1 });
  pushes.onPush(pushTo(nobody), 510_001);
  t.equal(served.length, 2);
});

t.test('many at once, many in a second, and those after the end are refused', async t => {
  const { pushes, served } = made();
  const at = (n: number) => ({ host: `5.6.${n >> 8}.${n & 255}`, port: 6346 });
  for (let n = 1; n <= 40; n++) pushes.onPush(pushTo(at(n)), 0);
  t.equal(served.length, 32);
  t.equal(pushes.outcomes.of('crowded'), 8);
  for (const to of served.splice(0)) pushes.ended(to, 'served', 0);
  for (let n = 100; n < 160; n++) {
    pushes.onPush(pushTo(at(n)), 0);
    for (const to of served.splice(0)) pushes.ended(to, 'served', 0);
  }
  t.equal(pushes.outcomes.of('rate'), 42, '50 from all together, then one each 200 ms');
  pushes.close();
  pushes.onPush(pushTo(at(999)), 60_000);
  t.equal(pushes.outcomes.of('crowded'), 9);
});
