// Our own searches and what they found.
import { z } from 'zod';
import { linkIn } from '../../protocol/wire/pasted-link.ts';
import { address, bytes, count, givenAddress, givenUrn, guid, id, pageQuery, seconds, time, urn } from './common.ts';

const WORDS_CHARACTERS_MAX = 256;
/** A magnet link pasted where words are asked for. */
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
    urn: givenUrn.optional().describe('exactly this content'),
    browse: givenAddress.optional().describe('everything this servent shares, asked of it directly'),
    ttl: z
      .int()
      .min(1)
      .max(7)
      .optional()
      .describe(
        'most TTL the query is sent with, as far as neighbours take it: usually up to 4, and 7 from those that speak 0.4. Of a leaf it is what its ultrapeers go on with; those of LimeWire choose for themselves',
      ),
    duration: seconds.min(1).max(3600).optional().describe('how long to listen for answers'),
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
  state: z.enum(['running', 'finished', 'failed']),
  error: z.string().nullable(),
  startedAt: time,
  endsAt: time.describe('when it stops or stopped listening'),
  askedBefore: time
    .nullable()
    .describe(
      'when neighbours were last asked the same, if some may ignore this repeat; it begins with what was found then. Null when it is new',
    ),
  askAgainAt: time
    .nullable()
    .describe(
      'from when all neighbours take the same as new again (1,700 s after it was sent); null before it is sent',
    ),
  peers: count.describe('neighbours it was sent to'),
  results: count.describe('different contents found'),
  hits: count.describe('records received, duplicates included'),
  cut: z
    .string()
    .nullable()
    .describe('what is missing from the results, for example `the first 5000 of more results`; null: nothing'),
});

export const source = z.object({
  address,
  servent: guid.nullable(),
  push: z.boolean().describe('cannot be reached directly'),
  busy: z.boolean().nullable().describe('said that all its slots were taken'),
  index: count.nullable().describe("the file's index at that servent"),
  name: z.string().describe('its name there'),
  vendor: z.string().nullable().describe('four letters, for example `GTKG`'),
  speed: count.nullable().describe('kbit/s, as claimed'),
  hops: count.nullable(),
});

export const result = z.object({
  id,
  name: z.string().describe('the name most sources use'),
  size: bytes,
  urn: urn.nullable(),
  sources: z.array(source),
  foundAt: time,
});

export const resultsRequest = z.strictObject({ id, ...pageQuery });
