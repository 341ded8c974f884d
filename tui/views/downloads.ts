// Downloads view: progress, sources and reasons for waiting.

import type { DownloadView } from '../../api/control.ts';
import { listFields } from '../../api/outline.ts';
import { drawListWithDetails } from '../draw-list.ts';
import { formatBytes, formatMoment, formatRate, formatShare, formatSince, formatSpan } from '../format.ts';
import { magnetOf } from '../magnet.ts';
import type { View } from '../stage.ts';
import type { Detail, ListSpec } from '../table.ts';
import type { Meaning } from '../theme.ts';

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
  details: (row, now) => [
    ['state', explain(row, now), STATE_MEANING[row.state]],
    ['content', row.urn ?? 'no hash: the file cannot be verified', row.urn === null ? 'warn' : 'text'],
    ['done', `${formatBytes(row.done)} of ${row.size === null ? 'an unknown size' : formatBytes(row.size)}`],
    ...(row.path === null ? [] : ([['file', row.path]] as Detail[])),
    ['added', `${formatSince(row.addedAt, now)} ago, priority ${row.priority}, as ${row.id}`],
    ...row.sources
      .slice(0, SOURCES_SHOWN)
      .map(
        (source, i): Detail => [
          i === 0 ? 'sources' : '',
          `${source.address}  ${source.state}${source.push ? ', by push' : ''}${source.error === null ? '' : `: ${source.error}`}`,
          source.state === 'active' ? 'good' : source.error === null ? 'text' : 'bad',
        ],
      ),
    ...(row.sources.length > SOURCES_SHOWN
      ? ([['', `and ${row.sources.length - SOURCES_SHOWN} more`, 'dim']] as Detail[])
      : []),
  ],
};

/** Explains the state of a download, with a remedy. */
export function explain(row: DownloadView, now: number): string {
  const active = activeSources(row);
  const failed = row.sources.filter(({ error }) => error !== null).length;
  switch (row.state) {
    case 'active':
      return `${formatRate(row.rate)} from ${active} of ${row.sources.length} sources${row.eta === null ? '' : `, ${formatSpan(row.eta)} left`}`;
    case 'queued':
      if (row.sources.length === 0) return 'waits for a source: search for it again';
      if (failed === row.sources.length) return `all ${failed} sources failed and are retried; search for others`;
      return 'waits for a free slot, here or at a source';
    case 'paused':
      return 'paused: r resumes it';
    case 'verifying':
      return 'complete; comparing with the hash';
    case 'completed':
      return row.finishedAt === null ? 'completed' : `completed at ${formatMoment(Date.parse(row.finishedAt), now)}`;
    case 'failed':
      return `${row.error ?? 'failed'}: r tries again`;
  }
}

export const downloadsView: View = { draw: (stage, rect) => drawListWithDetails(stage, downloadList, rect) };
