// Which links pushes take, whatever GUIDs hits are forged with.
import t from 'tap';
import { Type } from '../../../../protocol/constants.ts';
import { Frame } from '../../../../protocol/wire/frame-reader.ts';
import { hitFor, hitPayload, push, query, random } from '../../../support/descriptors.ts';
import { type Puppet, VirtualNetwork } from '../../../support/virtual-network.ts';

const pushes = (puppet: Puppet) => puppet.ofType(Type.Push).length;

/** A servent that has passed on a query and the hit of an honest servent with this GUID. */
function scene() {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const [asking, honest] = [0, 1].map(() => network.puppet(servent)) as [Puppet, Puppet];
  const guid = random.guid();
  const sent = query(4, 0);
  asking.send(sent);
  honest.send(hitFor(sent, 5, 0, hitPayload(guid)));
  network.settle();
  return { network, servent, asking, honest, guid, sent };
}

t.test(
  'the first link to a servent stays while others claim to lead there, and the latest of those gets pushes too',
  async t => {
    const network = new VirtualNetwork();
    const servent = network.add('a');
    const [asking, first, liar, other] = [0, 1, 2, 3].map(() => network.puppet(servent)) as [
      Puppet,
      Puppet,
      Puppet,
      Puppet,
    ];
    const guid = random.guid();
    const sent = query(4, 0);
    asking.send(sent);
    for (const peer of [first, liar, other, liar]) peer.send(hitFor(sent, 5, 0, hitPayload(guid)));
    asking.send(push(guid, 4, 0));
    network.settle();
    t.strictSame([first, liar, other].map(pushes), [1, 1, 0]);
    servent.overlay.removeLink(first.link, 'gone');
    other.send(hitFor(sent, 5, 0, hitPayload(guid)));
    asking.send(push(guid, 4, 0));
    network.settle();
    t.strictSame([liar, other].map(pushes), [2, 1], 'the place of a link that is gone is free');
  },
);

t.test('forged servent GUIDs do not crowd out the ways to others', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const at = (n: number) => ({ endpoint: { host: `80.5.5.${n}`, port: 6346 } });
  const [asking, honest, liar] = [0, 1, 2].map(n => network.puppet(servent, 'ultrapeer', {}, at(n))) as [
    Puppet,
    Puppet,
    Puppet,
  ];
  const leaf = network.puppet(servent, 'leaf', {}, at(3));
  const guid = random.guid();
  const sent = query(4, 0);
  asking.send(sent);
  honest.send(hitFor(sent, 5, 0, hitPayload(guid)));
  network.settle();
  const before = servent.overlay.routeTables.servents;
  for (let i = 0; i < 40_000; i++) {
    liar.send(hitFor(sent, 5, 0, hitPayload(random.guid())));
    if (i % 200 === 0) network.settle();
  }
  for (let i = 0; i < 100; i++) leaf.send(hitFor(sent, 5, 0, hitPayload(random.guid())));
  network.settle();
  t.equal(servent.overlay.routeTables.servents - before, 2_000 + 8, 'each link has its share');
  t.equal(servent.overlay.counters.pushRoutesRefused, 38_000 + 92);
  asking.send(push(guid, 4, 0));
  network.settle();
  t.equal(pushes(honest), 1);
});

t.test('a liar that comes back again and again has its share once', async t => {
  const { network, servent, sent } = scene();
  const before = servent.overlay.routeTables.servents;
  for (let times = 0; times < 10; times++) {
    const liar = network.puppet(servent, 'ultrapeer', {}, { endpoint: { host: '80.5.5.5', port: 2_000 + times } });
    for (let i = 0; i < 1_500; i++) {
      liar.send(hitFor(sent, 5, 0, hitPayload(random.guid())));
      if (i % 200 === 0) network.settle();
    }
    network.settle();
    servent.overlay.removeLink(liar.link, 'gone');
  }
  t.equal(servent.overlay.routeTables.servents - before, 2_000);
});

t.test('one address that sends pushes by datagram without end does not take the room of others', async t => {
  const { network, servent, honest, guid } = scene();
  const come = (serventGuid: Buffer, host: string): boolean => {
    const frame = new Frame();
    frame.bytes = push(serventGuid, 4, 0);
    frame.end = frame.bytes.length;
    return servent.overlay.receiveDatagramPush(frame, { host, port: 6346 }, 1_000);
  };
  for (let i = 0; i < 1_000; i++) come(random.guid(), '80.5.5.5');
  t.equal(come(guid, '80.5.5.5'), false, 'it has had its share');
  t.equal(come(guid, '80.6.6.6'), true);
  network.settle();
  t.equal(pushes(honest), 1);
});
