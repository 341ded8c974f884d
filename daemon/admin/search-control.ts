// The admin API's operations on searches that run, and their results.
import type { Control } from '../../api/control.ts';
import { notFound } from '../../api/errors.ts';
import { pageOf } from '../../api/page.ts';
import { resultFields } from '../views/result-rule.ts';
import { resultView, searchView } from '../views/searches.ts';
import type { ControlParts } from './control-parts.ts';
import { searchExplanation } from './explanations.ts';

type SearchControl = Pick<
  Control,
  'startSearch' | 'searches' | 'search' | 'removeSearch' | 'results' | 'explainSearch'
>;

export function searchControl(parts: Pick<ControlParts, 'searches' | 'servent' | 'clock' | 'live'>): SearchControl {
  const { searches } = parts;

  /** Throws NOT_FOUND. */
  const viewOf = (id: string): ReturnType<typeof searchView> => {
    const search = searches.get(id);
    if (search === null) throw notFound('search', id);
    return searchView(search);
  };

  return {
    startSearch: input => searchView(searches.start(input)),
    searches: input => pageOf(searches.list().reverse(), input, ({ id }) => id, searchView),
    search: ({ id }) => viewOf(id),
    explainSearch: ({ id }) => searchExplanation(parts, viewOf(id)),

    removeSearch: ({ id }) => {
      if (!searches.remove(id)) throw notFound('search', id);
    },

    results: ({ id, spam, ...page }) => {
      // who filters by marks wants to see what they mark
      const asked = page.filter?.paths.some(path => path.split('.')[0] === 'spam') === true ? 'show' : 'hide';
      const results = searches.results(id, spam ?? asked);
      if (results === null) throw notFound('search', id);
      return pageOf(results, page, ({ content }) => content.id, resultView, resultFields);
    },
  };
}
