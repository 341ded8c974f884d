// Rows of the table of endpoints: how the daemon is.
import type { z } from 'zod';
import { API, get } from '../endpoint.ts';
import * as explain from '../schemas/explain.ts';
import * as service from '../schemas/service.ts';

export const healthEndpoints = {
  doctor: get(`${API}/doctor`, {
    tag: 'explanations',
    doc: 'Problems of configuration, network and disk, with remedies.',
    output: explain.doctor,
  }),
  live: get('/health/live', {
    tag: 'service',
    doc: 'Answers 200 while the process runs.',
    scope: 'open',
    output: service.live,
  }),
  ready: get('/health/ready', {
    tag: 'service',
    doc: 'Answers 200 when all parts listen and work, else 503, both with the state of each part.',
    scope: 'open',
    output: service.ready,
    statusFor: (output: z.output<typeof service.ready>) => (output.status === 'ok' ? 200 : 503),
  }),
} as const;
