import t from 'tap';
import { Type } from '../../../../protocol/constants.ts';
import { encodeDescriptor } from '../../../../protocol/wire/header.ts';
import { encodeQuery, WHATS_NEW_GGEP, WHATS_NEW_TEXT } from '../../../../protocol/wire/query.ts';
import { encodeCapabilityList } from '../../../../protocol/wire/vendor/supported.ts';
import { random } from '../../../support/descriptors.ts';
import { LIMITS, tableFrames, vendor } from '../../../support/route-tables.ts';
import { type Puppet, VirtualNetwork } from '../../../support/virtual-network.ts';

const WHAT = vendor(encodeCapabilityList(new Map([['WHAT', 1]])));

/** A What's New query; `guid` to send the same again. */
function whatsNew(ttl: number, hops: number, guid: Buffer = random.guid()): Buffer {
  return encodeDescriptor(guid, Type.Query, ttl, hops, encodeQuery({ text: WHATS_NEW_TEXT, ggep: [WHATS_NEW_GGEP] }));
}

/** An ultrapeer with a neighbour that asks, two other ultrapeers and three leaves, of each kind the first said WHAT. */
function scene() {
  const network = new VirtualNetwork();
  const servent = network.add('up', { limits: LIMITS });
  const asker = network.puppet(servent);
  const [knows, ignores] = [network.puppet(servent), network.puppet(servent)];
  const [sharer, mute, empty] = [0, 1, 2].map(() => network.puppet(servent, 'leaf')) as [Puppet, Puppet, Puppet];
  for (const peer of [knows, sharer, empty]) peer.send(WHAT);
  for (const leaf of [sharer, mute]) leaf.send(...tableFrames(['word']));
  network.settle();
  const ttlsTo = (peer: Puppet): number[] => peer.ofType(Type.Query).map(({ ttl }) => ttl);
  return { network, servent, asker, all: () => [knows, ignores, sharer, mute, empty].map(ttlsTo) };
}

t.test(
  'near its asker What’s New goes on: to all with TTL to spare, on its last link to those that understand it',
  async t => {
    const far = scene();
    far.asker.send(whatsNew(3, 0));
    far.network.settle();
    t.strictSame(far.all(), [[2], [2], [1], [], []], 'of the leaves, to those that understand it and share');
    const last = scene();
    last.asker.send(whatsNew(2, 0));
    last.network.settle();
    t.strictSame(last.all(), [[1], [], [1], [], []]);
  },
);

t.test('two links away it goes to leaves alone, however much TTL it has, and a later copy nowhere', async t => {
  const { network, asker, all } = scene();
  const guid = random.guid();
  asker.send(whatsNew(2, 1, guid));
  network.settle();
  t.strictSame(all(), [[], [], [1], [], []]);
  asker.send(whatsNew(3, 1, guid));
  network.settle();
  t.strictSame(all(), [[], [], [1], [], []]);
});

t.test('a leaf’s goes to the other leaves, and one link further, to those that understand it', async t => {
  const { network, servent, all } = scene();
  const leaf = network.puppet(servent, 'leaf');
  leaf.send(whatsNew(3, 0));
  network.pass(10_000, 100);
  t.strictSame(all(), [[1], [], [1], [], []]);
});
