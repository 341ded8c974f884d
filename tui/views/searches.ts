// Searches view: own searches, and below them the results of the current one, grouped by content.

import type { ResultView, SearchView } from '../../api/control.ts';
import { formatRepeat } from '../../api/format.ts';
import { listFields } from '../../api/outline.ts';
import type { Rect } from '../canvas.ts';
import { drawList, drawListWithDetails } from '../draw-list.ts';
import { formatBytes, formatClock, formatCount, formatSpan } from '../format.ts';
import { magnetOf } from '../magnet.ts';
import { type Model, worldOf } from '../model.ts';
import { type Stage, splitRows, type View } from '../stage.ts';
import { cursorIn, type ListSpec, ordered } from '../table.ts';
import { wrap } from '../width.ts';
import { mediaColumns } from './media-columns.ts';

export const searchName = ({ text, urn, browse }: SearchView): string =>
  text ?? urn ?? (browse === null ? '' : `browse ${browse}`);

export const searchList: ListSpec<SearchView> = {
  id: 'searches',
  fields: listFields.search,
  title: 'Searches',
  one: 'search',
  many: 'searches',
  rows: world => world.searches,
  keyOf: search => search.id,
  nameOf: searchName,
  empty: 'No searches yet. s starts one.',
  copy: searchName,
  columns: [
    { id: 'text', title: 'SEARCH', of: searchName, width: 20, grow: 1, rank: 0 },
    {
      id: 'state',
      title: 'STATE',
      of: (search, now) => (search.state === 'running' ? `running ${left(search, now)}` : search.state),
      by: search => search.state,
      width: 14,
      rank: 1,
      meaning: search => (search.state === 'running' ? 'good' : search.state === 'failed' ? 'bad' : 'dim'),
    },
    {
      id: 'results',
      title: 'FOUND',
      of: search => formatCount(search.results),
      by: search => search.results,
      width: 5,
      rank: 2,
      right: true,
      meaning: search => (search.results > 0 ? 'number' : 'dim'),
    },
    {
      id: 'hits',
      title: 'HITS',
      of: search => formatCount(search.hits),
      by: search => search.hits,
      width: 5,
      rank: 4,
      right: true,
    },
    {
      id: 'peers',
      title: 'PEERS',
      of: search => formatCount(search.peers),
      by: search => search.peers,
      width: 5,
      rank: 5,
      right: true,
    },
    {
      id: 'startedAt',
      title: 'AT',
      of: search => formatClock(Date.parse(search.startedAt)),
      by: search => Date.parse(search.startedAt),
      width: 8,
      rank: 3,
      meaning: () => 'dim',
    },
  ],
};

const left = (search: SearchView, now: number): string =>
  formatSpan(Math.max(0, (Date.parse(search.endsAt) - now) / 1000));

const NONE: readonly ResultView[] = [];
const free = (result: ResultView): number => result.sources.filter(source => source.busy !== true).length;
const nearest = (result: ResultView): string => {
  const hops = result.sources.flatMap(source => (source.hops === null ? [] : [source.hops]));
  return hops.length === 0 ? '?' : String(Math.min(...hops));
};
const vendorsOf = (result: ResultView): string => {
  const vendors = [...new Set(result.sources.map(({ vendor }) => vendor ?? '?'))];
  return vendors.length > 2 ? `${vendors[0]} +${vendors.length - 1}` : vendors.join(' ');
};
const kindOf = (name: string): string => /\.([a-z0-9]{1,5})$/i.exec(name)?.[1]?.toLowerCase() ?? '';

export const resultList: ListSpec<ResultView> = {
  id: 'results',
  fields: listFields.result,
  title: 'Results',
  one: 'result',
  many: 'results',
  rows: (world, model) =>
    world.resultsOf !== null && world.resultsOf === openSearch(model)?.id ? world.results : NONE,
  keyOf: result => result.id,
  nameOf: result => result.name,
  empty: 'No results yet.',
  copy: result => result.urn ?? result.name,
  magnet: magnetOf,
  columns: [
    { id: 'name', title: 'NAME', of: result => result.name, width: 24, grow: 1, rank: 0 },
    {
      id: 'size',
      title: 'SIZE',
      of: result => formatBytes(result.size),
      by: result => result.size,
      width: 8,
      rank: 1,
      right: true,
    },
    {
      id: 'sources',
      title: 'SOURCES',
      of: result => formatCount(result.sources.length),
      by: result => result.sources.length,
      width: 7,
      rank: 2,
      right: true,
      meaning: result => (result.sources.length > 2 ? 'good' : 'number'),
    },
    {
      id: 'free',
      title: 'FREE',
      of: result => String(free(result)),
      by: free,
      width: 4,
      rank: 5,
      right: true,
      meaning: result => (free(result) > 0 ? 'good' : 'warn'),
    },
    { id: 'hops', title: 'HOPS', of: result => nearest(result), width: 4, rank: 6, right: true, meaning: () => 'dim' },
    {
      id: 'vendor',
      title: 'FROM',
      of: vendorsOf,
      width: 9,
      rank: 4,
      meaning: () => 'dim',
    },
    { id: 'kind', title: 'KIND', of: result => kindOf(result.name), width: 5, rank: 3, meaning: () => 'info' },
    ...mediaColumns,
  ],
  details: result => [
    ['content', result.urn ?? 'no hash', result.urn === null ? 'warn' : 'text'],
    ['size', `${formatBytes(result.size)} (${result.size} bytes)`],
    ...result.sources
      .slice(0, 8)
      .map(
        (source, i) =>
          [
            i === 0 ? 'sources' : '',
            [
              source.address,
              source.vendor ?? '',
              source.push ? 'by push' : '',
              source.busy === true ? 'busy' : '',
              source.speed === null ? '' : `${source.speed} kbit/s`,
              source.hops === null ? '' : `${source.hops} hops`,
              source.name === result.name ? '' : `as ${source.name}`,
            ]
              .filter(text => text !== '')
              .join(', '),
          ] as const,
      ),
  ],
};

/** The search whose results are shown: the one under the cursor. */
export function openSearch(model: Model): SearchView | undefined {
  const world = worldOf(model);
  const state = model.lists.searches;
  const { rows } = ordered(searchList, state, world.searches, model.now);
  return rows[cursorIn(searchList, state, rows)];
}

/** Most lines on a narrow screen. */
const REPEAT_LINES = 2;

export const searchesView: View = { draw };

function draw(stage: Stage, rect: Rect): void {
  const { model, world, canvas, theme } = stage;
  const wanted = Math.min(Math.max(4, world.searches.length + 3), Math.floor(rect.height / 3));
  const [upper, lower] = splitRows(rect, Math.max(5, wanted));
  drawList(stage, searchList, upper, { on: !model.second });
  const search = openSearch(model);
  const notes = search === undefined ? [] : [search.cut, formatRepeat(search, model.now)];
  const lines = notes.flatMap(note => (note === null ? [] : wrap(note, lower.width - 2, REPEAT_LINES)));
  for (const [i, line] of lines.entries()) canvas.put(lower.x + 1, lower.y + i, line, theme.warn);
  const [, below] = splitRows(lower, lines.length);
  drawListWithDetails(stage, resultList, below, {
    on: model.second,
    ...(search === undefined ? {} : { title: `Results: ${searchName(search)}` }),
    note: 'Tab changes list',
  });
}
