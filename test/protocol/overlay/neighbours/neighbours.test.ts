import t from 'tap';
import { capabilitiesOf } from '../../../../protocol/handshake/capabilities.ts';
import { Headers } from '../../../../protocol/handshake/header-block.ts';
import { neighboursOf } from '../../../support/neighbours.ts';
import { VirtualNetwork } from '../../../support/virtual-network.ts';

const there = { host: '10.9.1.1', port: 7001 };

function made() {
  const network = new VirtualNetwork();
  return { ...neighboursOf(network.add('a'), network, { seek: 2 }), clock: network.clock };
}

t.test('an address that a person names becomes a host that was tried, when a servent answers there', async t => {
  const { neighbours, hosts, clock } = made();
  const capabilities = { ...capabilitiesOf(new Headers([])), role: 'ultrapeer' as const };
  const triedAt = clock.wallTime();
  neighbours.dialling(there);
  clock.ms += 20;
  const refusal = { kind: 'refused', by: 'peer', reason: 'peer-status', code: 503, text: 'full' } as const;
  neighbours.dialled(
    there,
    { kind: 'refused', refusal: { ...refusal, capabilities, tryUltrapeers: [], tryHosts: [] } },
    triedAt,
    clock.ms,
  );
  const [record] = hosts.toRecords();
  t.match(record, { port: 7001, triedAt, ultrapeer: true });
  t.ok((record?.retryAt ?? 0) > clock.wallTime(), 'and is not dialled again at once');
  t.equal(neighbours.refusedShare(clock.ms), 1);
});

t.test('an address where nobody is does not enter the cache', async t => {
  const { neighbours, hosts, clock } = made();
  neighbours.dialling(there);
  neighbours.dialled(there, { kind: 'failed', reason: 'DIAL_FAILED', text: 'refused' }, clock.wallTime(), clock.ms);
  t.equal(hosts.size, 0);
});

t.test('hosts are dialled as many as are sought, each once, and none while it closes', async t => {
  const { neighbours, hosts, dialled, clock } = made();
  for (let n = 1; n <= 5; n++) {
    const endpoint = { host: `10.${n}.1.1`, port: 6346 };
    hosts.add({ endpoint, source: 'cache', ultrapeer: true, dailyUptimeSeconds: null }, clock.wallTime());
  }
  let due = neighbours.tick(clock.ms);
  t.equal(dialled.length, 2);
  for (let i = 0; i < 3; i++) {
    clock.ms = due;
    due = neighbours.tick(clock.ms);
  }
  t.equal(dialled.length, 2, 'two are under way');
  for (const address of dialled.splice(0)) {
    const [host = '', port] = address.split(':');
    const failed = { kind: 'failed', reason: 'DIAL_TIMEOUT', text: 'nobody is there' } as const;
    neighbours.dialled({ host, port: Number(port) }, failed, clock.wallTime(), clock.ms);
  }
  clock.ms = due;
  due = neighbours.tick(clock.ms);
  t.equal(dialled.length, 2);
  t.equal(new Set(dialled).size, 2);
  neighbours.close();
  t.equal(neighbours.tick(due), Number.POSITIVE_INFINITY);
});
