// Graphs of the simulator: what generators promise, and what can be reached.
import fc from 'fast-check';
import t from 'tap';
import { SeededRandom } from '../../../sim/seeded-random.ts';
import { configurationModel } from '../../../sim/topology/configuration-model.ts';
import { powerLaw, sameDegree, withHubs } from '../../../sim/topology/degree-distribution.ts';
import { Graph } from '../../../sim/topology/graph.ts';
import { randomLoss, targetedLoss } from '../../../sim/topology/loss.ts';
import { distancesFrom, largestComponent, pathLengths } from '../../../sim/topology/paths.ts';
import { largestShare } from '../../../sim/topology/percolation.ts';
import { preferentialAttachment } from '../../../sim/topology/preferential-attachment.ts';
import { randomGraph } from '../../../sim/topology/random-graph.ts';

t.test('a link goes both ways, once, and not to oneself', async t => {
  const links = fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { maxLength: 60 });
  const property = fc.property(links, links => {
    const graph = new Graph(10, links.flat());
    const expected = Array.from({ length: 10 }, (_, node) => {
      const others = links.flatMap(([a, b]) => (a === node ? [b] : b === node ? [a] : []));
      return [...new Set(others)].filter(other => other !== node).sort();
    });
    for (const [node, others] of expected.entries()) {
      if (String([...graph.neighbours(node)]) !== String(others) || graph.degree(node) !== others.length) return false;
    }
    return graph.links === expected.flat().length / 2;
  });
  t.doesNotThrow(() => fc.assert(property, { seed: 1 }));
});

t.test('paths in a ring of six with a tail, and after loss', async t => {
  const graph = new Graph(8, [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 0, 3, 6]);
  t.strictSame([...distancesFrom(graph, 0).distances], [0, 1, 2, 3, 2, 1, 4, -1]);
  t.strictSame(pathLengths(graph, [0, 1, 2, 3, 4, 5, 6]).longest, 4);
  t.equal(pathLengths(graph, [3]).mean, (1 + 1 + 2 + 2 + 3 + 1) / 6);
  t.strictSame([...largestComponent(graph)].sort(), [0, 1, 2, 3, 4, 5, 6]);
  t.strictSame([...largestComponent(graph, node => node !== 3)].sort(), [0, 1, 2, 4, 5]);
  t.strictSame([...targetedLoss(graph, 1 / 8)], [0, 0, 0, 1, 0, 0, 0, 0], 'three links are the most');
  t.equal(
    randomLoss(graph, 0.5, new SeededRandom(1)).reduce((sum, lost) => sum + lost, 0),
    4,
  );
});

t.test('generators give the links that they were asked for', async t => {
  const random = new SeededRandom(1);
  const same = configurationModel(new Uint32Array(2000).fill(4), random);
  t.ok(same.degrees.every(degree => degree <= 4));
  t.ok(same.links > 0.99 * 4000, 'few links are loops or repeated');
  t.ok(Math.abs(randomGraph(2000, 4, random).links - 4000) < 40);
  const grown = preferentialAttachment(2000, 2, random);
  t.equal(grown.links, 3 + 2 * 1997);
  t.equal(largestComponent(grown).length, 2000);
  t.ok(Math.max(...grown.degrees) > 40, 'there are hubs');
});

t.test('0.05 at degree 20 is in none of the pairs of figures that are printed for the hybrid distribution', async t => {
  const { mean, deviation } = withHubs(powerLaw(1.4, 7), 0.05, 20);
  t.ok(Math.abs(mean ** 2 + deviation ** 2 - (0.95 * 7.8 + 20)) < 0.01);
  // the mean of the squares is at least 0.05 · 20² from the hubs and 0.95 · 1² from the others
  for (const [mean, deviation] of [
    [2.8, 3.55],
    [2.76, 3.26],
  ] as const)
    t.ok(mean ** 2 + deviation ** 2 < 0.05 * 20 ** 2 + 0.95);
});

t.test('the largest part by formula', async t => {
  t.equal(largestShare(sameDegree(1)), 0, 'pairs');
  t.ok(Math.abs(largestShare(sameDegree(3)) - 1) < 1e-6);
  t.ok(largestShare(sameDegree(3), () => 0.45) < 1e-9, 'below the threshold 1 / (d - 1)');
  t.ok(largestShare(sameDegree(3), () => 0.6) > 0.2);
});
