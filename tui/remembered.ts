// Schema of the data kept between sessions. A separate file, since zod is loaded after the first frame.
import { z } from 'zod';
import { RANGES } from './range.ts';

const VERSION = 1;
const COLUMNS_MAX = 40;

const schema = z.object({
  version: z.literal(VERSION),
  range: z.enum(RANGES),
  details: z.boolean().nullable(),
  lists: z.record(
    z.string().max(40),
    z.object({
      sort: z.object({ column: z.string().max(40), descending: z.boolean() }).nullable(),
      columns: z.array(z.string().max(40)).max(COLUMNS_MAX).nullable(),
    }),
  ),
});

export type Remembered = z.infer<typeof schema>;

/** Parses the file; null if it is invalid. */
export function parseRemembered(text: string): Remembered | null {
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
