// Chord: fingers are the successors of their points, each key is found, and a circle that one node founded holds all that join.
import fc from 'fast-check';
import t from 'tap';
import { ChordNodes } from '../../../sim/keys/chord-nodes.ts';
import { Circle, drawIdentifiers, hashed, successorOf } from '../../../sim/keys/identifiers.ts';
import { rightness } from '../../../sim/models/chord.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';

t.test('distances go round the circle', async t => {
  const small = new Circle(4);
  t.strictSame([small.distance(14, 1), small.distance(1, 14), small.nearness(14, 1), small.plus(14, 3)], [3, 13, 3, 1]);
  t.ok(small.isBetween(0, 14, 1));
  t.notOk(small.isBetween(14, 14, 1));
  t.ok(new Circle().isBetween(3, 0xffff_fff0, 5));
  t.not(hashed(1), hashed(1, 1));
  t.equal(new Set(Array.from({ length: 10_000 }, (_, i) => hashed(i))).size, 10_000);
});

t.test('the tables that stabilisation reaches, and look-ups by them, with any nodes', async t => {
  const drawn = fc.uniqueArray(fc.integer({ min: 0, max: 0xffff_ffff }), { minLength: 2, maxLength: 30 });
  const key = fc.integer({ min: 0, max: 0xffff_ffff });
  const property = fc.property(drawn, key, fc.nat(), (numbers, key, start) => {
    const ids = Uint32Array.from(numbers).sort();
    const chord = new ChordNodes({ ids, random: new SeededRandom(1) });
    t.strictSame(rightness(chord), { neighbours: 1, fingers: 1 });
    const probe = chord.probe(start % ids.length, key);
    chord.network.run();
    t.equal(
      probe.at,
      successorOf(ids, key, () => true),
    );
    t.ok(probe.hops <= 33, 'each finger at least halves the distance');
  });
  fc.assert(property, { seed: 1, numRuns: 100 });
});

t.test('nodes join a circle of one', async t => {
  const random = new SeededRandom(1);
  const chord = new ChordNodes({ ids: drawIdentifiers(20, random), random, founders: [7] });
  chord.keepUp();
  for (let node = 0; node < 20; node++) if (node !== 7) chord.join(node, 7);
  chord.network.run(1_200_000);
  t.strictSame(rightness(chord), { neighbours: 1, fingers: 1 });
});

t.test('a node alone on the circle stays on it', async t => {
  const random = new SeededRandom(1);
  const chord = new ChordNodes({ ids: drawIdentifiers(3, random), random, founders: [1] });
  chord.keepUp();
  chord.network.run(300_000);
  t.equal(chord.ownerOf(0), 1);
});
