// Schemas of health, configuration, log and errors.
import { z } from 'zod';
import { listQuery, time } from './common.ts';

export const live = z.object({ status: z.literal('ok') });

export const ready = z.object({
  status: z.enum(['ok', 'unavailable']),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string().nullable() })),
});

const originKind = z.enum(['flag', 'environment', 'file', 'profile', 'default']);

export const setting = z.object({
  key: z.string(),
  value: z.unknown(),
  origin: originKind.describe('source of the value'),
  where: z.string().nullable().describe('the flag, variable, or file with its line'),
  restart: z.boolean().describe('whether a change needs a restart'),
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
    .describe('when the change takes effect: at once, for new connections, or at the next start'),
  applied: z.boolean(),
  error: z.string().nullable().describe('why it was not applied'),
});

export const configPlan = z.object({
  file: z.string().nullable().describe('the configuration file'),
  dryRun: z.boolean(),
  changes: z.array(configChange).describe('settings that changed'),
  overruled: z
    .array(z.object({ key: z.string(), by: z.string() }))
    .describe('changed in the file, but overridden by a flag or variable'),
  restart: z.boolean().describe('whether a change takes effect at the next start'),
});

export const logLevel = z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']);
const MODULES_MAX = 64;

export const logLine = z.object({
  id: z.string(),
  at: time,
  level: logLevel,
  mod: z.string().nullable().describe('the part of the daemon; null: the daemon as a whole'),
  message: z.string(),
  data: z.record(z.string(), z.unknown()).describe('further fields of the line'),
});

export const logQuery = listQuery(logLine).extend({
  level: logLevel.default('trace').describe('lowest level to return'),
});

export const logLevelsPatch = z
  .record(z.string().min(1).max(40), logLevel.nullable())
  .refine(levels => Object.keys(levels).length <= MODULES_MAX, `at most ${MODULES_MAX}`);

export const logLevels = z.object({
  level: logLevel.describe('level of parts that are not in `levels`'),
  levels: z.record(z.string(), logLevel).describe('levels by part of the daemon (`mod` in the log)'),
});

export const changeConfigQuery = z.strictObject({
  dryRun: z
    .union([z.boolean(), z.enum(['true', 'false'])])
    .default(false)
    .transform(given => given === true || given === 'true')
    .describe('`true`: only return the plan'),
});

/** A JSON merge patch (RFC 7396) in the shape of the configuration file: null removes a value. */
export const configPatch = z.record(z.string(), z.unknown()).transform(patch => ({ patch }));

export const openapi = z.looseObject({
  openapi: z.string().describe('3.1.0'),
  info: z.looseObject({ title: z.string(), version: z.string() }),
  paths: z.record(z.string(), z.unknown()),
});

const OPERATIONS_MAX = 1000;

export const bulk = z.strictObject({
  operations: z
    .array(
      z.strictObject({
        operation: z.string().max(64).describe('an `operationId` of this API, for example `changeDownload`'),
        input: z
          .record(z.string(), z.unknown())
          .default({})
          .describe('its path parameters, query and body in one object'),
      }),
    )
    .min(1)
    .max(OPERATIONS_MAX),
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
    .array(z.object({ in: z.enum(['path', 'query', 'header', 'body']), field: z.string(), detail: z.string() }))
    .optional()
    .describe('all faults; the first one is that of `field`'),
});

export const bulkAnswer = z.object({
  items: z
    .array(
      z.object({
        operation: z.string(),
        status: z.int(),
        body: z.unknown().optional().describe('answer of the operation, if it has a body'),
        problem: problem.optional().describe('error of the operation'),
      }),
    )
    .describe('result of each operation, in the same order'),
});
