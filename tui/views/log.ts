// Log view: log of the daemon and of the dashboard.
import type { Fields } from '../../api/fields.ts';
import { drawListWithDetails } from '../draw-list.ts';
import { formatClock, formatMoment } from '../format.ts';
import type { LogLine } from '../model.ts';
import type { View } from '../stage.ts';
import type { ListSpec } from '../table.ts';
import type { Meaning } from '../theme.ts';

const LEVELS: Record<LogLine['level'], { order: number; meaning: Meaning }> = {
  debug: { order: 0, meaning: 'dim' },
  info: { order: 1, meaning: 'info' },
  warn: { order: 2, meaning: 'warn' },
  error: { order: 3, meaning: 'bad' },
};

const FIELDS: Fields = new Map([
  ['at', { path: 'at', kind: 'time', plural: false, choices: [] }],
  ['level', { path: 'level', kind: 'choice', plural: false, choices: Object.keys(LEVELS) }],
  ['from', { path: 'from', kind: 'text', plural: false, choices: [] }],
  ['text', { path: 'text', kind: 'text', plural: false, choices: [] }],
]);

export const logList: ListSpec<LogLine> = {
  id: 'log',
  fields: FIELDS,
  values: { at: row => new Date(row.at).toISOString() },
  title: 'Log',
  one: 'line',
  many: 'lines',
  rows: world => world.log,
  keyOf: line => line.id,
  nameOf: line => `${formatClock(line.at)} ${line.from}`,
  empty: 'No log lines yet.',
  copy: line => line.text,
  columns: [
    {
      id: 'at',
      title: 'AT',
      of: row => formatClock(row.at),
      by: row => row.at,
      width: 8,
      rank: 2,
      meaning: () => 'dim',
    },
    {
      id: 'level',
      title: 'LEVEL',
      of: row => row.level,
      by: row => LEVELS[row.level].order,
      width: 5,
      rank: 3,
      meaning: row => LEVELS[row.level].meaning,
    },
    { id: 'from', title: 'FROM', of: row => row.from, width: 10, rank: 4, meaning: () => 'dim' },
    {
      id: 'text',
      title: 'WHAT',
      of: row => row.text,
      width: 30,
      grow: 1,
      rank: 0,
      meaning: row => (row.level === 'error' ? 'bad' : row.level === 'warn' ? 'warn' : 'text'),
    },
  ],
  details: (row, now) => [
    ['at', formatMoment(row.at, now)],
    ['from', `${row.from}, ${row.level}`],
    ['what', row.text],
  ],
};

export const logView: View = { draw: (stage, rect) => drawListWithDetails(stage, logList, rect) };
