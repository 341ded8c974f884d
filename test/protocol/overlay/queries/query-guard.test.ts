import fc from 'fast-check';
import t from 'tap';
import { Type } from '../../../../protocol/constants.ts';
import { QUERY_GUARD } from '../../../../protocol/overlay/queries/query-guard.ts';
import { encodeDescriptor } from '../../../../protocol/wire/header.ts';
import { encodeQuery } from '../../../../protocol/wire/query.ts';
import { query, random } from '../../../support/descriptors.ts';
import { VirtualNetwork } from '../../../support/virtual-network.ts';

function scene(limits = { queries: QUERY_GUARD as typeof QUERY_GUARD | null }) {
  const network = new VirtualNetwork();
  const servent = network.add('a', { limits });
  const other = network.puppet(servent);
  const passed = () => {
    network.settle();
    const { length } = other.ofType(Type.Query);
    other.seen = [];
    return length;
  };
  return { network, servent, passed };
}

t.test('the same again under another GUID is dropped: from a leaf for 10 s, from an ultrapeer for 5 s', async t => {
  const { network, servent, passed } = scene();
  const leaf = network.puppet(servent, 'leaf');
  const ultrapeer = network.puppet(servent);
  leaf.send(query(4, 0), query(4, 0));
  t.equal(passed(), 1);
  network.clock.ms += 9_999;
  leaf.send(query(4, 0));
  t.equal(passed(), 0);
  network.clock.ms += 1;
  leaf.send(query(4, 0));
  t.equal(passed(), 1, 'what was dropped in between does not prolong the time');
  ultrapeer.send(query(3, 1), query(3, 1), query(2, 2), query(3, 1, 'other words'));
  t.equal(passed(), 3, 'another link; then other hops and other words, but not the same');
  network.clock.ms += 4_999;
  ultrapeer.send(query(3, 1));
  t.equal(passed(), 0);
  network.clock.ms += 10_000;
  ultrapeer.send(query(3, 1));
  t.equal(passed(), 1);
});

t.test('queries by URN are told apart by their URNs', async t => {
  const { network, servent, passed } = scene();
  const leaf = network.puppet(servent, 'leaf');
  for (let n = 0; n < 5; n++) {
    const payload = encodeQuery({ text: '', urns: [{ sha1: Buffer.alloc(20, n), tigerRoot: null }] });
    leaf.send(encodeDescriptor(random.guid(), Type.Query, 4, 0, payload));
  }
  t.equal(passed(), 5);
});

t.test('nothing to look for is nothing to pass on', async t => {
  const { network, servent, passed } = scene({ queries: null });
  const leaf = network.puppet(servent, 'leaf');
  for (const payload of [Buffer.from([0x80, 0, 0, 0]), Buffer.from([0x80, 0, 0, 0x1c])])
    leaf.send(encodeDescriptor(random.guid(), Type.Query, 4, 0, payload));
  t.equal(passed(), 0);
  t.equal(servent.overlay.drops.toRecord()['query_empty'], 2);
});

t.test('without limits, as in a lab, everything passes', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), count => {
      const { network, servent, passed } = scene({ queries: null });
      const leaf = network.puppet(servent, 'leaf');
      for (let n = 0; n < count; n++) leaf.send(query(4, 0));
      return passed() === count;
    }),
    { numRuns: 10 },
  );
});

t.test('two people who ask the same through one ultrapeer within five seconds both hear from its leaf', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('leaf', { role: 'leaf', limits: { queries: QUERY_GUARD } });
  servent.library.share('alpha song');
  const ultrapeer = network.puppet(servent);
  ultrapeer.send(query(1, 2, 'song'), query(1, 2, 'song'));
  network.settle();
  t.equal(ultrapeer.ofType(Type.QueryHit).length, 2);
  t.equal(servent.overlay.drops.toRecord()['query_repeated'], undefined);
});
