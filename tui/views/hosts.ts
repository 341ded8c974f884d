// Hosts view: the host cache.

import type { HostView } from '../../api/control.ts';
import { listFields } from '../../api/outline.ts';
import { drawListWithDetails } from '../draw-list.ts';
import { formatSince } from '../format.ts';
import type { View } from '../stage.ts';
import type { ListSpec } from '../table.ts';

const when = (time: string | null): number => (time === null ? 0 : -Date.parse(time));
const ago = (time: string | null, now: number): string => (time === null ? 'never' : `${formatSince(time, now)} ago`);

export const hostList: ListSpec<HostView> = {
  id: 'hosts',
  fields: listFields.host,
  title: 'Host cache',
  one: 'host',
  many: 'hosts',
  rows: world => world.hosts,
  keyOf: host => host.address,
  nameOf: host => host.address,
  empty: 'No addresses. c connects to a servent; its pongs bring more.',
  copy: host => host.address,
  columns: [
    { id: 'address', title: 'ADDRESS', of: row => row.address, width: 21, grow: 1, rank: 0 },
    {
      id: 'ultrapeer',
      title: 'ROLE',
      of: row => (row.ultrapeer === null ? 'unknown' : row.ultrapeer ? 'ultrapeer' : 'leaf'),
      width: 9,
      rank: 1,
      meaning: row => (row.ultrapeer === true ? 'info' : row.ultrapeer === null ? 'dim' : 'text'),
    },
    { id: 'source', title: 'HEARD FROM', of: row => row.source, width: 14, grow: 1, rank: 3, meaning: () => 'dim' },
    {
      id: 'seenAt',
      title: 'SEEN',
      of: (row, now) => formatSince(row.seenAt, now),
      by: row => when(row.seenAt),
      width: 6,
      rank: 2,
      right: true,
    },
    {
      id: 'triedAt',
      title: 'TRIED',
      of: (row, now) => formatSince(row.triedAt, now),
      by: row => when(row.triedAt),
      width: 6,
      rank: 5,
      right: true,
    },
    {
      id: 'connectedAt',
      title: 'CONNECTED',
      of: (row, now) => formatSince(row.connectedAt, now),
      by: row => when(row.connectedAt),
      width: 9,
      rank: 6,
      right: true,
      meaning: row => (row.connectedAt === null ? 'dim' : 'good'),
    },
    {
      id: 'failures',
      title: 'FAILED',
      of: row => String(row.failures),
      by: row => row.failures,
      width: 6,
      rank: 4,
      right: true,
      meaning: row => (row.failures > 2 ? 'bad' : row.failures > 0 ? 'warn' : 'dim'),
    },
  ],
  details: (row, now) => [
    ['role', row.ultrapeer === null ? 'not known yet' : row.ultrapeer ? 'ultrapeer' : 'leaf'],
    ['heard from', row.source],
    ['last seen', ago(row.seenAt, now)],
    ['tried', `${ago(row.triedAt, now)}, ${row.failures} failures since the last success`],
    ['connected', ago(row.connectedAt, now)],
  ],
};

export const hostsView: View = { draw: (stage, rect) => drawListWithDetails(stage, hostList, rect) };
