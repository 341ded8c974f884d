// Schemas of searches and results.
import { z } from 'zod';
import { SPAM_REASONS } from '../../protocol/overlay/queries/spam-mark.ts';
import { linkIn } from '../../protocol/wire/pasted-link.ts';
import { fieldsOf } from '../fields.ts';
import { FILTER_CHARACTERS_MAX, FilterError, parseFilter } from '../filter.ts';
import {
  address,
  bytes,
  count,
  givenAddress,
  givenUrn,
  guid,
  id,
  mediaFields,
  mediaType,
  seconds,
  time,
  urn,
} from './common.ts';

const WORDS_CHARACTERS_MAX = 256;
/** Room for a magnet link. */
const TEXT_CHARACTERS_MAX = 16_384;

export const startSearch = z
  .strictObject({
    text: z
      .string()
      .trim()
      .min(1)
      .max(TEXT_CHARACTERS_MAX)
      .refine(
        text => text.length <= WORDS_CHARACTERS_MAX || linkIn(text) !== null,
        `expected at most ${WORDS_CHARACTERS_MAX} characters, or a magnet link`,
      )
      .optional()
      .describe(
        `words that all must match, at most ${WORDS_CHARACTERS_MAX} characters; a URN or magnet link is searched for by its hash`,
      ),
    urn: givenUrn.optional().describe('URN of the content'),
    browse: givenAddress.optional().describe('list all files of this servent'),
    type: mediaType.optional().describe('only files of this type, by the extensions of their names'),
    ttl: z
      .int()
      .min(1)
      .max(7)
      .optional()
      .describe(
        'maximum TTL of the query. Neighbours accept up to 4, those of version 0.4 up to 7. The ultrapeers of a leaf use it for the search; those of LimeWire ignore it',
      ),
    duration: seconds.min(1).max(3600).optional().describe('how long to accept hits'),
  })
  .refine(input => input.text !== undefined || input.urn !== undefined || input.browse !== undefined, {
    path: ['text'],
    message: 'expected `text`, `urn` or `browse`',
  });

export const search = z.object({
  id,
  text: z.string().nullable(),
  urn: urn.nullable(),
  browse: address.nullable(),
  type: mediaType.nullable(),
  state: z.enum(['running', 'finished', 'failed']),
  error: z.string().nullable(),
  startedAt: time,
  endsAt: time.describe('end of the search'),
  askedBefore: time
    .nullable()
    .describe(
      'last time of an equal search, if neighbours may still ignore the repeat; the search begins with its results. Null for a new search',
    ),
  askAgainAt: time
    .nullable()
    .describe(
      'time after which neighbours accept the same search as new (1,700 s after it was sent); null before it is sent',
    ),
  peers: count.describe('neighbours it was sent to'),
  results: count.describe('different contents found'),
  hits: count.describe('records received, duplicates included'),
  hidden: count.describe('results that the filter of the setting `searches.spam` hides'),
  cut: z
    .string()
    .nullable()
    .describe('which results were left out, for example `the first 5000 of more results`; null: none'),
});

/** A search that is over; its results are gone. */
export const pastSearch = search
  .pick({
    id: true,
    text: true,
    urn: true,
    browse: true,
    type: true,
    error: true,
    startedAt: true,
    peers: true,
    results: true,
    hits: true,
  })
  .extend({ finishedAt: time });

export const source = z.object({
  address,
  servent: guid.nullable(),
  push: z.boolean().describe('whether it needs a push'),
  busy: z.boolean().nullable().describe('whether all its upload slots were taken'),
  index: count.nullable().describe('index of the file at that servent'),
  name: z.string().describe('file name at that servent'),
  vendor: z.string().nullable().describe('four letters, for example `GTKG`'),
  speed: count.nullable().describe('kbit/s, as claimed'),
  hops: count.nullable(),
});

export const result = z.object({
  id,
  name: z.string().describe('the name most sources use'),
  size: bytes,
  folder: z.string().nullable().describe('where a servent has it, below what it shares; null: none tells'),
  ...mediaFields,
  urn: urn.nullable(),
  sources: z.array(source),
  spam: z
    .array(z.object({ reason: z.enum(SPAM_REASONS), text: z.string().describe('the reason in words') }))
    .describe('why it looks like spam or a fake; empty: it does not'),
  foundAt: time,
});

/** A filter of results that must be right. */
export const resultFilter = z
  .string()
  .trim()
  .min(1)
  .max(FILTER_CHARACTERS_MAX)
  .superRefine((text, context) => {
    try {
      parseFilter(text, fieldsOf(result), 0);
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
    }
  });

export const spamShown = z
  .enum(['hide', 'show', 'only'])
  .describe('results that the filter `searches.spam` hides: left out (default), shown too, or shown alone');
