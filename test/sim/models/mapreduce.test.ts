// A job gives the same whatever becomes of the workers, as long as one and the master are left.
import fc from 'fast-check';
import t from 'tap';
import { Cluster, type ClusterOptions } from '../../../sim/mapreduce/cluster.ts';
import { mapped, partitionOf, reduceAll, wordCount } from '../../../sim/mapreduce/job.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';

const NINE = ['Deer Bear River', 'Car Car River', 'Deer Car Bear'];

t.test('map, shuffle, reduce: the nine words step by step', async t => {
  const job = wordCount(NINE, 2);
  t.strictSame(job.map('Car Car River'), [
    ['car', 1],
    ['car', 1],
    ['river', 1],
  ]);
  const parts = mapped(job, 'Car Car River');
  for (const [part, pairs] of parts.entries()) for (const [key] of pairs) t.equal(partitionOf(key, 2), part);
  t.strictSame(reduceAll(job, NINE.flatMap(job.map)), [
    ['bear', 2],
    ['car', 3],
    ['deer', 2],
    ['river', 2],
  ]);
  t.strictSame(
    mapped(wordCount(NINE, 1, true), 'Car Car River'),
    [
      [
        ['car', 2],
        ['river', 1],
      ],
    ],
    'combined',
  );
});

const run = (options: Partial<ClusterOptions>, prepare: (cluster: Cluster) => void = () => undefined): Cluster => {
  const cluster = new Cluster({
    ...{ workers: 4, random: new SeededRandom(1), job: wordCount(NINE, 2), backups: false },
    ...options,
  });
  prepare(cluster);
  cluster.run(1_000);
  return cluster;
};

t.test('the job ends without the workers that fail, at whatever time', async t => {
  const failures = fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.nat(120)), {
    selector: ([worker]) => worker,
    maxLength: 3,
  });
  const right = run({}).output;
  t.equal(right.get('car'), 3);
  const same = fc.property(failures, fc.boolean(), (failing, backups) => {
    const { output } = run({ backups }, ({ network }) => {
      for (const [worker, ms] of failing) network.after(ms, () => network.fail(worker));
    });
    return output.size === 4 && [...right].every(([key, value]) => output.get(key) === value);
  });
  t.doesNotThrow(() => fc.assert(same, { seed: 1, numRuns: 60 }));
});

t.test('a slow worker holds the job up, unless a backup overtakes it', async t => {
  const slownessOf = (worker: number): number => (worker === 1 ? 50 : 1);
  const [without, withBackups] = [run({ slownessOf }), run({ slownessOf, backups: true })];
  t.ok((withBackups.doneAt ?? 0) * 5 < (without.doneAt ?? 0));
  t.equal(without.backups, 0);
  t.ok(withBackups.backups > 0);
  t.strictSame([...withBackups.output].sort(), [...without.output].sort());
});
