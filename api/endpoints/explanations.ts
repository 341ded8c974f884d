// Rows of the table of endpoints: why something is as it is.
import { API, get } from '../endpoint.ts';
import { byId } from '../schemas/common.ts';
import * as explain from '../schemas/explain.ts';

export const explanationEndpoints = {
  explainSearch: get(`${API}/searches/:id/explanation`, {
    tag: 'explanations',
    doc: 'Explains the results of a search: tests with their values.',
    params: byId,
    output: explain.explanation,
    problems: ['NOT_FOUND'],
  }),
  explainDownload: get(`${API}/downloads/:id/explanation`, {
    tag: 'explanations',
    doc: 'Explains why a download waits or fails: tests with their values.',
    params: byId,
    output: explain.explanation,
    problems: ['NOT_FOUND'],
  }),
  explainPeer: get(`${API}/peers/:id/explanation`, {
    tag: 'explanations',
    doc: 'Query rate limits of a link, their origin, and the number of queries dropped.',
    params: byId,
    output: explain.explanation,
    problems: ['NOT_FOUND'],
  }),
  refusedPeers: get(`${API}/peers/refused`, {
    tag: 'explanations',
    doc: 'Failed handshakes: counts by reason, and the latest ones.',
    output: explain.refusedPeers,
  }),
  election: get(`${API}/election`, {
    tag: 'explanations',
    doc: 'Explains why this servent is a leaf or an ultrapeer.',
    output: explain.explanation,
  }),
} as const;
