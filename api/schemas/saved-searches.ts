// Schemas of saved searches, of what they found, and of contents that are marked as bad.
import { z } from 'zod';
import { FIND_OUTCOMES } from '../../protocol/overlay/queries/saved-finds.ts';
import { bytes, count, givenUrn, id, seconds, time, urn } from './common.ts';
import { resultFilter } from './searches.ts';

/** Neighbours ignore a repeat for 1,700 s. */
const EVERY_SECONDS_MIN = 1_700;
const EVERY_SECONDS_MAX = 31_536_000;
const WORDS_CHARACTERS_MAX = 256;
const NOTE_CHARACTERS_MAX = 200;

const action = z.enum(['notify', 'download']);
const every = z.union([z.literal('auto'), z.number()]);
const givenText = z.string().trim().min(1).max(WORDS_CHARACTERS_MAX).describe('words that all must match');
const givenFilter = resultFilter
  .nullable()
  .describe(
    'only results that match this filter, such as `type=audio and bitrate>=192 and sources>1 and not name~"live"`',
  );
const givenEvery = z
  .union([z.literal('auto'), z.int().min(EVERY_SECONDS_MIN).max(EVERY_SECONDS_MAX)])
  .describe(
    `seconds between runs, at least ${EVERY_SECONDS_MIN}, as neighbours ignore what is repeated sooner; \`auto\`: that at first, longer while nothing new is found, at most a day`,
  );
const givenState = z.enum(['active', 'paused']);

export const savedSearch = z.object({
  id,
  text: z.string().nullable(),
  urn: urn.nullable(),
  filter: z.string().nullable(),
  action: action.describe('`notify`: events and hooks tell of new results; `download`: they are downloaded too'),
  every: every.describe('seconds between runs, or `auto`'),
  state: givenState,
  new: count.describe('new results since they were last marked as seen'),
  running: z.boolean(),
  search: id.nullable().describe('search of the latest run, while it is kept'),
  runs: count,
  addedAt: time,
  ranAt: time.nullable().describe('start of the latest run'),
  dueAt: time.describe('start of the next run, if there are neighbours then'),
  error: z.string().nullable().describe('why the latest run failed'),
});

export const saveSearch = z
  .strictObject({
    text: givenText.optional(),
    urn: givenUrn.optional().describe('URN of the content'),
    filter: givenFilter.optional(),
    action: action.default('notify'),
    every: givenEvery.default('auto'),
    state: givenState.default('active'),
  })
  .refine(({ text, urn }) => text !== undefined || urn !== undefined, {
    path: ['text'],
    message: 'expected `text` or `urn`',
  });

export const changeSavedSearch = z
  .strictObject({
    filter: givenFilter.optional(),
    action: action.optional(),
    every: givenEvery.optional(),
    state: givenState.optional(),
    new: z.literal(0).optional().describe('marks all results as seen'),
  })
  .refine(input => Object.values(input).some(value => value !== undefined), {
    message: 'expected `filter`, `action`, `every`, `state` or `new`',
  });

export const runSavedSearch = z.strictObject({
  duration: seconds.min(1).max(3600).optional().describe('how long to accept hits'),
});

export const find = z.object({
  name: z.string(),
  size: bytes,
  urn: urn.nullable(),
  sources: count,
  at: time,
  outcome: z
    .enum(FIND_OUTCOMES)
    .describe('`known`: it was in the library or the downloads, or was removed from them; `failed`: see `error`'),
  download: id.nullable(),
  error: z.string().nullable(),
});

export const badContent = z.object({
  id: id.describe('the SHA-1 in base 32'),
  urn,
  note: z.string().nullable(),
  addedAt: time,
});

export const newBadContent = z.strictObject({
  urn: givenUrn,
  note: z
    .string()
    .trim()
    .min(1)
    .max(NOTE_CHARACTERS_MAX)
    .regex(/^[^\p{Cc}]*$/u, 'expected text without control characters')
    .optional()
    .describe('shown with results that have this content'),
});
