// Downloads view: progress, sources and reasons for waiting.

import { type CellState, cellRuns, chunkCells } from '../../api/chunk-cells.ts';
import type { DownloadView } from '../../api/control.ts';
import { placeText, sendingText, waitText, wayText } from '../../api/download-wait.ts';
import { listFields } from '../../api/outline.ts';
import { drawListWithDetails } from '../draw-list.ts';
import { formatBytes, formatMoment, formatRate, formatShare, formatSince, formatSpan } from '../format.ts';
import { magnetOf } from '../magnet.ts';
import type { World } from '../model.ts';
import type { View } from '../stage.ts';
import type { Detail, DrawnLine, ListSpec } from '../table.ts';
import type { Meaning } from '../theme.ts';
import { pastList } from './past.ts';

const STATE_MEANING: Record<DownloadView['state'], Meaning> = {
  active: 'good',
  verifying: 'info',
  queued: 'warn',
  paused: 'dim',
  completed: 'info',
  failed: 'bad',
};
const STATE_ORDER: Record<DownloadView['state'], number> = {
  active: 0,
  verifying: 1,
  queued: 2,
  paused: 3,
  failed: 4,
  completed: 5,
};
const SOURCES_SHOWN = 8;
/** An IPv4 address and its port. */
const ADDRESS_CELLS_MAX = 21;

const shareOf = ({ size, done, state }: DownloadView): number | null =>
  size === null ? (state === 'completed' ? 1 : null) : size === 0 ? 1 : done / size;
const activeSources = ({ sources }: DownloadView): number => sources.filter(({ state }) => state === 'active').length;

export const downloadList: ListSpec<DownloadView> = {
  id: 'downloads',
  fields: listFields.download,
  title: 'Downloads',
  one: 'download',
  many: 'downloads',
  rows: world => world.downloads,
  keyOf: download => download.id,
  nameOf: download => download.name,
  empty: 'No downloads. Mark results of a search and press d, or type :download with a magnet link.',
  copy: download => download.urn ?? download.name,
  magnet: magnetOf,
  columns: [
    { id: 'name', title: 'NAME', of: row => row.name, width: 28, grow: 4, rank: 0 },
    {
      id: 'state',
      title: 'STATE',
      of: row => row.state,
      by: row => STATE_ORDER[row.state],
      width: 9,
      rank: 1,
      meaning: row => STATE_MEANING[row.state],
    },
    {
      id: 'done',
      title: 'DONE',
      of: row => (row.size === null ? formatBytes(row.done) : formatShare(row.done, row.size)),
      by: row => shareOf(row) ?? 0,
      share: shareOf,
      width: 12,
      grow: 1,
      rank: 2,
      meaning: row => (row.state === 'active' ? 'in' : STATE_MEANING[row.state]),
    },
    {
      id: 'size',
      title: 'SIZE',
      of: row => (row.size === null ? '?' : formatBytes(row.size)),
      by: row => row.size ?? -1,
      width: 8,
      rank: 4,
      right: true,
    },
    {
      id: 'rate',
      title: 'RATE',
      of: row => (row.rate > 0 ? formatRate(row.rate) : '-'),
      by: row => row.rate,
      width: 10,
      rank: 3,
      right: true,
      meaning: row => (row.rate > 0 ? 'in' : 'dim'),
    },
    {
      id: 'eta',
      title: 'LEFT',
      of: row => (row.eta === null ? '-' : formatSpan(row.eta)),
      by: row => row.eta ?? Number.MAX_VALUE,
      width: 6,
      rank: 5,
      right: true,
    },
    {
      id: 'sources',
      title: 'FROM',
      of: row => `${activeSources(row)}/${row.sources.length}`,
      by: row => row.sources.length,
      width: 5,
      rank: 6,
      right: true,
    },
    {
      id: 'priority',
      title: 'PRIO',
      of: row => String(row.priority),
      by: row => row.priority,
      width: 4,
      rank: 7,
      right: true,
      meaning: row => (row.priority === 0 ? 'dim' : 'number'),
    },
    {
      id: 'addedAt',
      title: 'ADDED',
      of: (row, now) => formatSince(row.addedAt, now),
      by: row => -Date.parse(row.addedAt),
      width: 6,
      rank: 8,
      right: true,
      meaning: () => 'dim',
    },
    { id: 'error', title: 'NOTE', of: row => row.error ?? '', width: 12, grow: 1, rank: 9, meaning: () => 'bad' },
  ],
  details: (row, now, world) => [
    ['state', explain(row, now), STATE_MEANING[row.state]],
    ['content', row.urn ?? 'no hash: the file cannot be verified', row.urn === null ? 'warn' : 'text'],
    ['done', doneText(row)],
    ...chunkDetails(row, world),
    ...(row.path === null ? [] : ([['file', row.path]] as Detail[])),
    ['added', `${formatSince(row.addedAt, now)} ago, priority ${row.priority}, as ${row.id}`],
    ...sourceDetails(row),
  ],
};

