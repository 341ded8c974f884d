// Rows of the table of endpoints: queries that pass.
import { API, get, listOf } from '../endpoint.ts';
import * as monitor from '../schemas/monitor.ts';
import * as overlay from '../schemas/overlay.ts';

export const queryEndpoints = {
  queries: get(`${API}/queries`, {
    tag: 'queries',
    doc: 'The latest queries received from neighbours, newest first.',
    ...listOf(overlay.query),
  }),
  queryStats: get(`${API}/queries/stats`, {
    tag: 'queries',
    doc: 'Counts of received queries by time, hops, TTL, word and neighbour.',
    query: monitor.statsQuery,
    output: monitor.queryStats,
  }),
} as const;
