import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { Headers } from '../../../../protocol/handshake/header-block.ts';
import { NETWORK_RULES, type Profile } from '../../../../protocol/network-rules.ts';
import { parseAltLocations } from '../../../../protocol/transfer/mesh/alt-locations.ts';
import { isFirewalled, locationKey } from '../../../../protocol/transfer/mesh/file-locations.ts';
import { Mesh } from '../../../../protocol/transfer/mesh/mesh.ts';
import { MeshTalk } from '../../../../protocol/transfer/mesh/mesh-talk.ts';
import { formatSha1Urn } from '../../../../protocol/wire/urn.ts';

const SHA1 = Buffer.alloc(20, 1);
const OURS = { host: '5.5.5.5', port: 6346 };
const GUID = '9DBC52EEEBCA2C8A79036D626B959900';

function meshOf(profile: Profile = 'public'): Mesh {
  const forbids = ({ host, port }: typeof OURS) => (host === OURS.host && port === OURS.port ? 'ours' : null);
  return new Mesh({ role: () => 'leaf', rules: NETWORK_RULES[profile], reach: { forbids } });
}

const headers = (fields: Record<string, string>) => new Headers(Object.entries(fields));
const told = (talk: MeshTalk, now = 1) => Object.fromEntries(talk.tell(SHA1, null, now));
const known = (mesh: Mesh) => mesh.ranked(SHA1, 1).map(({ location, good }) => `${locationKey(location)} ${good}`);

t.test('a client that lists itself is good; others that it names are known, and told to nobody', async t => {
  const mesh = meshOf();
  const talk = new MeshTalk(mesh, '20.0.0.1', null);
  const fresh = talk.hear(SHA1, headers({ 'X-Alt': '20.0.0.1:7000, 66.6.6.6:80, tls=8' }), true, 1);
  t.equal(fresh.length, 2);
  t.strictSame(known(mesh), ['20.0.0.1:7000 true', '66.6.6.6:80 false']);
  t.strictSame(told(talk), {}, 'not itself');
  t.strictSame(told(new MeshTalk(mesh, '20.0.0.2', null)), { 'X-Alt': '20.0.0.1:7000' }, 'and not the victim');
});

t.test('a list that names us, private addresses or nonsense leaves nothing', async t => {
  const mesh = meshOf();
  const talk = new MeshTalk(mesh, '20.0.0.1', null);
  const list = '5.5.5.5, 10.0.0.1:6346, 127.0.0.1, 192.168.1.1, 224.1.1.1, x, , 20.0.0.2:0, 999.1.1.1';
  t.strictSame(talk.hear(SHA1, headers({ 'X-Alt': list, 'X-NAlt': list }), true, 1), []);
  t.equal(mesh.files, 0);
});

t.test('profile local: all share the address, so that the port tells the peer', async t => {
  const mesh = meshOf('local');
  const talk = new MeshTalk(mesh, '127.0.0.1', null);
  talk.hear(SHA1, headers({ 'X-Node': '127.0.0.1:7001', 'X-Alt': '127.0.0.1:7001, 127.0.0.1:7002' }), true, 1);
  t.strictSame(known(mesh), ['127.0.0.1:7001 true', '127.0.0.1:7002 false']);
  mesh.served(SHA1, { host: '127.0.0.1', port: 7002, tls: true }, 1);
  t.strictSame(told(talk), { 'X-Alt': 'tls=8, 127.0.0.1:7002' });
});

t.test('ten a message, each once a connection, a hundred at most', async t => {
  const mesh = meshOf();
  for (let i = 0; i < 150; i++) mesh.served(SHA1, { host: `20.1.0.${i}`, port: 6346, tls: false }, i);
  const talk = new MeshTalk(mesh, '20.0.0.1', null);
  const seen = new Set<string>();
  const sizes = Array.from({ length: 12 }, () => {
    const list = parseAltLocations(told(talk, 150)['X-Alt'] ?? '');
    for (const location of list) seen.add(location.host);
    return list.length;
  });
  t.strictSame(sizes, [...Array<number>(10).fill(10), 0, 0]);
  t.equal(seen.size, 100);
  t.ok(seen.has('20.1.0.149'), 'the latest first');
});

