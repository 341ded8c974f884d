// The help screen and docs/dashboard.md, both written from the tables of keys, views and words.
import { commandRows } from './commands.ts';
import { applies, type Binding, bindings, keyName } from './keys.ts';
import type { ListId, ViewId } from './model.ts';
import { views } from './views/all.ts';
import { textWidth, wrap } from './width.ts';

export interface HelpLine {
  readonly kind: 'title' | 'key' | 'empty';
  readonly keys: string;
  readonly text: string;
  /** Where the text begins. */
  readonly indent: number;
}

const keysOf = (binding: Binding): string => binding.keys.map(keyName).join(' ');

interface Group {
  readonly title: string;
  readonly rows: readonly (readonly [keys: string, text: string])[];
}

const PLACES: Partial<Record<ListId | ViewId, string>> = {
  results: 'results of a search',
  folders: 'shared folders',
  files: 'files',
};

function groups(): Group[] {
  const particular = bindings.filter(({ where }) => Array.isArray(where));
  const rowsAt = (view: ViewId, places: readonly (ListId | ViewId)[]) =>
    particular
      .filter(binding =>
        places.some(
          place =>
            applies(binding, view, place === view && isView(place) ? null : (place as ListId)) ||
            binding.where.includes(place),
        ),
      )
      .map(binding => {
        const partly = places.length > 1 ? places.filter(place => binding.where.includes(place)) : [];
        const only = partly.length === 1 && partly[0] !== undefined ? PLACES[partly[0]] : undefined;
        return [keysOf(binding), only === undefined ? binding.help : `${binding.help} (${only})`] as const;
      });
  const plain = (where: Binding['where']) =>
    bindings.filter(binding => binding.where === where).map(binding => [keysOf(binding), binding.help] as const);
  return [
    { title: 'Views', rows: views.map(view => [view.key, `${view.title}: ${view.about}`] as const) },
    { title: 'Everywhere', rows: plain('everywhere') },
    { title: 'Lists', rows: plain('lists') },
    ...views
      .map(view => ({ title: view.title, rows: rowsAt(view.id, view.lists.length === 0 ? [view.id] : view.lists) }))
      .filter(({ rows }) => rows.length > 0),
    {
      title: 'Words after ":"',
      rows: commandRows.map(({ word, takes, help }) => [takes === '' ? word : `${word} ${takes}`, help] as const),
    },
  ];
}

const isView = (place: ListId | ViewId): place is ViewId => views.some(({ id }) => id === place);

/** Written once for a width: the tables do not change while the program runs. */
let written: { readonly width: number; readonly lines: readonly HelpLine[] } | null = null;

/** As lines of at most `width` cells. */
export function helpLines(width: number): readonly HelpLine[] {
  if (written?.width !== width) written = { width, lines: groups().flatMap((group, i) => groupLines(group, i, width)) };
  return written.lines;
}

function groupLines({ title, rows }: Group, i: number, width: number): HelpLine[] {
  const indent = Math.min(Math.max(...rows.map(([keys]) => textWidth(keys))) + 3, Math.floor(width * 0.45));
  const lines: HelpLine[] = i === 0 ? [] : [{ kind: 'empty', keys: '', text: '', indent }];
  lines.push({ kind: 'title', keys: '', text: title, indent });
  for (const [keys, text] of rows)
    for (const [j, part] of wrap(text, width - indent).entries())
      lines.push({ kind: 'key', keys: j === 0 ? keys : '', text: part, indent });
  return lines;
}

const COLUMNS_MAX = 96;
/** Edges and the space beside them. */
const EDGE_CELLS = 4;

/** The room for the help screen's lines, and how far it can be moved. */
export function helpRoom({ columns, rows }: { columns: number; rows: number }): {
  width: number;
  height: number;
  last: number;
} {
  const width = Math.min(COLUMNS_MAX, columns - 2) - EDGE_CELLS;
  const count = helpLines(width).length;
  const height = Math.max(1, Math.min(count, rows - 5));
  return { width, height, last: count - height };
}

/** docs/dashboard.md; `pictures` are screens as text, by title. */
export function dashboardDocument(pictures: readonly (readonly [title: string, text: string])[] = []): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  return [
    '# Dashboard',
    '',
    '<!-- Written from the tables in tui/ by `npm run docs`: change it there. -->',
    '',
    '`servent tui` shows a running daemon in the terminal and steers it. It finds the daemon as every command does; `--api URL` again and again',
    'gives it several, and `C` goes from one to the next. It is a client of the admin API like any other: leaving it changes nothing.',
    '',
    '- `servent tui --demo` plays a made-up network, for a first look. Nothing is sent anywhere.',
    '- `servent tui --plain` reads words line by line and answers in plain lines, for screen readers and `TERM=dumb`; it is what runs when',
    '  output or input is not a terminal.',
    '- `NO_COLOR=1` takes the colours away, `--ascii` the line drawing, `--no-mouse` leaves the mouse to the terminal (`M` changes over).',
    '- `/` keeps the rows that have all the words typed, and `!word` those without a word.',
    '- Marked rows are what an action is about; without marks it is the row under the cursor. What cannot be undone is asked first.',
    '',
    ...groups().flatMap(({ title, rows }) => [
      `## ${title}`,
      '',
      title.startsWith('Words') ? '| word | does |' : '| key | does |',
      '| --- | --- |',
      ...rows.map(([keys, text]) => `| \`${cell(keys)}\` | ${cell(text)} |`),
      '',
    ]),
    ...(pictures.length === 0 ? [] : ['## Pictures', '']),
    ...pictures.flatMap(([title, text]) => [`### ${title}`, '', '```text', text, '```', '']),
  ].join('\n');
}
