import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import type { Role } from '../../../../protocol/handshake/capabilities.ts';
import { Headers } from '../../../../protocol/handshake/header-block.ts';
import { NETWORK_RULES } from '../../../../protocol/network-rules.ts';
import type { AltLocation } from '../../../../protocol/transfer/mesh/alt-locations.ts';
import {
  BAN_MS,
  isFirewalled,
  LIFETIME_MS,
  LOCATIONS_OF_FILE_MAX,
  LOCATIONS_OF_HOST_MAX,
  SHARED_LIFETIME_MS,
} from '../../../../protocol/transfer/mesh/file-locations.ts';
import { MESH_LIMITS, Mesh } from '../../../../protocol/transfer/mesh/mesh.ts';
import { MeshTalk } from '../../../../protocol/transfer/mesh/mesh-talk.ts';
import type { Endpoint } from '../../../../protocol/wire/endpoint.ts';
import { formatEndpoint } from '../../../../protocol/wire/endpoint.ts';

const SHA1 = Buffer.alloc(20, 1);
const OURS: Endpoint = { host: '5.5.5.5', port: 6346 };
const FETCHED = { good: false, shared: false };

function publicMesh(role: Role = 'leaf'): Mesh {
  return new Mesh({
    role: () => role,
    rules: NETWORK_RULES.public,
    reach: { forbids: endpoint => (formatEndpoint(endpoint) === formatEndpoint(OURS) ? 'ours' : null) },
  });
}

const at = (host: string, port = 6346): AltLocation => ({ host, port, tls: false });
const nth = (n: number): AltLocation => at(`20.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`);

t.test('what others name is kept for half a day, an hour for a file that we share', async t => {
  const mesh = publicMesh();
  t.ok(mesh.add(SHA1, at('20.0.0.1'), FETCHED, 0));
  t.notOk(mesh.add(SHA1, at('20.0.0.1'), FETCHED, 1), 'known');
  t.equal(mesh.ranked(SHA1, LIFETIME_MS).length, 1, 'it was named again at 1');
  t.equal(mesh.ranked(SHA1, LIFETIME_MS + 1).length, 0);
  mesh.add(SHA1, at('20.0.0.1'), { good: true, shared: true }, 0);
  t.equal(mesh.ranked(SHA1, SHARED_LIFETIME_MS).length, 0);
});

t.test('good are those that served us, and none that was only named', async t => {
  const mesh = publicMesh();
  mesh.add(SHA1, at('20.0.0.1'), FETCHED, 0);
  t.strictSame(mesh.goodLocations(SHA1, 10, 0), []);
  mesh.served(SHA1, at('20.0.0.2'), 1);
  mesh.served(SHA1, at('20.0.0.1'), 2);
  t.strictSame(mesh.goodLocations(SHA1, 10, 2), [at('20.0.0.1'), at('20.0.0.2')]);
  t.strictSame(mesh.goodLocations(SHA1, 1, 2), [at('20.0.0.1')]);
  t.strictSame(mesh.goodLocations(Buffer.alloc(20, 9), 1, 2), []);
});

t.test('a location that failed is out for two hours, unless it serves us again', async t => {
  const mesh = publicMesh();
  mesh.served(SHA1, at('20.0.0.1'), 0);
  mesh.failed(SHA1, at('20.0.0.1'), 10);
  t.strictSame(mesh.goodLocations(SHA1, 10, 10), []);
  t.notOk(mesh.add(SHA1, at('20.0.0.1'), FETCHED, 9 + BAN_MS));
  t.match(mesh.failures(SHA1, 11), [{ location: { host: '20.0.0.1' } }]);
  t.ok(mesh.add(SHA1, at('20.0.0.1'), FETCHED, 10 + BAN_MS));
  mesh.failed(SHA1, at('20.0.0.1'), 20 + BAN_MS);
  mesh.served(SHA1, at('20.0.0.1'), 21 + BAN_MS);
  t.equal(mesh.goodLocations(SHA1, 10, 21 + BAN_MS).length, 1);
  t.strictSame(mesh.failures(SHA1, 21 + BAN_MS), []);
});

t.test('reports of others move a location back, and ban it only from three networks', async t => {
  const mesh = publicMesh();
  mesh.served(SHA1, at('20.0.0.1'), 0);
  mesh.served(SHA1, at('20.0.0.2'), 1);
  const good = () => mesh.goodLocations(SHA1, 10, 5).map(({ host }) => host);
  mesh.report(SHA1, at('20.0.0.2'), '30.0.0.1', 2);
  t.strictSame(good(), ['20.0.0.1', '20.0.0.2'], 'the doubtful last');
  for (let i = 0; i < 100; i++) mesh.report(SHA1, at('20.0.0.2'), `30.0.${i}.7`, 2);
  mesh.report(SHA1, at('20.0.0.2'), '2001:db8::1', 2);
  mesh.report(SHA1, at('20.0.0.2'), '31.0.0.1', 2);
  t.equal(good().length, 2, 'one /16 counts once, and a documentation address not at all');
  mesh.report(SHA1, at('20.0.0.2'), '2600::1', 3);
  t.strictSame(good(), ['20.0.0.1']);
  t.notOk(mesh.add(SHA1, at('20.0.0.2'), FETCHED, 4));
  t.strictSame(mesh.failures(SHA1, 4), [], 'what others say is not passed on as our failure');
  mesh.report(SHA1, at('20.0.0.9'), '30.0.0.1', 2);
  mesh.report(Buffer.alloc(20, 9), at('20.0.0.1'), '30.0.0.1', 2);
  t.equal(mesh.files, 1, 'a report about nothing that we know takes no memory');
});

