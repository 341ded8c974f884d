// Webhooks and commands that are told of events.
import { z } from 'zod';
import { topic } from '../events.ts';
import { count, id, seconds, time } from './common.ts';

export const hook = z.object({
  id,
  url: z.string().nullable().describe('the origin of the web address; null: it is a command'),
  command: z.string().nullable().describe('the program; null: it is a web address'),
  topics: z.array(topic),
  types: z.array(z.string()).describe('only these; none: all of the topics'),
  cursor: count.describe('the last event that is done with'),
  behind: count.describe('how many ids that is behind the latest'),
  error: z.string().nullable().describe('of the last delivery'),
});

export const delivery = z.object({
  event: count.describe('its id'),
  type: z.string(),
  at: time,
  attempt: count.describe('from 1'),
  seconds,
  state: z.enum(['done', 'failed', 'given_up']).describe('`failed` is tried again'),
  error: z.string().nullable(),
});

export const replay = z.strictObject({
  since: z
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .describe('deliver all kept events after this id again; 0: from the oldest'),
});

export type HookView = z.infer<typeof hook>;
export type DeliveryView = z.infer<typeof delivery>;
