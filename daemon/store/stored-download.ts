// Schema of a stored download. A separate module, so that a daemon without downloads does not load zod.
import { z } from 'zod';

const count = z.int().min(0);
export const storedDownload = z.object({
  name: z.string(),
  words: z.string().nullish(),
  sha1: z.string().nullable(),
  size: count.nullable(),
  sizeTold: count.nullish(),
  state: z.enum(['queued', 'paused', 'completed', 'failed']),
  priority: z.int(),
  place: z.int().optional(),
  category: z.string().nullable().optional(),
  batch: z.object({ id: z.string(), name: z.string(), folder: z.string() }).nullable().optional(),
  sources: z.array(
    z.object({
      host: z.string(),
      port: count,
      servent: z.string().nullable(),
      push: z.boolean(),
      index: count,
      name: z.string(),
      target: z.string().nullable(),
    }),
  ),
  ranges: z.array(z.tuple([count, count])),
  verified: z.array(z.tuple([count, count])).optional(),
  root: z.string().nullish(),
  tree: z.object({ size: count, depth: count, leaves: z.string() }).nullish(),
  corrupt: z.array(z.string()).optional(),
  mismatches: count,
  sequential: z.boolean().optional(),
  addedAt: z.number(),
  finishedAt: z.number().nullable(),
  path: z.string().nullable(),
  placed: z.object({ inode: z.number(), bornAt: z.number(), changedAt: z.number() }).nullish(),
  error: z.string().nullable(),
});
export type StoredDownload = z.infer<typeof storedDownload>;
