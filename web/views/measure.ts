// View of what can be learnt from the recording: questions, the answer to one as table and picture, segments.
import type { AnalysisView, QuestionView, RecordingView } from '../../api/control.ts';
import { counted, formatAge, formatBytes } from '../../api/format.ts';
import type { Actions } from '../actions.ts';
import { chart } from '../chart.ts';
import { button, card, chip, foreign, type Tone } from '../controls.ts';
import { formatCount } from '../figures.ts';
import type { Model } from '../model.ts';
import { type Child, h, type Sketch } from '../sketch.ts';
import { type Column, listTable, NOTHING, table } from '../table.ts';

export function measureView(model: Model, act: Actions, now: number): Child[] {
  const { analyses, recordings } = model.lists;
  const { analysis } = model;
  const answer = analysis === null ? null : answerCard(analysis, analyses.rows);
  return [
    ...(answer === null ? [] : [answer]),
    h('div', { class: 'heading', key: 'questions' }, h('h2', {}, 'Questions')),
    ...listTable({
      list: 'analyses',
      listing: analyses,
      act,
      caption: 'Questions',
      columns: questionColumns(act, analysis !== null && analysis.answer === null && analysis.fault === null),
      keyOf: ({ id }) => id,
      empty: 'There are no questions.',
    }),
    h('div', { class: 'heading', key: 'recordings' }, h('h2', {}, 'Recordings')),
    ...listTable({
      list: 'recordings',
      listing: recordings,
      act,
      caption: 'Recordings',
      columns: recordingColumns(now),
      keyOf: ({ id }) => id,
      empty: 'Nothing is recorded. Set recording.mode to files and start the servent again.',
    }),
  ];
}

const questionColumns = (act: Actions, isBusy: boolean): Column<QuestionView>[] => [
  { title: 'Question', sort: 'id', kind: 'name', cell: ({ id }) => h('b', {}, id) },
  { title: 'Teaches', kind: 'wide', cell: ({ teaches }) => teaches },
  {
    title: 'Actions',
    kind: 'actions',
    cell: ({ id }) =>
      button('Ask', () => act.analyse(id), { class: 'small', disabled: isBusy, 'aria-label': `Ask ${id}` }),
  },
];

const TONES: Readonly<Record<RecordingView['state'], Tone>> = {
  open: 'busy',
  closed: 'wait',
  unsent: 'wait',
  parquet: 'good',
};

const recordingColumns = (now: number): Column<RecordingView>[] => [
  { title: 'Segment', sort: 'id', kind: 'name', cell: ({ id }) => h('code', {}, id) },
  { title: 'Table', sort: 'table', cell: ({ table: name }) => name },
  { title: 'State', sort: 'state', cell: ({ state }) => chip(TONES[state], state) },
  { title: 'Rows', sort: 'rows', kind: 'number', cell: ({ rows }) => formatCount(rows) },
  { title: 'Size', sort: 'bytes', kind: 'number', cell: ({ bytes }) => formatBytes(bytes) },
  {
    title: 'Last row',
    sort: 'to',
    kind: 'number',
    cell: ({ to }) => (to === null ? NOTHING : `${formatAge(to, now)} ago`),
  },
];

function answerCard(
  { question, answer, fault }: NonNullable<Model['analysis']>,
  questions: readonly QuestionView[],
): Sketch {
  const known = questions.find(({ id }) => id === question);
  return card(
    question,
    { key: 'answer', class: 'answer' },
    known === undefined ? null : h('p', { class: 'more' }, known.teaches),
    h(
      'div',
      { role: 'status' },
      fault !== null
        ? h('p', { class: 'fault' }, fault)
        : answer === null
          ? h('p', {}, 'Reading the recording …')
          : shown(answer, known?.columns ?? {}),
    ),
  );
}

/** Rows that are shown as a table; the API and `servent analyse` have all. */
const ROWS_MAX = 50;

function shown({ question, rows, series, seconds, engine, cut }: AnalysisView, means: QuestionView['columns']): Sketch {
  const names = Object.keys(rows[0] ?? {});
  const columns = names.map((name): Column<AnalysisView['rows'][number]> => {
    const isNumber = rows.every(row => row[name] === null || typeof row[name] === 'number');
    return { title: titleOf(name), ...(isNumber ? { kind: 'number' } : {}), cell: row => cellOf(row[name] ?? null) };
  });
  const more = rows.length > ROWS_MAX || cut;
  return h(
    'div',
    { class: 'result' },
    rows.length < 2 ? null : chart(question, series),
    rows.length === 0
      ? h('p', { class: 'empty' }, 'The recording has no rows for it yet.')
      : h(
          'div',
          { class: 'rows' },
          table({
            caption: question,
            columns,
            rows: rows.slice(0, ROWS_MAX),
            keyOf: row => JSON.stringify(row),
            empty: '',
          }),
        ),
    h(
      'p',
      { class: 'more' },
      `${counted(rows.length, 'row')} in ${seconds.toFixed(2)} s${more ? `; the first ${Math.min(ROWS_MAX, rows.length)} are shown` : ''}, by ${engine === 'duckdb' ? 'DuckDB' : 'ClickHouse'}.`,
    ),
    names.length === 0
      ? null
      : h(
          'details',
          {},
          h('summary', {}, 'What the columns mean'),
          h(
            'dl',
            {},
            names.flatMap(name =>
              means[name] === undefined ? [] : [h('dt', {}, titleOf(name)), h('dd', {}, means[name])],
            ),
          ),
        ),
  );
}

const titleOf = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1).replaceAll('_', ' ')}`;

function cellOf(value: string | number | null): Child {
  if (value === null || value === '') return NOTHING;
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
  return /^\d{4}-\d\d-\d\dT/.test(value) ? value.slice(0, 19).replace('T', ' ') : foreign(value);
}
