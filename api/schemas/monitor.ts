// Schemas of query statistics and of recent rates.
import { z } from 'zod';
import { count, rate, time, wholeNumber } from './common.ts';

export const SPANS = ['minute', 'hour', 'day'] as const;
export const privacy = z.enum(['off', 'counts', 'hashed', 'full']);

const amount = count.describe('an estimate that may be too high by at most `error`');
const ranked = z.object({ key: z.string(), count: amount, error: count });

export const queryStats = z.object({
  privacy: privacy.describe('stored data of queries: nothing, counts, hashed words, everything'),
  span: z.enum(SPANS),
  seconds: count.describe('seconds covered by all numbers: the span and up to a sixth more'),
  queries: count,
  answered: count.describe('of these, queries that got a hit of ours or a forwarded one'),
  answerRate: z.number().min(0).max(1),
  hits: count,
  duplicates: count.describe('queries received again and dropped'),
  byHops: z.array(count).describe('counts by hops on arrival: 0, 1, …; the last one for all higher values'),
  byTtl: z.array(count).describe('counts by TTL on arrival: 0, 1, …; the last one for all higher values'),
  words: z
    .array(ranked)
    .describe('most frequent first; salted hashes with privacy `hashed`; empty with `off` and `counts`'),
  peers: z.array(ranked).describe('neighbours that sent them; empty with privacy `off`'),
  sampled: z.number().min(0).max(1).describe('fraction of the queries whose words were counted'),
  series: z
    .array(z.object({ at: time, queries: count, answered: count, hits: count, duplicates: count }))
    .describe('oldest first'),
});

export const statsQuery = z.strictObject({
  span: z.enum(SPANS).default('minute').describe('the latest minute, hour or day'),
  top: wholeNumber(1, 200).default(20).describe('maximum number of words and peers'),
});

export const exportQuery = z.strictObject({
  limit: wholeNumber(1, 100_000).optional().describe('maximum number of latest queries'),
});

const series = z.array(rate).describe('oldest first');
const ring = z.object({
  step: z.number().describe('seconds between two values'),
  until: time.describe('end of the last step'),
  messagesIn: series,
  messagesOut: series,
  bytesIn: series,
  bytesOut: series,
  queries: series,
  download: series,
  upload: series,
  peers: series,
});
/** Steps in which the daemon did not run are 0. */
export const history = z.object({ minute: ring, hour: ring, day: ring, month: ring, year: ring });

export type ExportInput = z.output<typeof exportQuery>;
