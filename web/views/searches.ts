// View of searches and the results of the selected one, grouped by content.
import type { ResultView, SavedSearchView, SearchView } from '../../api/control.ts';
import {
  counted,
  formatAge,
  formatBitrate,
  formatBytes,
  formatPlayTime,
  formatRepeat,
  printable,
} from '../../api/format.ts';
import type { Actions } from '../actions.ts';
import { button, chip, fieldForm, foreign, hash, iconButton } from '../controls.ts';
import { formatCount } from '../figures.ts';
import { hashOf, type Model, may } from '../model.ts';
import { type Child, h, type Sketch } from '../sketch.ts';
import { type Column, listTable, NOTHING } from '../table.ts';
import { sentence, tests } from './status.ts';

export function searchesView(model: Model, act: Actions, now: number): Child[] {
  const { search: open, lists } = model;
  const canAct = may(model, 'operate');
  const form = fieldForm({
    name: 'words',
    label: 'Words that all must match, or a URN',
    placeholder: 'Words or urn:sha1:…',
    button: 'Search',
    icon: 'searches',
    onSubmit: act.search,
  });
  return [
    ...(canAct ? [form] : []),
    ...(open === null ? [] : results(model, act, lists.searches.rows.find(({ id }) => id === open) ?? null, open, now)),
    ...(open === null
      ? listTable({
          list: 'searches',
          listing: lists.searches,
          act,
          caption: 'Searches',
          columns: columns(act, canAct, now),
          keyOf: ({ id }) => id,
          empty: 'No searches. Searches stay here until you remove them.',
        })
      : []),
    ...(open === null
      ? listTable({
          list: 'savedSearches',
          listing: lists.savedSearches,
          act,
          caption: 'Saved searches',
          columns: savedColumns(act, canAct, now),
          keyOf: ({ id }) => id,
          empty: 'No saved searches. They run by themselves; the command “servent saved add” makes one.',
        })
      : []),
  ];
}

/** Describes what is searched for. */
export function subject({ text, urn, browse }: Pick<SearchView, 'text' | 'urn' | 'browse'>): string {
  if (browse !== null) return `files of ${browse}`;
  return text ?? urn ?? '';
}

function state({ state, error }: SearchView): Sketch {
  if (state === 'failed') return chip('bad', printable(error ?? 'failed'));
  return state === 'running' ? chip('busy', 'running') : chip('quiet', 'finished');
}

function columns(act: Actions, canAct: boolean, now: number): Column<SearchView>[] {
  return [
    {
      title: 'Search',
      kind: 'name',
      sort: 'text',
      cell: search => h('a', { href: hashOf({ view: 'searches', search: search.id }) }, foreign(subject(search))),
    },
    { title: 'State', sort: 'state', cell: state },
    { title: 'Results', sort: 'results', kind: 'number', cell: ({ results }) => formatCount(results) },
    { title: 'Hits', sort: 'hits', kind: 'number', cell: ({ hits }) => formatCount(hits) },
    { title: 'Sent to', kind: 'number', cell: ({ peers }) => counted(peers, 'peer') },
    { title: 'Started', sort: 'startedAt', kind: 'number', cell: row => `${formatAge(row.startedAt, now)} ago` },
    ...(canAct
      ? [
          {
            title: 'Actions',
            kind: 'actions' as const,
            cell: (search: SearchView) =>
              iconButton('cancel', `Remove the search for ${subject(search)}`, () => act.removeSearch(search)),
          },
        ]
      : []),
  ];
}

const wantedBy = ({ text, urn }: SavedSearchView): string => text ?? urn ?? '';

function savedState({ state, running, error }: SavedSearchView): Sketch {
  if (running) return chip('busy', 'running');
  if (error !== null) return chip('bad', printable(error));
  return state === 'paused' ? chip('quiet', 'paused') : chip('good', 'active');
}

function savedColumns(act: Actions, canAct: boolean, now: number): Column<SavedSearchView>[] {
  return [
    { title: 'Saved search', sort: 'text', kind: 'name', cell: saved => foreign(wantedBy(saved)) },
    { title: 'State', sort: 'state', cell: savedState },
    { title: 'New', sort: 'new', kind: 'number', cell: saved => formatCount(saved.new) },
    {
      title: 'Last run',
      sort: 'ranAt',
      kind: 'number',
      cell: ({ ranAt }) => (ranAt === null ? 'never' : `${formatAge(ranAt, now)} ago`),
    },
    ...(canAct
      ? [
          {
            title: 'Actions',
            kind: 'actions' as const,
            cell: (saved: SavedSearchView) => [
              iconButton('resume', `Run the saved search for ${wantedBy(saved)} now`, () => act.runSaved(saved)),
              iconButton('cancel', `Remove the saved search for ${wantedBy(saved)}`, () => act.removeSaved(saved)),
            ],
          },
        ]
      : []),
  ];
}

