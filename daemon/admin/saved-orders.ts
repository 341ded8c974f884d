// The admin API's orders for saved searches and for contents that are marked as bad.
import type {
  BadContentView,
  ById,
  ChangeSavedSearchInput,
  FindView,
  ListRequest,
  NewBadContentInput,
  Page,
  RunSavedSearchInput,
  SavedSearchView,
  SaveSearchInput,
} from '../../api/control.ts';
import { ApiError, invalid, notFound } from '../../api/errors.ts';
import { pageOf } from '../../api/page.ts';
import { base32OrNull, SHA1_BYTES, urnOrNull } from '../../protocol/wire/urn.ts';
import { badContentView, findView, savedSearchView } from '../views/saved-searches.ts';
import type { ControlParts } from './control-parts.ts';

export class SavedOrders {
  readonly #parts: Pick<ControlParts, 'saved' | 'spam'>;

  constructor(parts: Pick<ControlParts, 'saved' | 'spam'>) {
    this.#parts = parts;
  }

  list(input: ListRequest): Page<SavedSearchView> {
    return pageOf(this.#parts.saved.list(), input, ({ id }) => id, savedSearchView);
  }

  add({ text, urn, filter, action, every, state }: SaveSearchInput): SavedSearchView {
    if (urn !== undefined && urnOrNull(urn)?.sha1 == null)
      throw invalid('urn', 'only a urn:sha1: or urn:bitprint: can be searched for');
    const spec = { text: text ?? null, urn: urn ?? null, filter: filter ?? null, action };
    const saved = this.#parts.saved.add({
      ...spec,
      every: every === 'auto' ? null : every,
      paused: state === 'paused',
    });
    return savedSearchView(saved);
  }

  change({ id, filter, action, every, state, new: news }: ById & ChangeSavedSearchInput): SavedSearchView {
    const saved = this.#parts.saved.change(id, {
      ...(filter === undefined ? {} : { filter }),
      ...(action === undefined ? {} : { action }),
      ...(every === undefined ? {} : { every: every === 'auto' ? null : every }),
      ...(state === undefined ? {} : { paused: state === 'paused' }),
      ...(news === undefined ? {} : { news }),
    });
    if (saved === null) throw notFound('saved search', id);
    return savedSearchView(saved);
  }

  remove({ id }: ById): void {
    if (!this.#parts.saved.remove(id)) throw notFound('saved search', id);
  }

  run({ id, duration }: ById & RunSavedSearchInput): SavedSearchView {
    const saved = this.#parts.saved.run(id, duration);
    if (saved === null) throw notFound('saved search', id);
    return savedSearchView(saved);
  }

  finds({ id, ...page }: ById & ListRequest): Page<FindView> {
    const finds = this.#parts.saved.finds(id);
    if (finds === null) throw notFound('saved search', id);
    return pageOf(finds, page, ({ at, sha1, name }) => `${at} ${sha1 ?? name}`, findView);
  }

  badContents(input: ListRequest): Page<BadContentView> {
    return pageOf(this.#parts.spam.list(), input, ({ sha1 }) => sha1.toString('hex'), badContentView);
  }

  addBadContent({ urn, note }: NewBadContentInput): BadContentView {
    const sha1 = urnOrNull(urn)?.sha1 ?? null;
    if (sha1 === null) throw invalid('urn', 'expected a urn:sha1: or urn:bitprint:');
    const bad = this.#parts.spam.add(sha1, note ?? null);
    if (bad === null) throw new ApiError('TOO_MANY', 'the list of bad contents is full: remove some first');
    return badContentView(bad);
  }

  removeBadContent({ id }: ById): void {
    const sha1 = base32OrNull(id);
    if (sha1?.length !== SHA1_BYTES || !this.#parts.spam.remove(sha1)) throw notFound('bad content', id);
  }
}
