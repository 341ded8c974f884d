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

export const configChange = z.object({
  key: z.string(),
  from: z.unknown(),
  to: z.unknown(),
  effect: z
    .enum(['hot', 'reconnect', 'restart'])
    .describe('counts at once, for connections made from then on, or at the next start'),
  applied: z.boolean(),
  error: z.string().nullable().describe('why it could not be applied, and was not'),
});

export const configPlan = z.object({
  file: z.string().nullable().describe('the configuration file'),
  dryRun: z.boolean(),
  changes: z.array(configChange).describe('what the configuration says now and the daemon did not do before'),
  overruled: z
    .array(z.object({ key: z.string(), by: z.string() }))
    .describe('written to the file, but a flag or variable says otherwise'),
  restart: z.boolean().describe('some of it waits for the next start'),
});

export const logLevel = z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']);
const MODULES_MAX = 64;

export const logLevelsPatch = z
  .record(z.string().min(1).max(40), logLevel.nullable())
  .refine(levels => Object.keys(levels).length <= MODULES_MAX, `at most ${MODULES_MAX}`);

export const logLevels = z.object({
  level: logLevel.describe('of all without one of their own'),
  levels: z.record(z.string(), logLevel).describe('by part of the daemon, as `mod` in the log'),
});

export const changeConfigQuery = z.strictObject({
  dryRun: z
    .enum(['true', 'false'])
    .default('false')
    .transform(text => text === 'true')
    .describe('`true`: only say what would happen'),
});

/** A JSON merge patch (RFC 7396) in the shape of the configuration file: null takes a value out of it. */
export const configPatch = z.record(z.string(), z.unknown()).transform(patch => ({ patch }));

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
