// Schema of a stored download. A separate module, so that a daemon without downloads does not load zod.
import { z } from 'zod';

const count = z.int().min(0);
export const storedDownload = z.object({
  name: z.string(),
  sha1: z.string().nullable(),
  size: count.nullable(),
  state: z.enum(['queued', 'paused', 'completed', 'failed']),
  priority: z.int(),
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
  mismatches: count,
  addedAt: z.number(),
  finishedAt: z.number().nullable(),
  path: z.string().nullable(),
  error: z.string().nullable(),
});
export type StoredDownload = z.infer<typeof storedDownload>;
