// The vocabulary every schema shares. Times are ISO 8601 UTC, sizes bytes, durations seconds, rates bytes per second.
import { z } from 'zod';

/** Opaque: made by the daemon, never parsed by anyone else. */
export const id = z.string().min(1).max(128);
export const time = z.iso.datetime();
export const count = z.int().min(0);
export const bytes = z.int().min(0);
export const seconds = z.number().min(0);
export const rate = z.number().min(0);
export const guid = z.string().regex(/^[0-9a-f]{32}$/, 'expected 32 lowercase hex digits');
export const port = z.int().min(0).max(65535);
/** `HOST:PORT`, IPv6 in brackets. Names are resolved by the daemon. */
export const address = z
  .string()
  .max(261)
  .regex(/^(\[[0-9a-fA-F:.]{2,45}\]|[^\s:/[\]]{1,253}):\d{1,5}$/, 'expected HOST:PORT')
  .refine(text => Number(text.slice(text.lastIndexOf(':') + 1)) <= 65535, 'expected a port up to 65535');
export const urn = z
  .string()
  .max(300)
  .regex(/^urn:[a-z0-9][a-z0-9-]{0,31}:\S+$/i, 'expected a URN such as urn:sha1:PLSTHIPQGSSZTS5FJUPAKUZWUGYQYPFB');
/** How often something came in and went out. */
export const traffic = z.object({ in: count, out: count });

export const PAGE_LIMIT_DEFAULT = 100;
export const PAGE_LIMIT_MAX = 1000;
/** The query string of every list. */
export const pageQuery = {
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(PAGE_LIMIT_MAX)
    .default(PAGE_LIMIT_DEFAULT)
    .describe('most items to answer'),
  cursor: z.string().min(1).max(512).optional().describe('`next` of the page before'),
};
export const pageRequest = z.strictObject(pageQuery);

/** What every list answers. */
export const pageOf = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), next: z.string().nullable() });

export const byId = z.strictObject({ id });
