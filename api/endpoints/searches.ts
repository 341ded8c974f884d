// Rows of the table of endpoints: searches of this servent and their results.
import { API, create, get, listOf, remove } from '../endpoint.ts';
import { byId, listQuery, pageOf } from '../schemas/common.ts';
import * as searches from '../schemas/searches.ts';

export const searchEndpoints = {
  startSearch: create(`${API}/searches`, {
    tag: 'searches',
    doc: 'Starts a search by words, by URN, or by browsing one servent.',
    body: searches.startSearch,
    output: searches.search,
    problems: ['TOO_MANY'],
  }),
  searches: get(`${API}/searches`, {
    tag: 'searches',
    doc: 'Searches of this servent, newest first.',
    ...listOf(searches.search),
  }),
  search: get(`${API}/searches/:id`, {
    tag: 'searches',
    doc: 'One search.',
    params: byId,
    output: searches.search,
    problems: ['NOT_FOUND'],
  }),
  removeSearch: remove(`${API}/searches/:id`, {
    tag: 'searches',
    doc: 'Stops a search and deletes its results.',
    params: byId,
    problems: ['NOT_FOUND'],
  }),
  results: get(`${API}/searches/:id/results`, {
    tag: 'searches',
    doc: 'Results of a search, grouped by content, oldest first.',
    params: byId,
    query: listQuery(searches.result).extend({ spam: searches.spamShown.optional() }),
    output: pageOf(searches.result),
    problems: ['NOT_FOUND'],
  }),
} as const;
