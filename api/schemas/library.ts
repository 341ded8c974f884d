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
  seenFolder: z.string().nullable().describe('what those who browse see of its folder'),
  hits: count.describe('queries it answered since the start'),
  uploads: count.describe('transfers finished since the start'),
});

const leftOut = z.object({
  rule: z.string(),
  why: z.string(),
  files: count,
  folders: count,
  first: z.string().describe('path of the first one'),
});

export const folder = z.object({
  id,
  path: z.string(),
  state: z.enum(['waiting', 'scanning', 'ready', 'failed', 'cancelled']),
  files: count,
  bytes,
  error: z.string().nullable().describe('why nothing, or not everything, is shared'),
  leftOut: z.array(leftOut).describe('what the last scan met and did not share, by rule'),
  scannedAt: time.nullable(),
  exclude: z.array(z.string()).describe('gitignore patterns of what is left out of it, besides `library.exclude`'),
  force: z.boolean().describe('shared because a person meant it, though such folders are refused otherwise'),
  label: z
    .string()
    .nullable()
    .describe('what those who browse see in place of its path, before the folders below it; null: file names alone'),
});

const path = z
  .string()
  .min(1)
  .max(4096)
  .refine(path => !path.includes('\0'), 'expected a path without NUL');
const choices = {
  exclude: z
    .array(z.string().min(1).max(1000))
    .max(1000)
    .optional()
    .describe('gitignore patterns of what to leave out, after those of `library.exclude`'),
  force: z
    .boolean()
    .optional()
    .describe('true: also a system folder, a home folder or a whole disk; secrets in it are left out all the same'),
  label: z
    .string()
    .max(100)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    .regex(/^[^/\\\u0000-\u001f\u007f\ud800-\udfff]*$/u, 'expected a name without / or control characters')
    .refine(label => !/^\.{1,2}$/.test(label), 'expected another name than . and ..')
    .nullable()
    .optional()
    .describe('what those who browse see in place of its path; null: file names alone'),
};

export const shareFolder = z.strictObject({ path, ...choices });

export const changeFolder = z
  .strictObject(choices)
  .refine(given => Object.values(given).some(value => value !== undefined), {
    path: ['exclude'],
    message: 'expected `exclude`, `force` or `label`',
  });

export const previewFolder = z.strictObject({
  path,
  ...choices,
  limit: z.int().min(1).max(10_000).default(1000).describe('entries of each list'),
});

export const preview = z.object({
  path: z.string(),
  files: count,
  bytes,
  seen: z
    .array(
      z.object({
        name: z.string(),
        size: bytes,
        folder: z.string().nullable().describe('what those who browse see of its folder'),
      }),
    )
    .describe('the first of the files that strangers would see'),
  seenMore: count.describe('files beyond those'),
  leftOut: z
    .array(z.object({ path: z.string(), kind: z.enum(['file', 'folder']), rule: z.string(), why: z.string() }))
    .describe('the first of what would be left out'),
  leftOutMore: count.describe('files and folders beyond those'),
  byRule: z.array(leftOut).describe('all that would be left out'),
  cut: z.string().nullable().describe('why not everything was looked at'),
});

export const rescan = z.object({ folders: count.describe('folders queued for scanning') });
