// A list of the API as a table: sorted by a click on a head, filtered, page by page. On a phone each row becomes a card.
import type { Actions } from './actions.ts';
import { button } from './controls.ts';
import type { Listing, ListName, Rows } from './model.ts';
import { type Child, h, type Sketch } from './sketch.ts';

/** In a cell that has nothing to say; on a phone it is left out. */
export const NOTHING = '–';

export interface Column<T> {
  readonly title: string;
  /** The field of the API it is sorted by. */
  readonly sort?: string;
  /** On a phone `name` and `wide` have lines of their own, `actions` are at the end, and `extra` is not there. */
  readonly kind?: 'name' | 'number' | 'actions' | 'wide' | 'extra';
  readonly cell: (row: T) => Child | readonly Child[] | null;
}

export interface TableSpec<T> {
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
  /** What is shown below a row that is unfolded. */
  readonly below?: (row: T) => Sketch | null;
  /** Marks rows by what they are. */
  readonly tone?: (row: T) => string | null;
  readonly sort?: { readonly now: string; readonly by: (field: string) => void };
  /** Instead of no rows. */
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
  const classes = [kind ?? [], shown === NOTHING ? 'none' : []].flat().join(' ');
  return h('td', { role: 'cell', class: classes === '' ? null : classes, 'data-label': title }, shown);
}

export interface ListSpec<L extends ListName> extends Omit<TableSpec<Rows[L]>, 'rows' | 'sort'> {
  readonly list: L;
  readonly listing: Listing<Rows[L]>;
  readonly act: Actions;
  /** What the filter looks through, for example `Filter by name or address`; none: it has no filter. */
  readonly filter?: string;
  /** Beside the filter. */
  readonly tools?: readonly Child[];
}

/** A table with its filter above and its pages below. */
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
          empty: listing.filter.trim() === '' ? spec.empty : 'Nothing here fits the filter.',
        })
      : h('p', { class: 'empty', key: `${list} empty` }, 'Asking the daemon …'),
    ...pager(list, listing, act),
  ];
}

/** For phones, where a table has no heads. */
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
      h('option', { value: `-${field}` }, `${title}, most first`),
      h('option', { value: field ?? '' }, `${title}, least first`),
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
