// What a user of MapReduce writes: a map, a reduce, and the input in splits (Dean and Ghemawat, "MapReduce: simplified data processing on large
// clusters", 2004, section 2). And the example of all lectures, which counts words.
import { hashed } from '../keys/identifiers.ts';

export type Pair = readonly [key: string, value: number];

export interface Job {
  /** Each is the input of one map task. */
  readonly splits: readonly string[];
  /** Reduce tasks. */
  readonly partitions: number;
  /** Reduces what a map task gives before it is sent. */
  readonly combines: boolean;
  map(split: string): Pair[];
  reduce(key: string, values: readonly number[]): number;
}

export function wordCount(splits: readonly string[], partitions: number, combines = false): Job {
  return {
    ...{ splits, partitions, combines },
    map: split => split.split(/\s+/).flatMap((word): Pair[] => (word === '' ? [] : [[word.toLowerCase(), 1]])),
    reduce: (_, values) => values.reduce((sum, value) => sum + value, 0),
  };
}

/** Sorts by key, and reduces the values of each. */
export function reduceAll(job: Job, pairs: readonly Pair[]): Pair[] {
  const values = new Map<string, number[]>();
  for (const [key, value] of pairs) {
    const known = values.get(key);
    if (known === undefined) values.set(key, [value]);
    else known.push(value);
  }
  return [...values].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, all]) => [key, job.reduce(key, all)]);
}

/** What a map task gives to each reduce task. */
export function mapped(job: Job, split: string): Pair[][] {
  const pairs = job.combines ? reduceAll(job, job.map(split)) : job.map(split);
  const parts = Array.from({ length: job.partitions }, (): Pair[] => []);
  for (const pair of pairs) parts[partitionOf(pair[0], job.partitions)]?.push(pair);
  return parts;
}

export function partitionOf(key: string, partitions: number): number {
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = hashed(hash ^ key.charCodeAt(i));
  return hash % partitions;
}