t.test('reports start again when a location serves us', async t => {
  const mesh = publicMesh();
  mesh.served(SHA1, at('20.0.0.1'), 0);
  for (const reporter of ['30.0.0.1', '31.0.0.1']) mesh.report(SHA1, at('20.0.0.1'), reporter, 1);
  mesh.served(SHA1, at('20.0.0.1'), 2);
  mesh.report(SHA1, at('20.0.0.1'), '32.0.0.1', 3);
  t.equal(mesh.goodLocations(SHA1, 1, 3).length, 1);
});

t.test('neither ours nor an address that nobody outside reaches is believed', async t => {
  const mesh = publicMesh();
  for (const host of ['127.0.0.1', '10.1.2.3', '192.168.1.1', '224.0.0.1', '192.0.2.1', 'fe80::1', OURS.host])
    t.equal(mesh.believed(at(host)), null, host);
  const serventGuid = Buffer.alloc(16, 7);
  const pushProxies = [at('10.0.0.1'), at('20.0.0.1'), at(OURS.host)];
  t.strictSame(mesh.believed({ serventGuid, fwt: 1, address: at('192.168.0.9'), pushProxies }), {
    serventGuid,
    fwt: 1,
    address: null,
    pushProxies: [at('20.0.0.1')],
  });
});

t.test(
  'a flood of names drives out no good location, and what we know of a servent is not changed by hearsay',
  async t => {
    const mesh = publicMesh();
    const serventGuid = Buffer.alloc(16, 7);
    const told = { serventGuid, fwt: null, address: null, pushProxies: [at('20.9.9.9')] };
    mesh.served(SHA1, told, 0);
    mesh.served(SHA1, at('20.0.0.1'), 0);
    mesh.add(SHA1, { ...told, pushProxies: [at('66.66.66.66')] }, FETCHED, 1);
    for (let n = 0; n < 5_000; n++) mesh.add(SHA1, nth(1000 + n), FETCHED, 2);
    t.equal(mesh.ranked(SHA1, 3).length, LOCATIONS_OF_FILE_MAX);
    t.strictSame(
      mesh.ranked(SHA1, 3).flatMap(({ good, location }) => (good ? [location] : [])),
      [at('20.0.0.1'), told].sort(() => -1),
    );
  },
);

t.test('the mesh of all files is bounded by role, and forgets the longest unused file', async t => {
  const mesh = publicMesh('ultrapeer');
  const { files, locations } = MESH_LIMITS.ultrapeer;
  for (let n = 0; n < files + 50; n++) {
    const sha1 = Buffer.alloc(20);
    sha1.writeUInt32BE(n);
    for (let i = 0; i < 15; i++) mesh.served(sha1, nth(i), n);
    assert.ok(mesh.files <= files && mesh.locations <= locations);
  }
  t.equal(mesh.goodLocations(Buffer.alloc(20), 1, files).length, 0, 'the first is forgotten');
  const last = Buffer.alloc(20);
  last.writeUInt32BE(files + 49);
  t.equal(mesh.goodLocations(last, 20, files + 49).length, 15);
});

t.test('whatever happens, the count is right and no banned location is known', async () => {
  const step = fc.record({
    what: fc.constantFrom('add', 'served', 'failed', 'report'),
    file: fc.nat({ max: 2 }),
    who: fc.nat({ max: 5 }),
    net: fc.nat({ max: 4 }),
    after: fc.nat({ max: BAN_MS }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const mesh = publicMesh();
      let now = 0;
      for (const { what, file, who, net, after } of steps) {
        now += after;
        const sha1 = Buffer.alloc(20, file);
        if (what === 'add') mesh.add(sha1, nth(who), FETCHED, now);
        else if (what === 'report') mesh.report(sha1, nth(who), `3${net}.1.1.1`, now);
        else mesh[what](sha1, nth(who), now);
        const banned = mesh.failures(sha1, now).map(({ location }) => location);
        for (const { location } of mesh.ranked(sha1, now)) assert.ok(!banned.includes(location));
        assert.ok(mesh.files <= 3 && mesh.locations <= 18 && mesh.locations >= mesh.ranked(sha1, now).length);
      }
    }),
  );
});

t.test('one host that names itself under many ports drives out nobody, and is told with few of them', async t => {
  const mesh = publicMesh();
  for (let n = 0; n < 20; n++) mesh.served(SHA1, nth(n), n);
  for (let port = 1000; port < 1300; port += 100) {
    const ports = Array.from({ length: 100 }, (_, i) => `66.6.6.6:${port + i}`);
    const flood = new MeshTalk(mesh, '66.6.6.6', null);
    flood.hear(SHA1, new Headers([['X-Alt', ports.join(', ')]]), true, 100);
  }
  for (const victim of ['77.7.7.7', '[2600::7]']) {
    const ports = Array.from({ length: 100 }, (_, i) => `${victim}:${1000 + i}`);
    new MeshTalk(mesh, '66.6.6.6', null).hear(SHA1, new Headers([['X-Alt', ports.join(', ')]]), true, 100);
  }
  const hosts = mesh.ranked(SHA1, 100).map(({ location }) => (isFirewalled(location) ? '' : location.host));
  t.equal(hosts.filter(host => host.startsWith('20.')).length, 20, 'those who have the file are still known');
  for (const host of ['66.6.6.6', '77.7.7.7', '2600::7'])
    t.equal(hosts.filter(each => each === host).length, LOCATIONS_OF_HOST_MAX, host);
});
