// Rows of the table of endpoints: the node of the DHT.
import { API, create, get, listOf } from '../endpoint.ts';
import { byId } from '../schemas/common.ts';
import * as dht from '../schemas/dht.ts';
import { explanation } from '../schemas/explain.ts';

export const dhtEndpoints = {
  dht: get(`${API}/dht`, {
    tag: 'dht',
    doc: 'The node of the DHT.',
    output: dht.dht,
  }),
  dhtContacts: get(`${API}/dht/contacts`, {
    tag: 'dht',
    doc: 'The nodes in its routing table, nearest to its own KUID first.',
    ...listOf(dht.dhtContact),
  }),
  startDhtLookup: create(`${API}/dht/lookups`, {
    tag: 'dht',
    doc: 'Starts a lookup in the DHT, which fails when it takes over 3 minutes. 4 may run, and the latest 32 are kept.',
    body: dht.startLookup,
    output: dht.dhtLookup,
    problems: ['CONFLICT', 'TOO_MANY'],
  }),
  dhtLookup: get(`${API}/dht/lookups/:id`, {
    tag: 'dht',
    doc: 'A lookup in the DHT: whether it is over, the path that it took, and what it found.',
    params: byId,
    output: dht.dhtLookup,
    problems: ['NOT_FOUND'],
  }),
  explainDhtLookup: get(`${API}/dht/lookups/:id/explanation`, {
    tag: 'dht',
    doc: 'Explains a lookup in the DHT: why each node was asked and what it answered, and why it ended.',
    params: byId,
    output: explanation,
    problems: ['NOT_FOUND'],
  }),
} as const;
