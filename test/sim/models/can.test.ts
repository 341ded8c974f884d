// CAN: zones fill the torus whatever is split and merged, neighbours are the zones that touch, and each key is found.
import fc from 'fast-check';
import t from 'tap';
import { CanNodes } from '../../../sim/keys/can-nodes.ts';
import { Zones } from '../../../sim/keys/zones.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';

t.test('zones fill the torus and know those that touch them, after any splits and merges', async t => {
  const step = fc.record({ pick: fc.nat(), merges: fc.boolean() });
  const property = fc.property(
    fc.integer({ min: 1, max: 3 }),
    fc.array(step, { maxLength: 25 }),
    (dimensions, steps) => {
      const zones = new Zones(dimensions);
      const living = new Set([0]);
      for (const { pick, merges } of steps) {
        const all = [...living];
        const zone = all[pick % all.length] ?? 0;
        const sibling = zones.sibling(zone);
        if (!merges) living.add(zones.split(zone));
        else if (sibling !== null) living.delete(zones.merge(zone, sibling) === zone ? sibling : zone);
      }
      const all = [...living];
      t.equal(
        all.reduce((sum, zone) => sum + zones.volume(zone), 0),
        1,
      );
      for (const zone of all) {
        const touching = all.filter(other => other !== zone && zones.touch(zone, other));
        t.strictSame(
          (zones.neighbours[zone] ?? []).toSorted((a, b) => a - b),
          touching.sort((a, b) => a - b),
        );
      }
      const random = new SeededRandom(1);
      for (let i = 0; i < 20; i++) {
        const point = Array.from({ length: dimensions }, () => random.float());
        t.strictSame(
          all.filter(zone => zones.distance(zone, point) === 0),
          [zones.at(point)],
        );
      }
    },
  );
  fc.assert(property, { seed: 1, numRuns: 60 });
});

t.test('each look-up ends at the zone of its point, in any dimensions', async t => {
  const property = fc.property(
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 1, max: 60 }),
    fc.nat(),
    (dimensions, nodes, key) => {
      const can = new CanNodes({ nodes, dimensions, random: new SeededRandom(nodes) });
      const probe = can.probe(key % nodes, key);
      can.network.run();
      t.ok(probe.isRight);
    },
  );
  fc.assert(property, { seed: 1, numRuns: 100 });
});

t.test('neighbours take the zones of a node that failed, and give one of them to a node that joins', async t => {
  const can = new CanNodes({ nodes: 30, dimensions: 2, random: new SeededRandom(1), ackMs: 500 });
  const zonesOfFailed = [...(can.zonesOf[7] ?? [])];
  can.keepUp();
  can.network.fail(7);
  can.network.run(200_000);
  t.strictSame(can.zonesOf[7], []);
  t.ok(zonesOfFailed.every(zone => can.owner[zone] !== 7));
  t.equal(
    can.zonesOf.flat().reduce((sum, zone) => sum + can.zones.volume(zone), 0),
    1,
  );
  can.network.revive(7);
  can.join(7, 3);
  can.network.run(210_000);
  t.ok(can.isMember(7));
  t.equal(can.zonesOf[7]?.length, 1);
});
