// Gnutella 0.4: how far a flood goes, and the way of its hits.
import fc from 'fast-check';
import t from 'tap';
import { Gnutella04 } from '../../../sim/models/gnutella04.ts';
import { distancesFrom } from '../../../sim/topology/paths.ts';
import { modelRun } from '../../support/model-run.ts';

t.test('TTL 1 reaches the neighbours and no further', async t => {
  const gnutella = new Gnutella04(modelRun(100, 1));
  gnutella.ask(7, 0, 1);
  const neighbours = [...gnutella.overlay.neighbours(7)];
  t.equal(gnutella.queries, neighbours.length);
  t.equal(gnutella.reached[0], neighbours.length);
  t.equal(gnutella.hits, neighbours.filter(servent => gnutella.files.has(servent, 0)).length);
});

t.test(
  'on any overlay a flood that no TTL ends reaches all that are connected, once, and brings all their hits',
  async t => {
    const property = fc.property(fc.nat(), fc.nat(3), fc.nat(59), fc.nat(59), (seed, overlay, asker, file) => {
      const gnutella = new Gnutella04(modelRun(60, seed, { overlay }));
      const { reached } = distancesFrom(gnutella.overlay, asker);
      gnutella.ask(asker, file, 60);
      return (
        gnutella.reached[0] === reached.length - 1 &&
        gnutella.queries - gnutella.repeated === reached.length - 1 &&
        gnutella.hits === reached.filter(servent => servent !== asker && gnutella.files.has(servent, file)).length &&
        gnutella.astray === 0
      );
    });
    t.doesNotThrow(() => fc.assert(property, { seed: 1, numRuns: 50 }));
  },
);

t.test('a hit is lost with a servent on its way', async t => {
  const gnutella = new Gnutella04(modelRun(100, 2));
  const { network, overlay, files } = gnutella;
  const near = [7, ...overlay.neighbours(7)];
  const file = files.holders.findIndex(holders => holders.length > 2 && !holders.some(holder => near.includes(holder)));
  const deliver = network.onMessage;
  network.onMessage = (to, message, from) => {
    deliver(to, message, from);
    if (from === 7) network.fail(to);
  };
  gnutella.ask(7, file, 20);
  t.equal(gnutella.hits, 0, 'each neighbour sent the query on, and was gone when hits came back');
  t.equal(gnutella.reached[0], 99);
  t.ok(network.lost > 2);
});
