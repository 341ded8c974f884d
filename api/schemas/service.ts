// The daemon as something to run: health, configuration, and how errors look.
import { z } from 'zod';

export const live = z.object({ status: z.literal('ok') });

export const ready = z.object({
  status: z.enum(['ok', 'unavailable']),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string().nullable() })),
});

export const originKind = z.enum(['flag', 'environment', 'file', 'profile', 'default']);

export const setting = z.object({
  key: z.string(),
  value: z.unknown(),
  origin: originKind.describe('who decided the value'),
  where: z.string().nullable().describe('the flag, variable, or file with its line'),
  restart: z.boolean().describe('a change needs a restart'),
});

export const config = z.object({
  file: z.string().nullable().describe('the configuration file that was read'),
  config: z.record(z.string(), z.unknown()).describe('effective values in the shape of the configuration file'),
  settings: z.array(setting),
});

/** RFC 9457. `type` and `code` are stable; `title` and `detail` are for people. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  field: z.string().optional().describe('the field at fault, for example `sources.0.address`'),
  errors: z
    .array(z.object({ in: z.enum(['path', 'query', 'body']), field: z.string(), detail: z.string() }))
    .optional()
    .describe('every fault found, the first one being `field`'),
});
