// View of received queries.
import type { QueryView } from '../../api/control.ts';
import { counted } from '../../api/format.ts';
import { skippedNow } from '../../api/live/reducer.ts';
import type { Actions } from '../actions.ts';
import { button, chip, foreign, hash, iconButton } from '../controls.ts';
import { formatClock, formatCount } from '../figures.ts';
import { type Model, may } from '../model.ts';
import { type Child, h } from '../sketch.ts';
import { type Column, table } from '../table.ts';

/** Most rows drawn. */
const SHOWN_MAX = 200;

export function queriesView(model: Model, act: Actions, now: number): Child[] {
  const { rows, paused, held, filter } = model.queries;
  const skipped = skippedNow(model.queries.skipped, now);
  const fitting = rows.filter(row => queryFits(row, filter));
  return [
    h(
      'div',
      { class: 'bar', key: 'bar' },
      button(
        paused ? (held.length > 0 ? `Continue (${held.length} new)` : 'Continue') : 'Pause',
        () => act.pauseQueries(!paused),
        { icon: paused ? 'resume' : 'pause', 'aria-pressed': String(paused), class: 'steady' },
      ),
      h('input', {
        type: 'search',
        class: 'filter',
        placeholder: 'Filter by words, hash or neighbour',
        'aria-label': 'Filter by words, hash or neighbour',
        value: filter,
        spellcheck: 'false',
        autocomplete: 'off',
        maxlength: 500,
        oninput: event => act.filterQueries((event.target as HTMLInputElement).value),
      }),
      paused ? chip('wait', 'paused') : chip('good', 'live'),
    ),
    ...(skipped > 0
      ? [h('p', { class: 'more', key: 'skipped' }, `${formatCount(skipped)} further queries a second are not shown.`)]
      : []),
    table({
      caption: 'Queries',
      columns: columns(act, may(model, 'operate')),
      rows: fitting.slice(0, SHOWN_MAX),
      keyOf: ({ id }) => id,
      empty: rows.length === 0 ? noneReceived(model) : 'No queries match the filter.',
    }),
    ...(fitting.length === 0
      ? []
      : [
          h(
            'p',
            { class: 'more', key: 'count' },
            `The latest ${counted(Math.min(fitting.length, SHOWN_MAX), 'query', 'queries')}${filter.trim() === '' ? '' : ' that match'}.`,
          ),
        ]),
  ];
}

function noneReceived({ status }: Model): string {
  if (status === null || status.peers.ultrapeers + status.peers.leaves === 0)
    return 'No queries received. They need a connection to another servent.';
  return status.mode === 'leaf'
    ? 'No queries received yet. A leaf is asked only what its files may answer.'
    : 'No queries received yet.';
}

/** Whether every word is in the text, a URN or the neighbour. */
export function queryFits({ text, urns, from }: QueryView, filter: string): boolean {
  const words = filter.trim().toLowerCase().split(/\s+/);
  const within = `${text}\n${urns.join('\n')}\n${from}`.toLowerCase();
  return words.every(word => within.includes(word));
}

function columns(act: Actions, canAct: boolean): Column<QueryView>[] {
  return [
    { title: 'Time', cell: ({ at }) => formatClock(at) },
    { title: 'Query', kind: 'name', cell: asked },
    { title: 'From', cell: ({ from }) => foreign(from) },
    { title: 'TTL', kind: 'number', cell: ({ ttl }) => String(ttl) },
    { title: 'Hops', kind: 'number', cell: ({ hops }) => String(hops) },
    {
      title: 'Hits',
      kind: 'number',
      cell: ({ hits }) => (hits > 0 ? h('b', { class: 'good' }, formatCount(hits)) : '0'),
    },
    ...(canAct
      ? [
          {
            title: 'Actions',
            kind: 'actions' as const,
            cell: (query: QueryView) => {
              const wanted = searchable(query);
              if (wanted === null) return null;
              return iconButton('searches', `Search for ${wanted}`, () => void act.search(wanted));
            },
          },
        ]
      : []),
  ];
}

function asked({ text, urns }: QueryView): Child[] {
  const hashes = urns.map(urn => hash(urn, true));
  if (text.trim() === '' && urns.length === 0) return [h('span', { class: 'quiet' }, 'everything (browse)')];
  return [...(text.trim() === '' ? [] : [foreign(text)]), ...hashes];
}

/** Returns the search text of a query; null when it has no words and no hash. */
export function searchable({ text, urns }: QueryView): string | null {
  const words = text.trim();
  return words === '' ? (urns[0] ?? null) : words;
}
