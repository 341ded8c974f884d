// Schema of a stored saved search. A separate module, so that a daemon without saved searches does not load zod.
import { z } from 'zod';

const count = z.int().min(0);
const time = z.number();
export const savedSearchRecord = z.object({
  text: z.string().nullable(),
  urn: z.string().nullable(),
  filter: z.string().nullable(),
  action: z.enum(['notify', 'download']),
  /** Seconds; null: by itself. */
  every: z.number().nullable(),
  paused: z.boolean(),
  news: count,
  runs: count,
  /** Milliseconds since 1970, like the others. */
  addedAt: time,
  ranAt: time.nullable(),
  dueAt: time,
  waitMs: z.number(),
  error: z.string().nullable(),
});
export type SavedSearchRecord = z.infer<typeof savedSearchRecord>;
