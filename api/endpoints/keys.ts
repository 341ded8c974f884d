// Rows of the table of endpoints: keys of the API.
import { API, create, get, listOf, remove } from '../endpoint.ts';
import { byId } from '../schemas/common.ts';
import * as keys from '../schemas/keys.ts';

export const keyEndpoints = {
  caller: get(`${API}/caller`, {
    tag: 'keys',
    doc: 'Name and scopes of the key of this call.',
    output: keys.caller,
  }),
  keys: get(`${API}/keys`, {
    tag: 'keys',
    doc: 'The named keys, without their secrets.',
    scope: 'admin',
    ...listOf(keys.key),
  }),
  createKey: create(`${API}/keys`, {
    tag: 'keys',
    doc: 'Creates a key; only this answer has its secret.',
    scope: 'admin',
    body: keys.newKey,
    output: keys.keyWithSecret,
    problems: ['CONFLICT', 'TOO_MANY'],
  }),
  removeKey: remove(`${API}/keys/:id`, {
    tag: 'keys',
    doc: 'Revokes a key immediately.',
    scope: 'admin',
    params: byId,
    problems: ['NOT_FOUND'],
  }),
} as const;
