// Whole servents on a virtual internet, two of them behind firewalls, with an ultrapeer between them.
import t from 'tap';
import { offerOf } from '../../protocol/transfer/downloads/hit-sources.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { ggepPayload } from '../../protocol/wire/ggep.ts';
import { VirtualInternet } from '../../sim/servents/virtual-internet.ts';

/** Two leaves of one ultrapeer whom nobody can connect to, and of two more that they can ask at which port they see them. */
function scene(settings: { reachable: 'no' } = { reachable: 'no' }) {
  const internet = new VirtualInternet(11);
  const hub = internet.add({ settings: { mode: 'ultrapeer' } });
  const others = [1, 2].map(() => internet.add({ settings: { mode: 'ultrapeer' } }));
  const leaf = { settings: { ...settings, mode: 'leaf' as const, seek: 0 }, firewalled: true };
  const server = internet.add({ ...leaf, shares: ['walled garden.ogg'] });
  const seeker = internet.add(leaf);
  for (const each of [server, seeker]) {
    for (const ultrapeer of [hub, ...others]) each.join(ultrapeer);
  }
  return { internet, hub, server, seeker };
}

t.test('two firewalled servents learn that they can open streams, say so, and open one for a push', t => {
  const { internet, server, seeker } = scene();
  const { clock } = internet;
  const ready = () => [server, seeker].every(({ servent }) => servent.rudp.endpoint(clock.ms) !== null);
  t.notOk(ready(), 'at first they do not know');
  t.ok(internet.run(60_000, ready), 'others tell them at which port they see them');
  t.ok(
    internet.run(60_000, () => server.servent.vendor.pushProxies.endpoints.length > 0),
    'with a push proxy',
  );
  seeker.search('walled garden');
  t.ok(
    internet.run(10_000, () => seeker.hits.length > 0),
    'it answers a query of one that is firewalled too',
  );
  const [found] = seeker.hits;
  if (found === undefined) throw new Error('no hit');
  t.strictSame(ggepPayload(found.hit.ggep, 'FW'), Buffer.from([1]));
  const [record] = found.hit.hits;
  const offer = record === undefined ? null : offerOf(found.hit, record, () => true);
  const source = offer?.sources[0];
  t.strictSame(source?.rudp, server.endpoint);
  if (source === undefined) throw new Error('no source');
  let failed: string | null = null;
  const { requester } = seeker.servent;
  requester.request({ ...source, pushProxies: source.pushProxies ?? [] }, clock.ms, error => {
    failed = error.code;
  });
  seeker.stirred();
  t.ok(
    internet.run(30_000, () => requester.reached.of('rudp') === 1),
    `reached, or ${failed}`,
  );
  t.strictSame(server.served, [formatEndpoint(seeker.endpoint)]);
  t.equal(seeker.servent.rudp.table.counters.extended, 1);
  t.equal(server.servent.pushes.outcomes.of('served'), 1);
  internet.run(60_000);
  t.strictSame(
    [server, seeker].map(({ servent }) => servent.rudp.table.size),
    [0, 0],
    'nothing is left',
  );
  t.end();
});

t.test('a push for a stream to an address where nobody is costs 23 bytes a SYN, and is remembered', t => {
  const { internet, server } = scene();
  const nobody = { host: '127.0.0.1', port: 9_999 };
  const { servent } = server;
  const serventGuid = server.serventGuid;
  const push = { serventGuid, fileIndex: 0x7ffffffd, endpoint: nobody, ipv6: null, tls: false, ggep: [] };
  servent.pushes.onPush(push, 'overlay', internet.clock.ms);
  internet.run(25_000);
  t.equal(servent.pushes.outcomes.of('no_stream'), 1);
  t.equal(servent.rudp.table.counters.bytesOut, 50 * 23);
  servent.pushes.onPush(push, 'overlay', internet.clock.ms);
  t.equal(servent.pushes.outcomes.of('remembered'), 1);
  internet.run(60_000);
  t.equal(servent.rudp.table.counters.bytesOut, 50 * 23);
  t.end();
});

t.test('datagrams of strangers get no answer', t => {
  const { internet, server, hub } = scene();
  internet.run(1_000);
  const { servent } = server;
  const before = servent.rudp.table.counters.packetsOut;
  for (let i = 0; i < 20; i++) {
    const syn = Buffer.from('000000002a000101000000000000000041010000000000', 'hex');
    syn[0] = i * 12;
    server.receiveDatagram(syn, hub.endpoint);
  }
  internet.run(5_000);
  t.ok(servent.datagrams.ends.of('no_connection') > 0);
  t.equal(servent.rudp.table.size, 0);
  t.equal(servent.rudp.table.counters.packetsOut, before);
  t.end();
});
