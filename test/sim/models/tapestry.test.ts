// Tapestry: one root for each key from everywhere, and pointers that come and go with announcements.
import fc from 'fast-check';
import t from 'tap';
import { drawIdentifiers } from '../../../sim/keys/identifiers.ts';
import { keyOf } from '../../../sim/keys/keyed-files.ts';
import { Digits } from '../../../sim/keys/prefix-tables.ts';
import { TapestryNodes } from '../../../sim/keys/tapestry-nodes.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';
import { SharedFiles } from '../../../sim/workload/shared-files.ts';

t.test('each key has one root from everywhere, with any nodes', async t => {
  const anyId = fc.integer({ min: 0, max: 0xffff_ffff });
  const drawn = fc.uniqueArray(anyId, { minLength: 1, maxLength: 30 });
  const property = fc.property(drawn, anyId, (numbers, key) => {
    const ids = Uint32Array.from(numbers).sort();
    const digits = new Digits(4, 8);
    const tapestry = new TapestryNodes({ ids, random: new SeededRandom(1), digits, latencyMs: () => 1 });
    const probes = Array.from(ids.keys(), from => tapestry.probe(from, key));
    tapestry.network.run();
    t.strictSame(new Set(probes.map(({ at }) => at)), new Set([tapestry.ownerOf(key)]));
  });
  fc.assert(property, { seed: 1, numRuns: 100 });
});

t.test('where no node has a digit, the next one that some node has stands for it', async t => {
  const digits = new Digits(4, 8);
  const ids = Uint32Array.of(0x1234_0000, 0x5678_0000, 0x5abc_0000);
  const tapestry = new TapestryNodes({ ids, random: new SeededRandom(1), digits, latencyMs: () => 1 });
  const roots = [0x1000_0000, 0x2000_0000, 0x5700_0000, 0x5b00_0000, 0xf000_0000].map(key => tapestry.ownerOf(key));
  t.strictSame(roots, [0, 1, 2, 1, 0]);
});

t.test('an announcement leaves pointers on its way, which a search uses and a withdrawal takes', async t => {
  const random = new SeededRandom(2);
  const files = new SharedFiles({ peers: 300, random, files: 20 });
  const ids = drawIdentifiers(300, random);
  const tapestry = new TapestryNodes({ ids, random, digits: new Digits(4, 8), latencyMs: () => 10, files });
  tapestry.files?.announce();
  const pointing = (): number[] => [...ids.keys()].filter(node => (tapestry.files?.holdersAt(node, 3).length ?? 0) > 0);
  const pointers = pointing();
  t.ok(pointers.length > 1);
  t.ok(pointers.includes(tapestry.ownerOf(keyOf(3))));
  for (const holder of files.holders[3] ?? []) tapestry.files?.withdraw(holder, 3);
  tapestry.network.run();
  t.strictSame(pointing(), []);
});
