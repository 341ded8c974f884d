// What is shared.
import { z } from 'zod';
import { bytes, count, id, time, urn } from './common.ts';

export const file = z.object({
  id,
  name: z.string(),
  path: z.string(),
  folder: id,
  size: bytes,
  modifiedAt: time,
  state: z.enum(['hashing', 'shared', 'failed']),
  urn: urn.nullable().describe('null: not hashed yet'),
  hits: count.describe('queries it answered since the start'),
  uploads: count.describe('transfers finished since the start'),
});

export const folder = z.object({
  id,
  path: z.string(),
  state: z.enum(['waiting', 'scanning', 'ready', 'failed']),
  files: count,
  bytes,
  error: z.string().nullable().describe('why nothing, or not everything, is shared'),
  leftOut: z
    .array(
      z.object({
        rule: z.string(),
        why: z.string(),
        files: count,
        folders: count,
        first: z.string().describe('path of the first one'),
      }),
    )
    .describe('what the last scan met and did not share, by rule'),
  scannedAt: time.nullable(),
});

export const shareFolder = z.strictObject({
  path: z
    .string()
    .min(1)
    .max(4096)
    .refine(path => !path.includes('\0'), 'expected a path without NUL'),
});

export const rescan = z.object({ folders: count.describe('folders queued for scanning') });
