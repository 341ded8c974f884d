import t from 'tap';
import { DhtLookups } from '../../../daemon/admin/dht-lookups.ts';
import { ALOC_WITH_LENGTH, encodeAloc } from '../../../protocol/dht/aloc.ts';
import type { DhtContact } from '../../../protocol/dht/dht-contact.ts';
import type { DhtValue } from '../../../protocol/dht/dht-value.ts';
import { serventKey } from '../../../protocol/dht/kuid.ts';
import { encodeNope } from '../../../protocol/dht/nope.ts';
import { encodeProx } from '../../../protocol/dht/prox.ts';
import { DhtScene } from '../../support/dht-scene.ts';

const SERVENT = '00112233445566778899aabbccddeeff';
const serventGuid = Buffer.from(SERVENT, 'hex');
const NOT_SAID = { available: null, tls: false, tigerRoot: null, hostName: null };
const URN = 'urn:sha1:PLSTHIPQGSSZTS5FJUPAKUZWUGYQYPFB';

/** Lookups of a node that knows another one. */
function scene(): { scene: DhtScene; lookups: DhtLookups; other: DhtContact } {
  const scene = new DhtScene();
  const other = scene.acquaint(scene.contact(1));
  scene.pass(30_000);
  const { dht: node } = scene;
  const lookups = new DhtLookups(
    {
      node,
      findNode: (kuid, now, onEnd) => node.findNode(kuid, now, onEnd, true),
      findValue: (key, type, now, onEnd) => node.findValue(key, type, now, onEnd),
    },
    { now: () => scene.now },
  );
  return { scene, lookups, other };
}

t.test('values are shown as they say, and malformed ones as far as they can be read', async t => {
  const { scene: at, lookups, other } = scene();
  const key = serventKey(serventGuid);
  const creators = [1, 2, 3, 4].map(n => at.contactAt({ host: `5.6.7.${n}`, port: 6346 }));
  const data: [type: string, version: number, data: Buffer][] = [
    [
      'ALOC',
      ALOC_WITH_LENGTH,
      encodeAloc({ ...{ serventGuid, firewalled: true, port: 1000, length: 12 }, ...NOT_SAID }),
    ],
    [
      'PROX',
      0,
      encodeProx({
        ...{ serventGuid, features: 0, firewallTransferVersion: 0, port: 1001 },
        proxies: [{ endpoint: { host: '9.9.9.9', port: 7 }, tls: false }],
      }),
    ],
    ['NOPE', 0, encodeNope({ serventGuid, port: 1002, tls: false })],
    ['ALOC', ALOC_WITH_LENGTH, Buffer.of(1, 2, 3)],
  ];
  const values = data.map(([type, version, data], i): DhtValue => {
    const creator = creators[i];
    if (creator === undefined) throw new Error('too few creators');
    return { creator, key, type, version, data };
  });
  const { id } = lookups.start({ guid: SERVENT });
  t.match(lookups.get(id), { state: 'running', error: null, path: [], values: [] });
  at.now += 70;
  at.answer(other, { kind: 'value', load: 1, values, secondaryKeys: [] });
  const lookup = lookups.get(id);
  t.match(lookup, { state: 'found', target: key.toString('hex'), asked: 1 });
  t.match(lookup.path, [{ kuid: other.kuid.toString('hex'), ms: 70 }]);
  t.match(lookup.values, [
    {
      type: 'ALOC',
      address: '5.6.7.1:1000',
      version: '0.1',
      servent: SERVENT,
      firewalled: true,
      size: 12,
      proxies: [],
    },
    { type: 'PROX', address: '5.6.7.2:1001', servent: SERVENT, firewalled: null, proxies: ['9.9.9.9:7'] },
    { type: 'NOPE', address: '5.6.7.3:1002', servent: SERVENT, size: null },
    { type: 'ALOC', address: '5.6.7.4:6346', servent: null, firewalled: null, size: null },
  ]);
});

t.test('the path is the chain of nodes that led to the last one', async t => {
  const { scene: at, lookups, other } = scene();
  const wanted = at.contact(2);
  const { id } = lookups.start({ kuid: wanted.kuid.toString('hex') });
  at.answer(other, { kind: 'foundNode', token: Buffer.alloc(4), contacts: [wanted] });
  at.now += 30;
  at.answer(wanted, { kind: 'foundNode', token: Buffer.alloc(4), contacts: [] });
  const { state, path } = lookups.get(id);
  t.equal(state, 'found');
  const hex = [other, wanted].map(({ kuid }) => kuid.toString('hex'));
  t.strictSame(
    path.map(({ kuid, ms }) => [kuid, ms]),
    [
      [hex[0], 0],
      [hex[1], 30],
    ],
  );
});

t.test('lookups are bounded in number and in time, and end when the mode changes', async t => {
  const { scene: at, lookups } = scene();
  const ids = [1, 2, 3, 4].map(() => lookups.start({ urn: URN }).id);
  t.throws(() => lookups.start({ urn: URN }), { code: 'TOO_MANY' });
  at.now += 181_000; // the node is not called meanwhile
  for (const id of ids) t.match(lookups.get(id), { state: 'failed', error: /too long/ });
  const { id } = lookups.start({ urn: URN });
  at.dht.setMode('passive', at.now);
  t.match(lookups.get(id), { state: 'failed', error: /mode/ });
  at.dht.setMode('off', at.now);
  t.throws(() => lookups.start({ urn: URN }), { code: 'CONFLICT', message: /set dht\.mode/ });
  at.dht.setMode('active', at.now);
  for (let i = 0; i < 40; i++) {
    const later = lookups.start({ urn: URN }).id;
    at.dht.setMode(i % 2 === 0 ? 'passive' : 'active', at.now);
    t.equal(lookups.get(later).state, 'failed');
  }
  t.throws(() => lookups.get(id), { code: 'NOT_FOUND' }, 'the latest 32 are kept');
});

t.test('a content without a SHA-1 is refused', async t => {
  const { lookups } = scene();
  for (const urn of ['urn:md5:0123', `urn:tree:tiger:${'A'.repeat(39)}`])
    t.throws(() => lookups.start({ urn }), { code: 'INVALID', message: /urn:sha1/ });
});
