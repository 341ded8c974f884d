// Queries view: live queries and their statistics.

import type { QueryStatsView, QueryView } from '../../api/control.ts';
import { skippedNow } from '../../api/live/reducer.ts';
import { listFields } from '../../api/outline.ts';
import type { Rect } from '../canvas.ts';
import { drawDetails, drawList, drawListWithDetails } from '../draw-list.ts';
import { formatClock, formatCount, formatExact, formatMoment, formatPerSecond } from '../format.ts';
import { bar, graph, sparkline } from '../graph.ts';
import { capacityOf, stretch } from '../history.ts';
import { type Stage, splitColumns, splitRows, type View } from '../stage.ts';
import type { Detail, ListSpec } from '../table.ts';
import { fit } from '../width.ts';

export const queryList: ListSpec<QueryView> = {
  id: 'queries',
  fields: listFields.query,
  title: 'Queries',
  one: 'query',
  many: 'queries',
  rows: (world, model) => model.paused ?? world.queries,
  keyOf: query => query.id,
  nameOf: query => query.text || (query.urns[0] ?? 'a query without words'),
  empty: 'No queries received yet.',
  copy: query => query.text || (query.urns[0] ?? ''),
  columns: [
    { id: 'at', title: 'AT', of: query => formatClock(Date.parse(query.at)), width: 8, rank: 2, meaning: () => 'dim' },
    { id: 'from', title: 'FROM', of: query => query.from, width: 21, rank: 5, meaning: () => 'dim' },
    { id: 'ttl', title: 'TTL', of: query => String(query.ttl), by: query => query.ttl, width: 3, rank: 4, right: true },
    {
      id: 'hops',
      title: 'HOPS',
      of: query => String(query.hops),
      by: query => query.hops,
      width: 4,
      rank: 3,
      right: true,
    },
    {
      id: 'hits',
      title: 'HITS',
      of: query => (query.hits > 0 ? formatCount(query.hits) : '-'),
      by: query => query.hits,
      width: 5,
      rank: 1,
      right: true,
      meaning: query => (query.hits > 0 ? 'good' : 'dim'),
    },
    {
      id: 'text',
      title: 'QUERY',
      of: query => [query.text, ...query.urns].filter(text => text !== '').join(' '),
      width: 20,
      grow: 1,
      rank: 0,
      meaning: query => (query.text === '' ? 'info' : 'text'),
    },
  ],
  details: (query, now) => [
    ['words', query.text || 'none'],
    ['content', query.urns.join(' ') || 'any'],
    ['came from', `${query.from} at ${formatMoment(Date.parse(query.at), now)}`],
    ['travelled', `${query.hops} hops, ${query.ttl} to go`],
    ['answered', query.hits === 0 ? 'not yet' : `${query.hits} hits`, query.hits > 0 ? 'good' : 'dim'],
  ],
};

const SIDE_COLUMNS = 34;
const SIDE_FROM_COLUMNS = 100;
const GRAPH_ROWS = 6;
const GRAPH_FROM_ROWS = 36;

export const queriesView: View = { draw };

/** Note about queries missing from the list: too fast, or hidden by queries.privacy. */
function noteOf({ model, world, theme }: Stage): string {
  const skipped = skippedNow(world.skipped, model.now);
  return [
    model.paused === null ? '' : 'frozen, p resumes',
    `${formatPerSecond(world.queryRate)}/s`,
    skipped > 0 ? `${formatCount(skipped)}/s too fast to show` : '',
  ]
    .filter(text => text !== '')
    .join(` ${theme.lines.dot} `);
}

function draw(stage: Stage, rect: Rect): void {
  const { model } = stage;
  const note = noteOf(stage);
  const wide = rect.width >= SIDE_FROM_COLUMNS;
  const [left, side] = splitColumns(rect, wide ? rect.width - SIDE_COLUMNS : rect.width);
  const tall = rect.height >= GRAPH_FROM_ROWS;
  const [upper, lower] = splitRows(left, tall ? GRAPH_ROWS + 2 : 3);
  drawRate(stage, upper, tall);
  if (wide) {
    // no details while the cursor stays on the first row of a live stream
    if (model.lists.queries.key === null && model.paused === null) drawList(stage, queryList, lower, { note });
    else drawListWithDetails(stage, queryList, lower, { note });
    drawInsight(stage, side);
  } else if (model.details === true) {
    const [list, below] = splitRows(lower, Math.max(6, lower.height - 11));
    drawList(stage, queryList, list, { note });
    drawInsight(stage, below);
  } else drawList(stage, queryList, lower, { note });
}

