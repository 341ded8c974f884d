// Finished transfers, in the view of downloads.
import type { PastTransferView } from '../../api/control.ts';
import { listFields } from '../../api/outline.ts';
import { formatBytes, formatMoment, formatRate, formatSince, formatSpan } from '../format.ts';
import { magnetOf } from '../magnet.ts';
import type { ListSpec } from '../table.ts';
import type { Meaning } from '../theme.ts';

const MEANINGS: Readonly<Record<PastTransferView['result'], Meaning>> = {
  whole: 'good',
  partial: 'good',
  completed: 'good',
  cut: 'warn',
  unreadable: 'bad',
  failed: 'bad',
};

const secondsOf = ({ startedAt, finishedAt }: PastTransferView): number =>
  (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000;

export const pastList: ListSpec<PastTransferView> = {
  id: 'past',
  fields: listFields.pastTransfer,
  title: 'Finished transfers',
  one: 'transfer',
  many: 'transfers',
  rows: world => world.past,
  keyOf: ({ id }) => id,
  nameOf: ({ name }) => name,
  empty: 'No finished transfers yet: downloads and uploads are listed here when they are over.',
  copy: row => row.urn ?? row.name,
  magnet: magnetOf,
  columns: [
    { id: 'name', title: 'NAME', of: row => row.name, width: 24, grow: 4, rank: 0 },
    {
      id: 'direction',
      title: 'WAY',
      of: row => row.direction,
      width: 8,
      rank: 2,
      meaning: row => (row.direction === 'download' ? 'in' : 'out'),
    },
    {
      id: 'result',
      title: 'RESULT',
      of: row => row.result,
      width: 10,
      rank: 1,
      meaning: row => MEANINGS[row.result],
    },
    {
      id: 'bytes',
      title: 'BYTES',
      of: row => formatBytes(row.bytes),
      by: row => row.bytes,
      width: 8,
      rank: 3,
      right: true,
    },
    {
      id: 'rate',
      title: 'RATE',
      of: row => formatRate(row.rate),
      by: row => row.rate,
      width: 10,
      rank: 5,
      right: true,
    },
    { id: 'address', title: 'WITH', of: row => row.address ?? '-', width: 21, rank: 6 },
    {
      id: 'finishedAt',
      title: 'ENDED',
      of: (row, now) => formatSince(row.finishedAt, now),
      by: row => -Date.parse(row.finishedAt),
      width: 6,
      rank: 4,
      right: true,
      meaning: () => 'dim',
    },
    { id: 'error', title: 'NOTE', of: row => row.error ?? '', width: 12, grow: 1, rank: 7, meaning: () => 'bad' },
  ],
  details: (row, now) => [
    ['result', row.error === null ? row.result : `${row.result}: ${row.error}`, MEANINGS[row.result]],
    ['content', row.urn ?? 'no hash is known'],
    [
      'bytes',
      `${formatBytes(row.bytes)}${row.size === null ? '' : ` of ${formatBytes(row.size)}`} at ${formatRate(row.rate)}`,
    ],
    [
      'with',
      row.address === null ? 'several sources' : `${row.address}${row.userAgent === null ? '' : `, ${row.userAgent}`}`,
    ],
    ['ended', `${formatMoment(Date.parse(row.finishedAt), now)}, after ${formatSpan(secondsOf(row))}`],
  ],
};