function doneText({ done, size, verified, wasted, state }: DownloadView): string {
  const all = size === null ? 'an unknown size' : formatBytes(size);
  const checked = state === 'completed' || verified === 0 ? '' : `, ${formatBytes(verified)} verified`;
  return `${formatBytes(done)} of ${all}${checked}${wasted === 0 ? '' : `, ${formatBytes(wasted)} in vain`}`;
}

const CELLS: Readonly<Record<CellState, readonly [unicode: string, ascii: string, meaning: Meaning]>> = {
  verified: ['█', '#', 'good'],
  received: ['▓', '=', 'info'],
  assigned: ['▒', '-', 'warn'],
  missing: ['·', '.', 'dim'],
};

function chunkDetails({ id, size, state }: DownloadView, { chunks, chunksOf }: World): Detail[] {
  if (chunks === null || chunksOf !== id || size === null || size === 0 || state === 'completed') return [];
  const map: DrawnLine = (width, charset) =>
    cellRuns(chunkCells(chunks.states, size, Math.max(1, width))).map(({ state, count }) => {
      const [unicode, ascii, meaning] = CELLS[state];
      return [(charset === 'ascii' ? ascii : unicode).repeat(count), meaning];
    });
  const legend: DrawnLine = (_, charset) =>
    (['verified', 'received', 'assigned', 'missing'] as const).flatMap(name => {
      const [unicode, ascii, meaning] = CELLS[name];
      return [[charset === 'ascii' ? ascii : unicode, meaning] as const, [` ${LEGEND[name]}  `, 'dim'] as const];
    });
  return [
    ['chunks', map],
    ['', legend],
  ];
}

const LEGEND = { verified: 'verified', received: 'received', assigned: 'asked for', missing: 'missing' } as const;

type SourceRow = DownloadView['sources'][number];
const SOURCE_ORDER = ['active', 'queued', 'connecting', 'waiting', 'idle'];
const placeOf = ({ state }: SourceRow): number => {
  const place = SOURCE_ORDER.indexOf(state);
  return place < 0 ? SOURCE_ORDER.length : place;
};

/** A line for each source, those that send first. */
function sourceDetails({ sources }: DownloadView): Detail[] {
  const rows = [...sources].sort((a, b) => placeOf(a) - placeOf(b) || b.rate - a.rate || b.bytes - a.bytes);
  const room = Math.min(
    ADDRESS_CELLS_MAX,
    Math.max(0, ...rows.slice(0, SOURCES_SHOWN).map(({ address }) => address.length)),
  );
  const lines = rows.slice(0, SOURCES_SHOWN).map((source, i): Detail => {
    const { address, state, error, queue } = source;
    const meaning = error !== null ? 'bad' : state === 'active' ? 'good' : queue === null ? 'text' : 'warn';
    const line: DrawnLine = () => [
      [`${address.padEnd(room)}  `, 'text'],
      [`${state.padEnd(10)}  ${sourceText(source)}`, meaning],
    ];
    return [i === 0 ? 'sources' : '', line];
  });
  return rows.length <= SOURCES_SHOWN ? lines : [...lines, ['', `and ${rows.length - SOURCES_SHOWN} more`, 'dim']];
}

function sourceText({ rate, bytes, wasted, queue, push, way, error }: SourceRow): string {
  return [
    rate > 0 ? formatRate(rate) : '',
    bytes > 0 ? formatBytes(bytes) : '',
    wasted > 0 ? `${formatBytes(wasted)} in vain` : '',
    queue === null ? '' : placeText(queue),
    wayText(way, push),
    error ?? '',
  ]
    .filter(text => text !== '')
    .join(', ');
}

/** Explains the state of a download, with a remedy. */
export function explain(row: DownloadView, now: number): string {
  const wait = waitText(row, now);
  switch (row.state) {
    case 'active':
      return (
        wait ??
        `${formatRate(row.rate)} from ${sendingText(row)}${row.eta === null ? '' : `, ${formatSpan(row.eta)} left`}`
      );
    case 'queued':
      return wait ?? 'waits for a free slot, here or at a source';
    case 'paused':
      return row.error === null ? 'paused: r resumes it' : `paused: ${row.error}`;
    case 'verifying':
      return 'complete; comparing with the hash';
    case 'completed':
      return row.finishedAt === null ? 'completed' : `completed at ${formatMoment(Date.parse(row.finishedAt), now)}`;
    case 'failed':
      return `${row.error ?? 'failed'}: r tries again`;
  }
}

/** Finished transfers take the place of the downloads. */
export const downloadsView: View = {
  draw: (stage, rect) =>
    stage.model.second ? drawListWithDetails(stage, pastList, rect) : drawListWithDetails(stage, downloadList, rect),
};
