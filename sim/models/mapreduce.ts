// MapReduce: counting words on many workers, with workers that fail, workers that are slow, and a combiner.
import { Cluster, type ClusterOptions, MS_PER_ITEM } from '../mapreduce/cluster.ts';
import { type Job, wordCount } from '../mapreduce/job.ts';
import { atLeast, atMost, equal, told } from '../measure.ts';
import type { Model, Outcome, Run } from '../model.ts';
import { TraceHash } from '../trace-hash.ts';
import { Zipf } from '../workload/zipf.ts';

const LECTURE = { source: 'lecture: MapReduce, the word count' };
const PAPER = 'Dean and Ghemawat, MapReduce, 2004';
const NINE_WORDS = ['Deer Bear River', 'Car Car River', 'Deer Car Bear'];
const THREE_LINES = ['the quick brown fox', 'the fox ate the mouse', 'how now brown cow'];
const VOCABULARY = 500;

/** The keys in their order, each with its value. */
function written(output: ReadonlyMap<string, number>): string {
  return [...output]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key} ${value}`)
    .join(', ');
}

function run({ random, servents, seconds, parameters, onProgress }: Run): Outcome {
  const { splits = 60, words = 200, partitions = 20, slow = 10 } = parameters;
  const trace = new TraceHash();
  const workers = servents - 1;
  const cluster = (job: Job, options: Partial<ClusterOptions> = {}, prepare?: (cluster: Cluster) => void): Cluster => {
    const cluster = new Cluster({ workers, random: random.fork(), job, backups: true, ...options });
    prepare?.(cluster);
    cluster.run(seconds);
    trace.addText(cluster.network.trace.hex);
    return cluster;
  };

  const zipf = new Zipf(VOCABULARY, 1);
  const draw = random.fork();
  const text = Array.from({ length: splits }, () =>
    Array.from({ length: words }, () => `w${zipf.draw(draw)}`).join(' '),
  );
  const counts = new Map<string, number>();
  for (const word of text.join(' ').split(' ')) counts.set(word, (counts.get(word) ?? 0) + 1);
  const right = written(counts);
  const wrong = ({ output }: Cluster): number => (written(output) === right ? 0 : 1);

  const job = wordCount(text, partitions);
  const combining = wordCount(text, partitions, true);
  const plain = cluster(job, { backups: false });
  const combined = cluster(combining, { backups: false });
  onProgress(0.5);
  const time = (done: Cluster): number => done.doneAt ?? Number.POSITIVE_INFINITY;
  // a third of the workers fails while maps run; one fails while reduces run, with the maps that it has done
  const mapping = (words * Math.ceil(splits / workers) * MS_PER_ITEM) / 2;
  const failing = cluster(job, {}, ({ network }) =>
    network.after(mapping, () => {
      for (let worker = 1; worker <= workers; worker += 3) network.fail(worker);
    }),
  );
  const afterMaps = cluster(job, { backups: false }, ({ network }) =>
    network.after(2.5 * mapping, () => network.fail(workers)),
  );
  const masterFails = cluster(job, {}, ({ network }) => network.after(time(plain) / 2, () => network.fail(0)));
  const slownessOf = (worker: number): number => (worker === 1 ? slow : 1);
  const [withBackups, without] = [true, false].map(backups => cluster(job, { slownessOf, backups })) as [
    Cluster,
    Cluster,
  ];
  const sizes = [1, 2, 5, 10, 20, 30].filter(size => size < workers).concat(workers);
  const times = sizes.map(size => time(cluster(combining, { workers: size })) / 1000);
  const alone = time(cluster(job, { workers: 1 }));
  const unit = 'outputs';
  return {
    measures: [
      equal('nine words', 'bear 2, car 3, deer 2, river 2', written(cluster(wordCount(NINE_WORDS, 2)).output), LECTURE),
      equal(
        'three lines',
        'ate 1, brown 2, cow 1, fox 2, how 1, mouse 1, now 1, quick 1, the 3',
        written(cluster(wordCount(THREE_LINES, 3, true)).output),
        LECTURE,
      ),
      equal('wrong output', 0, wrong(plain), { unit, ...LECTURE }),
      equal('wrong output with a combiner', 0, wrong(combined), { unit, source: `${PAPER}, section 4.3` }),
      equal('pairs shuffled', splits * words, plain.shuffled, {
        unit: 'pairs, one a word',
        source: `${PAPER}, section 2.1`,
      }),
      atMost('pairs shuffled with a combiner', splits * Math.min(words, counts.size), combined.shuffled - 1, {
        unit: 'pairs, fewer than one a split and word',
        source: `${PAPER}, section 4.3`,
      }),
      told('pairs shuffled with a combiner, of those without', combined.shuffled / plain.shuffled, {
        source: `${PAPER}, section 4.3`,
      }),
      equal('wrong output, a third of the workers failed', 0, wrong(failing), {
        unit,
        source: `${PAPER}, section 3.3`,
      }),
      atLeast('tasks done again, a third of the workers failed', 1, failing.again, {
        unit: 'tasks',
        source: `${PAPER}, section 3.3`,
      }),
      equal('wrong output, a worker failed with its maps', 0, wrong(afterMaps), {
        unit,
        source: `${PAPER}, section 3.3`,
      }),
      atLeast('tasks done again, a worker failed with its maps', 2, afterMaps.again, {
        unit: 'tasks: its reduce, and its maps',
        source: `${PAPER}, section 3.3`,
      }),
      equal('done, the master failed', 0, masterFails.doneAt === null ? 0 : 1, {
        unit: 'jobs',
        source: `${PAPER}, section 3.3`,
      }),
      atLeast('time without backup tasks, one worker is slow', 1.44, time(without) / time(withBackups), {
        unit: 'of the time with them',
        source: `${PAPER}, section 5.4: 44 % longer`,
      }),
      atLeast(
        'all workers, with a combiner',
        0.7 * Math.min(workers, splits, partitions),
        (times[0] ?? 0) / (times.at(-1) ?? 1),
        {
          unit: 'times as fast as one',
          source: 'lecture: MapReduce, parallel by its form',
        },
      ),
      told('without: one reduce task has all of the most frequent word', alone / time(plain), {
        unit: 'times as fast as one',
        source: `${PAPER}, section 4.3`,
      }),
    ],
    series: [{ name: 'time of the job', axes: ['workers', 'seconds'], x: sizes, y: times }],
    traceHash: trace.hex,
  };
}

export const mapreduce: Model = {
  name: 'mapreduce',
  system: 'MapReduce',
  teaches:
    'A job that is map and reduce runs on many workers, and what a lost or slow one was doing is simply done again.',
  servents: 21,
  seconds: 10_000,
  bounds: { servents: [3, 10_000] },
  parameters: {
    splits: { value: 60, range: [1, 10000], whole: true, unit: 'splits', meaning: 'map tasks' },
    words: { value: 200, range: [1, 10000], whole: true, unit: 'words', meaning: 'of each split' },
    partitions: { value: 20, range: [1, 1000], whole: true, unit: 'partitions', meaning: 'reduce tasks' },
    slow: { value: 10, range: [1, 1000], unit: 'times', meaning: 'how much longer the slow worker takes' },
  },
  run,
};
