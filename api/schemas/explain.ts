// Schemas of explanations: each test with its value, each finding with its remedy.
import { z } from 'zod';
import { address, count, seconds, time } from './common.ts';

const explainedTest = z.object({
  name: z.string(),
  ok: z.boolean(),
  value: z.string().describe('what was found'),
  mend: z.string().nullable().describe('remedy; null: no problem'),
});

export const explanation = z.object({
  verdict: z.string().describe('one sentence'),
  tests: z.array(explainedTest),
});

const refusedPeer = z.object({
  at: time,
  address,
  direction: z.enum(['incoming', 'outgoing']),
  reason: z.string().describe('reason as in the metrics, for example `refused_by_us`'),
  detail: z.string(),
});

export const keptNeighbour = z.object({
  address: z.string().describe('as configured'),
  state: z.enum(['connected', 'dialling', 'waiting']),
  nextIn: seconds.nullable().describe('seconds until the next dial, while waiting'),
  failures: count.describe('consecutive failures'),
  why: z.string().nullable().describe('reason of the last failure: message of the peer, or result of the dial'),
});

export const refusedPeers = z.object({
  counts: z.object({ incoming: z.record(z.string(), count), outgoing: z.record(z.string(), count) }),
  configured: z.array(keptNeighbour).describe('neighbours of `gnutella.connect`, with the time of their next dial'),
  items: z.array(refusedPeer).describe('the latest, newest first'),
});

export const finding = z.object({
  name: z.string(),
  state: z.enum(['ok', 'warning', 'bad']),
  detail: z.string(),
  mend: z.string().nullable(),
});

export const doctor = z.object({ ok: z.boolean(), findings: z.array(finding) });
