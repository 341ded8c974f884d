// Schemas of recordings of the network: their segments, and what is told of them.
import { z } from 'zod';
import { bytes, count, id, time, wholeNumber } from './common.ts';

export const recording = z.object({
  id: id.describe('name of its file in `recording.folder`'),
  table: z.string().describe('the table whose rows it has, as docs/measuring.md describes it'),
  state: z
    .enum(['open', 'closed', 'unsent', 'parquet'])
    .describe(
      '`open`: rows are added; `closed`: it will become a Parquet file; `unsent`: ClickHouse has not acknowledged it',
    ),
  rows: count.describe('0 for a journal that a crash left, until it is converted or sent'),
  bytes,
  from: time.nullable().describe('time of its first row'),
  to: time.nullable().describe('time of its last row'),
});

export const question = z.object({
  id: id.describe('its name'),
  teaches: z.string().describe('what its answer says about the network'),
  columns: z.record(z.string(), z.string()).describe('columns of the answer and what they mean'),
});

export const analysis = z.object({
  question: z.string(),
  rows: z.array(z.record(z.string(), z.union([z.string(), z.number(), z.null()]))).describe('1,000 at most'),
  cut: z.boolean().describe('whether there were more rows'),
  series: z
    .array(
      z.object({
        name: z.string(),
        axes: z.tuple([z.string(), z.string()]).describe('names of x and y'),
        x: z.array(z.number()),
        y: z.array(z.number()),
      }),
    )
    .describe('lines of its picture, each of 1,000 points at most'),
  seconds: z.number().min(0).describe('time that it took'),
  engine: z.enum(['duckdb', 'clickhouse']),
});

export const byQuestion = z.strictObject({ id: id.describe('name of the question') });

export const analysisQuery = z.strictObject({
  top: wholeNumber(1, 1000).default(50).describe('most rows of questions that list what is most frequent'),
});

export type AnalysisInput = { id: string } & z.output<typeof analysisQuery>;

export const recordingNews = z.object({
  state: z
    .enum(['failing', 'working', 'removed'])
    .describe('rows cannot be written or sent; they can again; the oldest segment was removed to make room'),
  text: z.string(),
});
