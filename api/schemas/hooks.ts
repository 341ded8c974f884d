// Schemas of webhooks and commands.
import { z } from 'zod';
import { topic } from '../events.ts';
import { count, id, seconds, time } from './common.ts';

export const hook = z.object({
  id,
  url: z.string().nullable().describe('origin of the URL; null for a command'),
  command: z.string().nullable().describe('the program; null for a URL'),
  topics: z.array(topic),
  types: z.array(z.string()).describe('types of events; empty: all of the topics'),
  cursor: count.describe('id of the last event delivered or given up'),
  behind: count.describe('number of ids between it and the latest event'),
  error: z.string().nullable().describe('error of the last delivery'),
});

export const delivery = z.object({
  event: count.describe('its id'),
  type: z.string(),
  at: time,
  attempt: count.describe('from 1'),
  seconds,
  state: z.enum(['done', 'failed', 'given_up']).describe('`failed` is retried'),
  error: z.string().nullable(),
});

export const replay = z.strictObject({
  since: z
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .describe('deliver all kept events after this id; 0: from the oldest'),
});

export type HookView = z.infer<typeof hook>;
export type DeliveryView = z.infer<typeof delivery>;
