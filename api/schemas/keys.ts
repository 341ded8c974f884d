// Schemas of named keys.
import { z } from 'zod';
import { id, time } from './common.ts';

export const keyScope = z.enum(['read', 'operate', 'admin']);

const CIDRS_MAX = 64;
const CIDR = /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-fA-F:.]{2,45})(\/\d{1,3})?$/;

export const newKey = z.strictObject({
  name: z
    .string()
    .trim()
    .min(1)
    .max(100)
    .regex(/^\P{Cc}+$/u, 'expected a name without control characters')
    .describe('purpose of the key'),
  scopes: z
    .array(keyScope)
    .min(1)
    .max(3)
    .default(['read'])
    .describe('`read` reads everything except keys, `operate` also acts, `admin` does everything'),
  cidrs: z
    .array(z.string().max(49).regex(CIDR, 'expected an address or ADDRESS/BITS'))
    .max(CIDRS_MAX)
    .default([])
    .describe('addresses from which it may be used; empty: any'),
  expiresAt: time.nullish().describe('null: never'),
});

export const key = z.object({
  id,
  name: z.string(),
  scopes: z.array(keyScope),
  cidrs: z.array(z.string()),
  createdAt: time,
  expiresAt: time.nullable(),
  expired: z.boolean(),
  usedAt: time.nullable().describe('last use, rounded to minutes'),
  usedFrom: z.string().nullable().describe('where from'),
});

export const keyWithSecret = key.extend({
  secret: z.string().describe('the token for `Authorization: Bearer`; returned only once'),
});

export const caller = z.object({
  id: z.string().describe('the id of the key; `owner` with the token of the data folder, `local` over the Unix socket'),
  name: z.string(),
  scopes: z.array(keyScope),
  expiresAt: time.nullable(),
});
