// Streams over a tree and over a mesh, small enough to follow.
import t from 'tap';
import { Mesh } from '../../../sim/multicast/mesh.ts';
import { Tree } from '../../../sim/multicast/tree.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';
import { Graph } from '../../../sim/topology/graph.ts';

t.test('a tree of two children each fills level by level', async t => {
  const tree = new Tree(7, 5, { source: 2, viewer: 2 }, new SeededRandom(1));
  t.strictSame(tree.depths, [1, 1, 2, 2, 2, 2, 3]);
  tree.play();
  t.strictSame([tree.fromSource, tree.missed, tree.delays.length], [10, [0, 0, 0, 0, 0, 0, 0], 35]);
});

t.test('those below a viewer that leaves miss a few chunks, and join again', async t => {
  const tree = new Tree(7, 30, { source: 2, viewer: 2 }, new SeededRandom(1));
  t.strictSame(
    [3, 4, 5, 7].map(viewer => tree.isBelow(viewer, above => above === 1)),
    [true, true, false, true],
  );
  tree.network.after(10_000, () => tree.network.fail(1));
  tree.play();
  const [two, three, four, five, six, seven] = tree.missed;
  t.strictSame([two, five, six], [0, 0, 0]);
  for (const count of [three, four, seven]) t.ok((count ?? 0) >= 1 && (count ?? 0) <= 6, `${count}`);
});

t.test('without a place nobody comes in', async t => {
  const tree = new Tree(4, 5, { source: 1, viewer: 0 }, new SeededRandom(1));
  tree.play();
  t.strictSame(tree.missed, [0, 5, 5, 5]);
});

t.test('in a mesh a chunk goes around a viewer that has left', async t => {
  // 0 - 1 - 3 and 0 - 2 - 3
  const graph = new Graph(4, [0, 1, 1, 3, 0, 2, 2, 3]);
  const mesh = new Mesh({ graph, chunks: 20, uplink: 3, random: new SeededRandom(1) });
  mesh.network.after(9_900, () => mesh.network.fail(1));
  mesh.play();
  t.strictSame(mesh.missed, [0, 0]);
  t.ok(mesh.fromSource <= 40);
});

t.test('an uplink below the stream cannot carry it', async t => {
  const graph = new Graph(2, [0, 1]);
  const mesh = new Mesh({ graph, chunks: 60, uplink: 0.5, random: new SeededRandom(1) });
  mesh.play();
  t.ok((mesh.missed[0] ?? 0) > 10, `${mesh.missed[0]}`);
});
