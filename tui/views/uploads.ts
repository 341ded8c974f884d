// Uploads view: running and queued uploads.

import type { UploadView } from '../../api/control.ts';
import { counted, formatDuration, formatWait } from '../../api/format.ts';
import { listFields } from '../../api/outline.ts';
import { drawListWithDetails } from '../draw-list.ts';
import { formatBytes, formatRate, formatShare, formatSince, formatSpan } from '../format.ts';
import { magnetOf } from '../magnet.ts';
import type { View } from '../stage.ts';
import type { Detail, ListSpec } from '../table.ts';

const rangeBytes = ({ start, end }: UploadView): number => Math.max(0, end - start + 1);
const shareOf = (row: UploadView): number => (rangeBytes(row) === 0 ? 1 : row.sent / rangeBytes(row));

export const uploadList: ListSpec<UploadView> = {
  id: 'uploads',
  fields: listFields.upload,
  title: 'Uploads',
  one: 'upload',
  many: 'uploads',
  rows: world => world.uploads,
  keyOf: upload => upload.id,
  nameOf: upload => `${upload.name} to ${upload.address}`,
  empty: 'No uploads.',
  copy: upload => upload.address,
  magnet: magnetOf,
  columns: [
    { id: 'name', title: 'NAME', of: row => row.name, width: 18, grow: 4, rank: 0 },
    {
      id: 'state',
      title: 'STATE',
      of: row => (row.position === null ? row.state : `queued ${row.position}`),
      by: row => row.position ?? 0,
      width: 10,
      rank: 1,
      meaning: row => (row.state === 'active' ? 'good' : 'warn'),
    },
    {
      id: 'sent',
      title: 'DONE',
      of: row => formatShare(row.sent, rangeBytes(row)),
      by: shareOf,
      share: shareOf,
      width: 13,
      grow: 1,
      rank: 3,
      meaning: () => 'out',
    },
    {
      id: 'rate',
      title: 'RATE',
      of: row => (row.rate > 0 ? formatRate(row.rate) : '-'),
      by: row => row.rate,
      width: 10,
      rank: 2,
      right: true,
      meaning: row => (row.rate > 0 ? 'out' : 'dim'),
    },
    {
      id: 'size',
      title: 'SIZE',
      of: row => formatBytes(row.size),
      by: row => row.size,
      width: 8,
      rank: 5,
      right: true,
    },
    {
      id: 'queue.eta',
      title: 'WAIT',
      of: row => (row.queue === null ? '' : row.queue.eta === null ? '?' : formatSpan(row.queue.eta)),
      by: row => row.queue?.eta ?? -1,
      width: 6,
      rank: 6,
      right: true,
    },
    {
      id: 'queue.why',
      title: 'WHY',
      of: row => (row.queue === null ? '' : formatWait(row.queue)),
      width: 30,
      rank: 9,
      meaning: () => 'warn',
    },
    { id: 'address', title: 'TO', of: row => row.address, width: 21, rank: 4 },
    {
      id: 'since',
      title: 'AGE',
      of: (row, now) => formatSince(row.since, now),
      by: row => -Date.parse(row.since),
      width: 6,
      rank: 7,
      right: true,
      meaning: () => 'dim',
    },
    { id: 'group', title: 'GROUP', of: row => row.group ?? '', width: 8, rank: 10 },
    { id: 'userAgent', title: 'SERVENT', of: row => row.userAgent ?? '', width: 12, grow: 1, rank: 8 },
  ],
  details: (row, now) => [
    ['to', `${row.address}, ${row.userAgent ?? 'unnamed'}`],
    ['state', row.queue === null ? row.state : placeOf(row.queue)],
    ...(row.queue === null ? [] : waitOf(row.queue)),
    ...(row.group === null ? [] : [['group', row.group] as const]),
    ['range', `bytes ${row.start} to ${row.end}, ${formatBytes(rangeBytes(row))} of ${formatBytes(row.size)}`],
    ['sent', `${formatBytes(row.sent)} in ${formatSince(row.since, now)}, ${formatRate(row.rate)}`],
    ['content', row.urn ?? 'asked for by its index'],
  ],
};

type Place = NonNullable<UploadView['queue']>;

function placeOf({ position, length, active }: Place): string {
  return `waits at place ${position} of ${length}${active ? '' : ', without a connection'}`;
}

function waitOf({ id, eta, sizeClass, why, earlyPolls }: Place): Detail[] {
  const early = earlyPolls === 0 ? '' : `, ${counted(earlyPolls, 'request')} before the time`;
  return [
    ['why', `${formatWait({ why, active: true })}${early}`],
    ['wait', eta === null ? 'not known' : formatDuration(eta)],
    ['queue', `id ${id}, size class ${sizeClass}`],
  ];
}

export const uploadsView: View = {
  draw: (stage, rect) => {
    const { uploads } = stage.world;
    const active = uploads.filter(({ state }) => state === 'active').length;
    const note = uploads.length === 0 ? '' : `${active} in slots, ${uploads.length - active} waiting`;
    drawListWithDetails(stage, uploadList, rect, { note });
  },
};