function results(model: Model, act: Actions, search: SearchView | null, id: string, now: number): Child[] {
  const { lists, unfolded, explained } = model;
  const canAct = may(model, 'operate');
  const why = explained[id];
  const repeat = search === null ? null : formatRepeat(search, now);
  const heading = h(
    'div',
    { class: 'heading', key: 'heading' },
    h('a', { class: 'back', href: hashOf({ view: 'searches', search: null }) }, '‹ All searches'),
    ...(search === null
      ? []
      : [
          h('h2', {}, foreign(subject(search))),
          state(search),
          h(
            'span',
            { class: 'more', role: 'status' },
            `${counted(search.results, 'result')}, ${counted(search.hits, 'hit')}, sent to ${counted(search.peers, 'peer')}`,
          ),
          button('Why?', () => act.explain('explainSearch', id), { class: 'small' }),
          canAct ? button('Remove', () => act.removeSearch(search), { class: 'small' }) : null,
        ]),
  );
  return [
    heading,
    ...(search === null || search.cut === null
      ? []
      : [h('p', { class: 'quiet', role: 'note', key: 'cut' }, sentence(search.cut))]),
    ...(repeat === null ? [] : [h('p', { class: 'quiet', role: 'note', key: 'repeat' }, sentence(repeat))]),
    ...(why === undefined
      ? []
      : [h('section', { class: 'card', key: 'why' }, h('p', {}, sentence(why.verdict)), tests(why))]),
    ...listTable({
      list: 'results',
      listing: lists.results,
      act,
      caption: 'Results',
      filter: 'Filter by name or source',
      columns: resultColumns(act, id, unfolded, canAct),
      keyOf: row => row.id,
      below: row => (unfolded.has(row.id) ? sources(row) : null),
      empty: search?.state === 'running' ? 'No results yet; the search is running.' : 'No results.',
    }),
  ];
}

function resultColumns(
  act: Actions,
  search: string,
  unfolded: ReadonlySet<string>,
  canAct: boolean,
): Column<ResultView>[] {
  return [
    { title: 'Name', sort: 'name', kind: 'name', cell: ({ name }) => foreign(name) },
    { title: 'Size', sort: 'size', kind: 'number', cell: ({ size }) => formatBytes(size) },
    { title: 'Length', sort: 'length', kind: 'number', cell: ({ length }) => formatPlayTime(length) },
    { title: 'kbit/s', sort: 'bitrate', kind: 'number', cell: ({ bitrate }) => formatBitrate(bitrate) },
    {
      title: 'Sources',
      sort: 'sources',
      kind: 'number',
      cell: ({ id, sources, name }) =>
        h(
          'button',
          {
            type: 'button',
            class: 'fold',
            'aria-expanded': String(unfolded.has(id)),
            'aria-label': printable(`${counted(sources.length, 'source')} of ${name}`),
            onclick: () => act.fold(id),
          },
          String(sources.length),
          h('span', { class: 'arrow' }),
        ),
    },
    {
      title: 'Hash',
      kind: 'extra',
      cell: ({ urn }) => (urn === null ? NOTHING : hash(urn, true)),
    },
    ...(canAct
      ? [
          {
            title: 'Actions',
            kind: 'actions' as const,
            cell: (result: ResultView) =>
              button('Download', () => act.fetch(search, result), {
                icon: 'fetch',
                class: 'small',
                'aria-label': printable(`Download ${result.name}`),
              }),
          },
        ]
      : []),
  ];
}

function sources({ sources: list, urn, name: common }: ResultView): Sketch {
  return h(
    'div',
    { class: 'inside' },
    urn === null ? null : h('p', {}, hash(urn)),
    h(
      'ul',
      { class: 'sources' },
      list.map(({ address, name, vendor, push, busy, hops }) =>
        h(
          'li',
          {},
          foreign(address),
          name === common ? null : h('span', { class: 'quiet' }, 'as ', foreign(name)),
          vendor === null ? null : chip('quiet', printable(vendor)),
          push ? chip('wait', 'by push') : null,
          busy === true ? chip('wait', 'busy') : null,
          hops === null ? null : h('span', { class: 'quiet' }, counted(hops + 1, 'link')),
        ),
      ),
    ),
  );
}
