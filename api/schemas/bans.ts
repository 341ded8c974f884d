// Schemas of addresses that are banned from uploads.
import { z } from 'zod';
import { BAN_REASONS } from '../../protocol/transfer/uploads/conduct/offence.ts';
import { canonicalHost } from '../../protocol/wire/endpoint.ts';
import { count, id, time } from './common.ts';

const BAN_SECONDS_MAX = 315_360_000;
const NOTE_CHARACTERS_MAX = 200;

export const ban = z.object({
  id: id.describe('the address, of an IPv6 network its first one'),
  address: z.string().describe('an IP address, or a public IPv6 network as ADDRESS/64'),
  reason: z.enum(BAN_REASONS).describe('what it did last before it was banned; `by_hand`: banned by a person'),
  text: z.string().describe('the reason in words'),
  since: time,
  until: time.nullable().describe('null: until it is lifted'),
  times: count.describe('bans in a row: the next within a day is twice as long'),
  turnedAway: count.describe('connections closed since the daemon started and the ban began'),
});

export const newBan = z.strictObject({
  address: z
    .string()
    .max(64)
    .transform(text => canonicalHost(text) ?? '')
    .refine(text => text !== '', 'expected an IP address such as 192.0.2.7 or 2001:db8::7')
    .describe('an IP address; of public IPv6 its network of 64 bits'),
  for: z.int().min(1).max(BAN_SECONDS_MAX).optional().describe('seconds; absent: until it is lifted'),
  reason: z
    .string()
    .trim()
    .min(1)
    .max(NOTE_CHARACTERS_MAX)
    .regex(/^[^\p{Cc}]*$/u, 'expected text without control characters')
    .optional()
    .describe('shown with the ban'),
});
