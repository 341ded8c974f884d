// The queries that pass through, counted; and the daemon's own recent past.
import { z } from 'zod';
import { count, rate, time, wholeNumber } from './common.ts';

export const SPANS = ['minute', 'hour', 'day'] as const;
export const privacy = z.enum(['off', 'counts', 'hashed', 'full']);

const amount = count.describe('an estimate where words are many: too high by `error` at most');
const ranked = z.object({ key: z.string(), count: amount, error: count });

export const queryStats = z.object({
  privacy: privacy.describe('what is remembered of queries: nothing, counts, hashed words, everything'),
  span: z.enum(SPANS),
  seconds: count.describe(
    'how much time all the numbers are about, words and peers too: the span and up to a sixth of it more',
  ),
  queries: count,
  answered: count.describe('of these, by us or by hits that we passed back'),
  answerRate: z.number().min(0).max(1),
  hits: count,
  duplicates: count.describe('that came again by another way and went no further'),
  byHops: z.array(count).describe('by the hops they had done: 0, 1, … and the last for all above'),
  byTtl: z.array(count).describe('by the TTL they came with: 0, 1, … and the last for all above'),
  words: z.array(ranked).describe('the most frequent first; salted hashes in privacy `hashed`, none below it'),
  peers: z.array(ranked).describe('the neighbours they came from; none in privacy `off`'),
  sampled: z.number().min(0).max(1).describe('the part of the queries whose words were looked at'),
  series: z
    .array(z.object({ at: time, queries: count, answered: count, hits: count, duplicates: count }))
    .describe('oldest first'),
});

export const statsQuery = z.strictObject({
  span: z.enum(SPANS).default('minute').describe('the latest minute, hour or day'),
  top: wholeNumber(1, 200).default(20).describe('most words and peers to answer'),
});

export const exportQuery = z.strictObject({
  limit: wholeNumber(1, 100_000).optional().describe('only the latest so many'),
});

const series = z.array(rate).describe('oldest first');
const ring = z.object({
  step: z.number().describe('seconds from one value to the next'),
  until: time.describe('when the last step ended'),
  messagesIn: series,
  messagesOut: series,
  bytesIn: series,
  bytesOut: series,
  queries: series,
  download: series,
  upload: series,
  peers: series,
});
export const history = z.object({ minute: ring, hour: ring, day: ring });

export type ExportInput = z.output<typeof exportQuery>;
