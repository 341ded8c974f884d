// Types shared by the schemas. Times are ISO 8601 UTC, sizes bytes, durations seconds, rates bytes per second.
import { z } from 'zod';

/** Parses a whole number from a query string; every error says the range. */
export function wholeNumber(min: number, max: number) {
  const error = `expected a whole number from ${min} to ${max}`;
  return z.coerce.number(error).int(error).min(min, error).max(max, error);
}

import { ADDRESS_EXPECTED, addressOrNull } from '../../protocol/wire/endpoint.ts';
import { MEDIA_TYPES } from '../../protocol/wire/media-type.ts';
import { linkIn } from '../../protocol/wire/pasted-link.ts';
import { type Fields, fieldsOf } from '../fields.ts';
import { FILTER_CHARACTERS_MAX, FilterError, parseFilter } from '../filter.ts';
import { parseSort, SortError } from '../sort.ts';

/** Opaque id made by the daemon. */
export const id = z.string().min(1).max(128);
export const time = z.iso.datetime();
export const count = z.int().min(0);
export const bytes = z.int().min(0);
export const seconds = z.number().min(0);
export const rate = z.number().min(0);
export const mediaType = z.enum(MEDIA_TYPES);
/** Of files in results and in the library. */
export const mediaFields = {
  type: mediaType.nullable().describe('by the extension of the name; null: of no known type'),
  length: z.number().min(0).nullable().describe('playing time in seconds; null: not known'),
  bitrate: z.number().min(0).nullable().describe('kbit/s; null: not known'),
};
export const guid = z.string().regex(/^[0-9a-f]{32}$/, 'expected 32 lowercase hex digits');
export const port = z.int().min(0).max(65535);
/** `HOST:PORT`, IPv6 in brackets. The daemon resolves names. */
export const address = z
  .string()
  .max(261)
  .regex(/^(\[[0-9a-fA-F:.]{2,45}\]|[^\s:/[\]]{1,253}):\d{1,5}$/, 'expected HOST:PORT')
  .refine(text => Number(text.slice(text.lastIndexOf(':') + 1)) <= 65535, 'expected a port up to 65535');
/** Address as input: a missing port is 6346. */
export const givenAddress = z
  .string()
  .max(300)
  .transform(text => addressOrNull(text) ?? '')
  .refine(text => text !== '', `expected ${ADDRESS_EXPECTED}`);
export const urn = z
  .string()
  .max(300)
  .regex(/^urn:[a-z0-9][a-z0-9-]{0,31}:\S+$/i, 'expected a URN such as urn:sha1:PLSTHIPQGSSZTS5FJUPAKUZWUGYQYPFB');
/** URN as input, in any case. */
export const givenUrn = z
  .string()
  .max(1024)
  .transform(text => linkIn(text) ?? text)
  .pipe(urn);
/** Incoming and outgoing counts. */
export const traffic = z.object({ in: count, out: count });

/** A cursor holds up to three sort values of a hundred characters. */
const CURSOR_CHARACTERS_MAX = 4096;
const SORT_CHARACTERS_MAX = 200;
const FIELDS_CHARACTERS_MAX = 1000;

export const PAGE_LIMIT_DEFAULT = 100;
export const PAGE_LIMIT_MAX = 1000;
/** Query parameters of every list. */
export const pageQuery = {
  limit: wholeNumber(1, PAGE_LIMIT_MAX).default(PAGE_LIMIT_DEFAULT).describe('maximum number of items'),
  cursor: z.string().min(1).max(CURSOR_CHARACTERS_MAX).optional().describe('`next` of the previous page'),
};
export const pageRequest = z.strictObject(pageQuery);

/** Query parameters of a list of `item`: page, filter, order, fields. */
export function listQuery(item: z.ZodType) {
  const fields = fieldsOf(item);
  return z.strictObject({
    ...pageQuery,
    filter: z
      .string()
      .min(1)
      .max(FILTER_CHARACTERS_MAX)
      .transform((text, context) => understood(context, () => parseFilter(text, fields, Date.now())))
      .optional()
      .describe('only items that match this filter'),
    sort: z
      .string()
      .min(1)
      .max(SORT_CHARACTERS_MAX)
      .transform((text, context) => understood(context, () => parseSort(text, fields)))
      .optional()
      .describe('up to three fields to order by; `-` before a field: descending'),
    fields: z
      .string()
      .min(1)
      .max(FIELDS_CHARACTERS_MAX)
      .transform((text, context) => understood(context, () => parseChoice(text, fields)))
      .optional()
      .describe('fields to return'),
  });
}

/** Turns a syntax error of a parser into an issue of the field. */
function understood<T>(context: z.RefinementCtx<string>, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof FilterError || error instanceof SortError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
    return z.NEVER;
  }
}

/** Parses `fields`: `messages` selects both `messages.in` and `messages.out`. */
function parseChoice(text: string, fields: Fields): string[] {
  const known = [...fields.keys()];
  return text.split(',').map(part => {
    const path = part.trim();
    if (known.some(field => field === path || (path !== '' && field.startsWith(`${path}.`)))) return path;
    throw new SortError(`unknown field ${path}; fields are ${known.join(', ')}`);
  });
}

/** Answer of every list. */
export const pageOf = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), next: z.string().nullable() });

export const byId = z.strictObject({ id });
