// Schemas of shared folders and files.
import { z } from 'zod';
import { bytes, count, id, mediaFields, seconds, time, urn } from './common.ts';

export const file = z.object({
  id,
  name: z.string(),
  path: z.string(),
  folder: id,
  size: bytes,
  modifiedAt: time,
  state: z.enum(['hashing', 'shared', 'failed']),
  urn: urn.nullable().describe('null: not hashed yet'),
  bitprint: urn.nullable().describe('SHA-1 and root of the hash tree; null: the tree is not made yet'),
  seenFolder: z.string().nullable().describe('folder name shown to other servents'),
  ...mediaFields,
  hits: count.describe('queries that matched it since the start'),
  uploads: count.describe('finished uploads since the start'),
});

const leftOut = z.object({
  rule: z.string(),
  why: z.string(),
  files: count,
  folders: count,
  first: z.string().describe('path of the first file or folder'),
});

export const folder = z.object({
  id,
  path: z.string(),
  state: z.enum(['waiting', 'scanning', 'ready', 'failed', 'cancelled']),
  files: count,
  bytes,
  error: z.string().nullable().describe('why the folder, or part of it, is not shared'),
  leftOut: z.array(leftOut).describe('files and folders that the last scan left out, by rule'),
  scannedAt: time.nullable(),
  exclude: z.array(z.string()).describe('gitignore patterns of files to leave out, besides `library.exclude`'),
  force: z.boolean().describe('shared by explicit request although such folders are refused'),
  label: z
    .string()
    .nullable()
    .describe('name shown to other servents in place of its path, before the subfolders; null: only file names'),
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
    .describe('gitignore patterns of files to leave out, after those of `library.exclude`'),
  force: z
    .boolean()
    .optional()
    .describe('true: also share a system folder, a home folder or a whole disk; secrets in it are still left out'),
  label: z
    .string()
    .max(100)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the expression searches for them
    .regex(/^[^/\\\u0000-\u001f\u007f\ud800-\udfff]*$/u, 'expected a name without / or control characters')
    .refine(label => !/^\.{1,2}$/.test(label), 'expected another name than . and ..')
    .nullable()
    .optional()
    .describe('name shown to other servents in place of its path; null: only file names'),
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
        folder: z.string().nullable().describe('folder name shown to other servents'),
      }),
    )
    .describe('the first files that would be shared'),
  seenMore: count.describe('number of further files'),
  leftOut: z
    .array(z.object({ path: z.string(), kind: z.enum(['file', 'folder']), rule: z.string(), why: z.string() }))
    .describe('the first files and folders that would be left out'),
  leftOutMore: count.describe('number of further files and folders left out'),
  byRule: z.array(leftOut).describe('all files and folders that would be left out, by rule'),
  cut: z.string().nullable().describe('why the preview is incomplete'),
});

export const scrub = z.object({ files: count.describe('files to read'), bytes });

export const hashing = z.object({
  state: z
    .enum(['idle', 'scanning', 'hashing', 'cancelled'])
    .describe('cancelled: nothing is scanned or hashed until a rescan is asked for, or the next start'),
  files: count.describe('files still to hash'),
  hashed: count.describe('files hashed since the start'),
  bytes: bytes.describe('bytes still to read'),
  rate: bytes.describe('bytes read per second'),
  eta: seconds.nullable().describe('null: not known'),
  current: z.string().nullable().describe('path of a file that is being read'),
});

export const rescan = z.object({ folders: count.describe('folders queued for scanning') });