t.test('our failures go out once as X-NAlt, and ourselves first where we have a part', async t => {
  const mesh = meshOf();
  mesh.failed(SHA1, { host: '20.1.0.1', port: 6346, tls: true }, 0);
  mesh.served(SHA1, { host: '20.1.0.2', port: 6346, tls: true }, 0);
  const talk = new MeshTalk(mesh, '20.0.0.1', 6346);
  t.strictSame(talk.tell(SHA1, OURS, 1), [
    ['X-Alt', 'tls=4, 5.5.5.5, 20.1.0.2'],
    ['X-NAlt', '20.1.0.1'],
  ]);
  t.strictSame(talk.tell(SHA1, OURS, 1), []);
});

t.test('firewalled ones only to those who take them; IPv6 only to those who have it', async t => {
  const mesh = meshOf();
  const source = new MeshTalk(mesh, '20.0.0.1', null);
  const [heard] = source.hear(SHA1, headers({ 'X-Falt': `${GUID};fwt/1;10.0.0.1:80;20.9.9.9:6346` }), true, 1);
  if (heard === undefined || !isFirewalled(heard)) throw new Error('one firewalled location');
  t.equal(heard.pushProxies.length, 1, 'private proxies are cut off');
  const plain = new MeshTalk(mesh, '20.0.0.2', null);
  const able = new MeshTalk(mesh, '20.0.0.3', null);
  able.hear(SHA1, headers({ 'X-Features': 'fwalt/0.1, IP/6.0' }), true, 1);
  t.strictSame(told(able), {}, 'only named so far');
  mesh.served(SHA1, heard, 1);
  mesh.served(SHA1, { host: '2600::1', port: 6346, tls: false }, 1);
  t.strictSame(told(plain), {});
  t.strictSame(told(able), { 'X-Alt': '[2600::1]', 'X-Falt': `${GUID};fwt/1;20.9.9.9:6346` });
  const itself = new MeshTalk(mesh, '20.0.0.4', null);
  itself.hear(SHA1, headers({ 'X-Features': 'fwalt/0.1', 'X-FW-Node-Info': `${GUID};fwt/1` }), true, 1);
  t.strictSame(told(itself), {});
});

t.test('a peer that names itself firewalled is not good by that: its proxies may be victims', async t => {
  const mesh = meshOf();
  new MeshTalk(mesh, '20.0.0.1', null).hear(
    SHA1,
    headers({ 'X-FW-Node-Info': GUID, 'X-Falt': `${GUID};66.6.6.6:80` }),
    true,
    1,
  );
  t.strictSame(known(mesh), [`${GUID.toLowerCase()} false`]);
});

t.test('X-NAlt counts for the network that it comes from; legacy lists are read', async t => {
  const mesh = meshOf();
  const at = (host: string) => new MeshTalk(mesh, host, null);
  const legacy = `http://20.1.0.1:6346/uri-res/N2R?${formatSha1Urn(SHA1)} 2002-04-30T08:30Z`;
  at('20.0.0.1').hear(SHA1, headers({ 'X-Gnutella-Alternate-Location': legacy }), false, 1);
  t.equal(known(mesh).length, 1);
  for (const host of ['30.0.0.1', '30.0.0.2', '31.0.0.1', '32.0.0.1']) {
    t.equal(known(mesh).length, 1, host);
    at(host).hear(SHA1, headers({ 'X-Nalt': '20.1.0.1' }), false, 1);
  }
  t.equal(known(mesh).length, 0);
});

t.test('one connection names at most a hundred, whatever it sends; any text is read', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('X-Alt', 'X-NAlt', 'X-Falt', 'X-FW-Node-Info'), fc.string())),
      fields => {
        new MeshTalk(meshOf(), '20.0.0.1', null).hear(SHA1, new Headers(fields), true, 1);
      },
    ),
  );
  const mesh = meshOf();
  const talk = new MeshTalk(mesh, '20.0.0.1', null);
  for (let i = 0; i < 20; i++) {
    const list = Array.from({ length: 90 }, (_, n) => `20.2.${i}.${n}`).join(',');
    talk.hear(SHA1, headers({ 'X-Alt': list }), true, 1);
  }
  assert.equal(known(mesh).length, 100);
});
