// Rows of the table of endpoints: saved searches, and contents that are marked as bad.
import { API, change, create, get, listOf, remove } from '../endpoint.ts';
import { byId } from '../schemas/common.ts';
import * as saved from '../schemas/saved-searches.ts';

export const savedEndpoints = {
  savedSearches: get(`${API}/saved-searches`, {
    tag: 'searches',
    doc: 'Searches that run by themselves, oldest first.',
    ...listOf(saved.savedSearch),
  }),
  saveSearch: create(`${API}/saved-searches`, {
    tag: 'searches',
    doc: 'Saves a search, by words or by URN. It runs as soon as there are neighbours, and then by itself; only new results are told or downloaded.',
    body: saved.saveSearch,
    output: saved.savedSearch,
    problems: ['TOO_MANY'],
  }),
  changeSavedSearch: change(`${API}/saved-searches/:id`, {
    tag: 'searches',
    doc: 'Pauses, resumes or changes a saved search, or marks its results as seen.',
    params: byId,
    body: saved.changeSavedSearch,
    output: saved.savedSearch,
    problems: ['NOT_FOUND'],
  }),
  removeSavedSearch: remove(`${API}/saved-searches/:id`, {
    tag: 'searches',
    doc: 'Removes a saved search and what is known of its results; downloads stay.',
    params: byId,
    problems: ['NOT_FOUND'],
  }),
  runSavedSearch: create(`${API}/saved-searches/:id/run`, {
    tag: 'searches',
    doc: 'Runs a saved search now.',
    success: 202,
    params: byId,
    body: saved.runSavedSearch,
    output: saved.savedSearch,
    problems: ['NOT_FOUND', 'CONFLICT', 'TOO_MANY'],
  }),
  finds: get(`${API}/saved-searches/:id/results`, {
    tag: 'searches',
    doc: 'The latest 200 results of a saved search, newest first, and what was done with them.',
    params: byId,
    ...listOf(saved.find),
    problems: ['NOT_FOUND'],
  }),
  badContents: get(`${API}/spam`, {
    tag: 'searches',
    doc: 'Contents that are marked as `known_bad` wherever they are found, newest first.',
    ...listOf(saved.badContent),
  }),
  addBadContent: create(`${API}/spam`, {
    tag: 'searches',
    doc: 'Marks a content as bad; the filter of the setting `searches.spam` hides it.',
    body: saved.newBadContent,
    output: saved.badContent,
    problems: ['TOO_MANY'],
  }),
  removeBadContent: remove(`${API}/spam/:id`, {
    tag: 'searches',
    doc: 'Marks a content as bad no longer; its `id` is its SHA-1 in base 32.',
    params: byId,
    problems: ['NOT_FOUND'],
  }),
} as const;
