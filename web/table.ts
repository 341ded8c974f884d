// Table of a list of the API with sorting, filter and pages. On narrow screens each row is a card.
import type { Actions } from './actions.ts';
import { button } from './controls.ts';
import type { Listing, ListName, Rows } from './model.ts';
import { type Child, h, type Sketch } from './sketch.ts';

/** Content of an empty cell; narrow screens omit it. */
export const NOTHING = '–';

export interface Column<T> {
  readonly title: string;
  /** Field of the API to sort by. */
  readonly sort?: string;
  /** On narrow screens `name` and `wide` have their own lines, `actions` come last, and `extra` is omitted. */
  readonly kind?: 'name' | 'number' | 'actions' | 'wide' | 'extra';
  readonly cell: (row: T) => Child | readonly Child[] | null;
}

export interface TableSpec<T> {
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
  /** Content below an unfolded row. */
  readonly below?: (row: T) => Sketch | null;
  /** Class of a row. */
  readonly tone?: (row: T) => string | null;
  readonly sort?: { readonly now: string; readonly by: (field: string) => void };
  /** Text for an empty list. */
  readonly empty: Child;
}

export function table<T>(spec: TableSpec<T>): Sketch {
  const { caption, columns, rows, keyOf, below, sort, empty, tone } = spec;
  if (rows.length === 0) return h('p', { class: 'empty', key: `${caption} empty` }, empty);
  return h(
    'table',
    { role: 'table', key: caption },
    h('caption', { class: 'unseen' }, caption),
    h(
      'thead',
      { role: 'rowgroup' },
      h(
        'tr',
        { role: 'row' },
        columns.map(column => head(column, sort)),
      ),
    ),
    h(
      'tbody',
      { role: 'rowgroup' },
      rows.flatMap(row => {
        const under = below?.(row) ?? null;
        const line = h(
          'tr',
          { role: 'row', key: keyOf(row), class: tone?.(row) ?? null },
          columns.map(column => cell(column, row)),
        );
        if (under === null) return [line];
        const inside = h('td', { role: 'cell', colspan: columns.length }, under);
        return [line, h('tr', { role: 'row', key: `${keyOf(row)} below`, class: 'below' }, inside)];
      }),
    ),
  );
}

function head<T>({ title, sort: field, kind }: Column<T>, sort: TableSpec<T>['sort']): Sketch {
  const shown = kind === 'actions' ? h('span', { class: 'unseen' }, title) : title;
  const props = { role: 'columnheader', scope: 'col', class: kind ?? null };
  if (field === undefined || sort === undefined) return h('th', props, shown);
  const { now, by } = sort;
  const order = now === field ? 'ascending' : now === `-${field}` ? 'descending' : null;
  return h(
    'th',
    { ...props, 'aria-sort': order },
    h('button', { type: 'button', class: 'head', onclick: () => by(field) }, title, h('span', { class: 'arrow' })),
  );
}

function cell<T>({ title, kind, cell: show }: Column<T>, row: T): Sketch {
  const shown = show(row);
  const classes = [kind ?? [], shown === NOTHING || shown === null || shown === '' ? 'none' : []].flat().join(' ');
  return h('td', { role: 'cell', class: classes === '' ? null : classes, 'data-label': title }, shown);
}

export interface ListSpec<L extends ListName> extends Omit<TableSpec<Rows[L]>, 'rows' | 'sort'> {
  readonly list: L;
  readonly listing: Listing<Rows[L]>;
  readonly act: Actions;
  /** Label of the filter, for example `Filter by name or address`; absent: no filter. */
  readonly filter?: string;
  /** Controls next to the filter. */
  readonly tools?: readonly Child[];
}

/** Draws the filter, the table and the page buttons. */
export function listTable<L extends ListName>(spec: ListSpec<L>): Child[] {
  const { list, listing, act, filter, tools = [], columns } = spec;
  const { rows, loaded, sort, error } = listing;
  const sortable = columns.filter(column => column.sort !== undefined);
  const bar: Child[] = [...tools];
  if (filter !== undefined)
    bar.push(
      h('input', {
        key: `${list} filter`,
        type: 'search',
        class: 'filter',
        placeholder: filter,
        'aria-label': filter,
        value: listing.filter,
        spellcheck: 'false',
        autocomplete: 'off',
        maxlength: 500,
        oninput: event => act.filter(list, (event.target as HTMLInputElement).value),
      }),
    );
  if (sortable.length > 0 && rows.length > 1) bar.push(sortSelect(list, sort, sortable, act));
  return [
    ...(bar.length === 0 ? [] : [h('div', { class: 'bar', key: `${list} bar` }, bar)]),
    ...(error === null ? [] : [h('p', { class: 'fault', role: 'alert', key: `${list} fault` }, error)]),
    loaded || error !== null
      ? table<Rows[L]>({
          ...spec,
          rows,
          sort: { now: sort, by: field => act.sort(list, field) },
          empty: listing.filter.trim() === '' ? spec.empty : 'No rows match the filter.',
        })
      : h('p', { class: 'empty', key: `${list} empty` }, 'Loading …'),
    ...pager(list, listing, act),
  ];
}

/** Select for sorting on narrow screens, which have no column headers. */
function sortSelect<T>(list: ListName, sort: string, columns: readonly Column<T>[], act: Actions): Sketch {
  return h(
    'select',
    {
      class: 'sort',
      'aria-label': 'Sort',
      value: sort,
      onchange: event => act.sortTo(list, (event.target as HTMLSelectElement).value),
    },
    h('option', { value: '' }, 'Usual order'),
    columns.flatMap(({ title, sort: field }) => [
      h('option', { value: `-${field}` }, `${title}, descending`),
      h('option', { value: field ?? '' }, `${title}, ascending`),
    ]),
  );
}

function pager<T>(list: ListName, { trail, next }: Listing<T>, act: Actions): Sketch[] {
  if (trail.length === 0 && next === null) return [];
  return [
    h(
      'nav',
      { class: 'pager', 'aria-label': 'Pages', key: `${list} pager` },
      button('First', () => act.turn(list, 'first'), { disabled: trail.length === 0 }),
      button('Back', () => act.turn(list, 'back'), { disabled: trail.length === 0 }),
      h('span', { 'aria-current': 'page' }, `Page ${trail.length + 1}`),
      button('Next', () => act.turn(list, 'next'), { disabled: next === null }),
    ),
  ];
}
