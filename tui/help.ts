// Writes the help screen and docs/dashboard.md from the tables of keys, views and commands.
import { commandRows } from './commands.ts';
import { applies, type Binding, bindings, keyName } from './keys.ts';
import type { ListId, ViewId } from './model.ts';
import { views } from './views/all.ts';
import { textWidth, wrap } from './width.ts';

export interface HelpLine {
  readonly kind: 'title' | 'key' | 'empty';
  readonly keys: string;
  readonly text: string;
  /** Column of the text. */
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
      title: 'Commands after ":"',
      rows: commandRows.map(({ word, takes, help }) => [takes === '' ? word : `${word} ${takes}`, help] as const),
    },
  ];
}

const isView = (place: ListId | ViewId): place is ViewId => views.some(({ id }) => id === place);

/** Cache of the lines for one width. */
let written: { readonly width: number; readonly lines: readonly HelpLine[] } | null = null;

/** The help as lines of at most `width` cells. */
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
/** Width of both edges with a space beside each. */
const EDGE_CELLS = 4;

/** Size of the area for help lines, and the last scroll position. */
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

/** Returns docs/dashboard.md; `pictures` are screens as text, with titles. */
export function dashboardDocument(pictures: readonly (readonly [title: string, text: string])[] = []): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  return [
    '# Dashboard',
    '',
    '<!-- Written from the tables in tui/ by `npm run docs`: change it there. -->',
    '',
    '`servent tui` shows and controls a running daemon in the terminal. It finds the daemon as other commands do. Repeat `--api URL` for several',
    'daemons; `C` changes to the next. The dashboard is a client of the admin API: quitting it does not stop the daemon.',
    '',
    '- `servent tui --demo` shows a simulated network. Nothing is sent.',
    '- `servent tui --plain` reads commands and prints plain lines, for screen readers. It is the default for `TERM=dumb` and when input or',
    '  output is not a terminal.',
    '- `NO_COLOR=1` turns off colours, `--ascii` line drawing, `--no-mouse` the mouse (`M` toggles it).',
    '- `/` shows the rows that contain all the words typed; `!word` excludes rows with a word.',
    '- An action applies to the marked rows, or to the row under the cursor when none is marked. It asks before it does what cannot be undone.',
    '',
    ...groups().flatMap(({ title, rows }) => [
      `## ${title}`,
      '',
      title.startsWith('Commands') ? '| command | does |' : '| key | does |',
      '| --- | --- |',
      ...rows.map(([keys, text]) => `| \`${cell(keys)}\` | ${cell(text)} |`),
      '',
    ]),
    ...(pictures.length === 0 ? [] : ['## Pictures', '']),
    ...pictures.flatMap(([title, text]) => [`### ${title}`, '', '```text', text, '```', '']),
  ].join('\n');
}
