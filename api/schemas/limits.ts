// Schemas of limits of bandwidth and of the monthly budget.
import { z } from 'zod';
import { bytes, rate, time } from './common.ts';

export const limit = z.object({
  name: z
    .enum(['total', 'out', 'in', 'upload', 'slot', 'download', 'overlay', 'udp', 'hashing'])
    .describe('`total`: both directions; `slot`: each upload; `overlay`, `udp`: what is sent'),
  value: rate.describe('bytes per second; 0: no limit'),
  stopped: z.boolean().describe('nothing of it runs'),
  origin: z.enum(['setting', 'schedule', 'budget']),
  why: z.string().describe('the key or the entry of the timetable that it comes from'),
  used: rate.nullable().describe('over the last seconds; null: not measured'),
  changesAt: time.nullable().describe('when the timetable changes it; null: it does not'),
});

export const budget = z.object({
  state: z
    .enum(['none', 'open', 'slow', 'spent'])
    .describe(
      '`none`: no budget; `slow`: nine tenths are used, the rest is spread over the rest of the month; `spent`: used up, no transfers until the next month, and the role is leaf',
    ),
  bytes: bytes.describe('`limits.monthlyBytes`; 0: no budget'),
  used: bytes.describe('in both directions together'),
  in: bytes,
  out: bytes,
  month: z.string().describe('such as `2026-11`, in local time'),
  resetsAt: time,
});

export const limits = z.object({ items: z.array(limit), budget });
