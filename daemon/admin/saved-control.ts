// The admin API's operations on saved searches and on contents that are marked as bad.
import type { Control } from '../../api/control.ts';
import { ApiError, invalid, notFound } from '../../api/errors.ts';
import { pageOf } from '../../api/page.ts';
import { base32OrNull, SHA1_BYTES, urnOrNull } from '../../protocol/wire/urn.ts';
import { badContentView, findView, savedSearchView } from '../views/saved-searches.ts';
import type { ControlParts } from './control-parts.ts';

type SavedControl = Pick<
  Control,
  | 'savedSearches'
  | 'saveSearch'
  | 'changeSavedSearch'
  | 'removeSavedSearch'
  | 'runSavedSearch'
  | 'finds'
  | 'badContents'
  | 'addBadContent'
  | 'removeBadContent'
>;

export function savedControl({ saved, spam }: Pick<ControlParts, 'saved' | 'spam'>): SavedControl {
  return {
    savedSearches: input => pageOf(saved.list(), input, ({ id }) => id, savedSearchView),

    saveSearch: ({ text, urn, filter, action, every, state }) => {
      if (urn !== undefined && urnOrNull(urn)?.sha1 == null)
        throw invalid('urn', 'only a urn:sha1: or urn:bitprint: can be searched for');
      const spec = { text: text ?? null, urn: urn ?? null, filter: filter ?? null, action };
      return savedSearchView(
        saved.add({ ...spec, every: every === 'auto' ? null : every, paused: state === 'paused' }),
      );
    },

    changeSavedSearch: ({ id, filter, action, every, state, new: news }) => {
      const changed = saved.change(id, {
        ...(filter === undefined ? {} : { filter }),
        ...(action === undefined ? {} : { action }),
        ...(every === undefined ? {} : { every: every === 'auto' ? null : every }),
        ...(state === undefined ? {} : { paused: state === 'paused' }),
        ...(news === undefined ? {} : { news }),
      });
      if (changed === null) throw notFound('saved search', id);
      return savedSearchView(changed);
    },

    removeSavedSearch: ({ id }) => {
      if (!saved.remove(id)) throw notFound('saved search', id);
    },

    runSavedSearch: ({ id, duration }) => {
      const run = saved.run(id, duration);
      if (run === null) throw notFound('saved search', id);
      return savedSearchView(run);
    },

    finds: ({ id, ...page }) => {
      const finds = saved.finds(id);
      if (finds === null) throw notFound('saved search', id);
      return pageOf(finds, page, ({ at, sha1, name }) => `${at} ${sha1 ?? name}`, findView);
    },

    badContents: input => pageOf(spam.list(), input, ({ sha1 }) => sha1.toString('hex'), badContentView),

    addBadContent: ({ urn, note }) => {
      const sha1 = urnOrNull(urn)?.sha1 ?? null;
      if (sha1 === null) throw invalid('urn', 'expected a urn:sha1: or urn:bitprint:');
      const bad = spam.add(sha1, note ?? null);
      if (bad === null) throw new ApiError('TOO_MANY', 'the list of bad contents is full: remove some first');
      return badContentView(bad);
    },

    removeBadContent: ({ id }) => {
      const sha1 = base32OrNull(id);
      if (sha1?.length !== SHA1_BYTES || !spam.remove(sha1)) throw notFound('bad content', id);
    },
  };
}