function drawRate({ canvas, theme, model, world }: Stage, rect: Rect, tall: boolean): void {
  const values = world.history[model.range].queries;
  const top = Math.max(...values, 0);
  const inner = canvas.frame(rect, theme, `Queries a second, last ${model.range}`, {
    note: `peak ${formatPerSecond(top)} ${theme.lines.dot} t changes`,
  });
  const shown = (perCell: number) => stretch(values, inner.width * perCell, capacityOf(model.range));
  const lines = tall
    ? graph(shown(2), inner.width, inner.height, { charset: theme.charset })
    : [sparkline(shown(1), inner.width, theme.charset)];
  for (const [i, line] of lines.entries()) canvas.put(inner.x, inner.y + i, line, theme.in);
}

const NO_STATS: Pick<QueryStatsView, 'words' | 'byHops' | 'byTtl'> = { words: [], byHops: [], byTtl: [] };
const FACT_ROWS = 4;

/** Draws statistics: stacked in a tall, narrow area, else side by side. */
function drawInsight(stage: Stage, rect: Rect): void {
  const { stats } = stage.world;
  const { byHops, byTtl } = stats ?? NO_STATS;
  if (rect.width < 60) {
    const [facts, below] = splitRows(rect, FACT_ROWS + 2);
    const [upper, rest] = splitRows(below, Math.max(5, below.height - 2 * (byHops.length + 2)));
    const [hops, ttl] = splitRows(rest, Math.floor(rest.height / 2));
    drawFacts(stage, facts);
    drawWords(stage, upper);
    drawHistogram(stage, hops, 'Hops travelled', byHops);
    drawHistogram(stage, ttl, 'TTL on arrival', byTtl);
    return;
  }
  const [left, rest] = splitColumns(rect, Math.floor(rect.width * 0.4));
  const [hops, ttl] = splitColumns(rest, Math.floor(rest.width / 2));
  drawWords(stage, left);
  drawHistogram(stage, hops, 'Hops', byHops);
  drawHistogram(stage, ttl, 'TTL', byTtl);
}

function drawFacts(stage: Stage, rect: Rect): void {
  const { canvas, theme, world, model } = stage;
  const { stats } = world;
  const inner = canvas.frame(rect, theme, `Last ${stats?.span ?? model.range}`);
  if (stats === null) return;
  const { queries, answered, answerRate, duplicates, hits } = stats;
  const share = (part: number, whole: number): string =>
    whole === 0 ? '0 %' : `${Math.round((100 * part) / whole)} %`;
  const facts: Detail[] = [
    ['queries', formatExact(queries), 'number'],
    ['answered', `${formatExact(answered)}, ${share(answerRate, 1)}`, answered > 0 ? 'good' : 'dim'],
    ['hits', formatExact(hits), hits > 0 ? 'good' : 'dim'],
    ['duplicates', `${formatExact(duplicates)}, ${share(duplicates, queries + duplicates)}`, 'dim'],
  ];
  drawDetails(stage, facts, { ...inner, x: inner.x + 1, width: inner.width - 2 });
}

const PRIVACY_NOTES: Readonly<Record<QueryStatsView['privacy'], string>> = {
  off: 'queries.privacy is off',
  counts: 'queries.privacy: counts',
  hashed: 'hashed',
  full: '',
};

function drawWords({ canvas, theme, world }: Stage, rect: Rect): void {
  const { stats } = world;
  const { words } = stats ?? NO_STATS;
  const note = stats === null ? '' : PRIVACY_NOTES[stats.privacy] || `${Math.round(100 * stats.answerRate)} % answered`;
  const inner = canvas.frame(rect, theme, 'Top words', { note });
  const shown = words.slice(0, inner.height);
  const most = shown[0]?.count ?? 0;
  const name = Math.floor(inner.width * 0.45);
  for (const [i, { key, count }] of shown.entries()) {
    const y = inner.y + i;
    canvas.label(inner.x + 1, y, key, theme.text, name - 1);
    canvas.put(inner.x + name + 1, y, bar(count / most, inner.width - name - 8, theme.charset), theme.info);
    canvas.put(inner.x + inner.width - 6, y, fit(formatCount(count), 5, true), theme.number);
  }
}

function drawHistogram({ canvas, theme }: Stage, rect: Rect, title: string, counts: readonly number[]): void {
  const inner = canvas.frame(rect, theme, title);
  const most = Math.max(...counts, 0);
  const rows = Math.min(inner.height, counts.length);
  for (let i = 0; i < rows; i++) {
    const last = i === counts.length - 1;
    const y = inner.y + i;
    canvas.put(inner.x + 1, y, `${i}${last ? '+' : ''}`, theme.dim);
    const share = most === 0 ? 0 : (counts[i] ?? 0) / most;
    canvas.put(inner.x + 4, y, bar(share, inner.width - 11, theme.charset), theme.info);
    canvas.put(inner.x + inner.width - 6, y, fit(formatCount(counts[i] ?? 0), 5, true), theme.number);
  }
}
