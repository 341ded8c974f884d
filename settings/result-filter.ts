// The setting `searches.spam`: a filter of search results; empty: of none.
import { FILTER_CHARACTERS_MAX, FilterError, parseFilter } from '../api/filter.ts';
import { listFields } from '../api/outline.ts';
import { type Kind, WRONG } from './kinds.ts';

export const resultFilter: Kind<string> = {
  check: given => {
    if (typeof given !== 'string' || given.length > FILTER_CHARACTERS_MAX) return WRONG;
    const text = given.trim();
    try {
      if (text !== '') parseFilter(text, listFields.result, 0);
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      return { ok: false, item: null, expected: `a filter of results such as spam>0 (${error.message})` };
    }
    return { ok: true, value: text };
  },
  expected: 'a filter of results such as spam>0, or nothing',
  fromText: text => text,
};
