// Peers view: overlay connections with their traffic.
import type { Fields } from '../../api/fields.ts';
import { listFields } from '../../api/outline.ts';
import { drawListWithDetails } from '../draw-list.ts';
import { formatBytes, formatCount, formatExact, formatRate, formatSince } from '../format.ts';
import type { PeerRow } from '../model.ts';
import type { View } from '../stage.ts';
import type { Detail, ListSpec } from '../table.ts';

const ROLE_ORDER = { ultrapeer: 2, leaf: 1, legacy: 0 } as const;

const FIELDS: Fields = new Map([
  ...listFields.peer,
  ['rateIn', { path: 'rateIn', kind: 'number', plural: false, choices: [] }],
  ['rateOut', { path: 'rateOut', kind: 'number', plural: false, choices: [] }],
]);

export const peerList: ListSpec<PeerRow> = {
  id: 'peers',
  fields: FIELDS,
  title: 'Peers',
  one: 'peer',
  many: 'peers',
  rows: world => world.peers,
  keyOf: peer => peer.id,
  nameOf: peer => peer.address,
  empty: 'No connections. c connects to a servent by its address.',
  copy: peer => peer.address,
  columns: [
    { id: 'address', title: 'ADDRESS', of: peer => peer.address, width: 21, rank: 0 },
    {
      id: 'role',
      title: 'ROLE',
      of: peer => peer.role,
      by: peer => ROLE_ORDER[peer.role],
      width: 9,
      rank: 2,
      meaning: peer => (peer.role === 'ultrapeer' ? 'info' : peer.role === 'leaf' ? 'text' : 'warn'),
    },
    {
      id: 'direction',
      title: 'BY',
      of: peer => (peer.direction === 'incoming' ? 'them' : 'us'),
      width: 4,
      rank: 7,
      meaning: () => 'dim',
    },
    {
      id: 'since',
      title: 'AGE',
      of: (peer, now) => formatSince(peer.since, now),
      by: peer => -Date.parse(peer.since),
      width: 6,
      rank: 3,
      right: true,
    },
    {
      id: 'rateIn',
      title: 'IN/s',
      of: peer => (peer.rateIn > 0 ? formatBytes(Math.round(peer.rateIn)) : '-'),
      by: peer => peer.rateIn,
      width: 8,
      rank: 4,
      right: true,
      meaning: peer => (peer.rateIn > 0 ? 'in' : 'dim'),
    },
    {
      id: 'rateOut',
      title: 'OUT/s',
      of: peer => (peer.rateOut > 0 ? formatBytes(Math.round(peer.rateOut)) : '-'),
      by: peer => peer.rateOut,
      width: 8,
      rank: 5,
      right: true,
      meaning: peer => (peer.rateOut > 0 ? 'out' : 'dim'),
    },
    {
      id: 'bytes.in',
      title: 'IN',
      of: peer => formatBytes(peer.bytes.in),
      by: peer => peer.bytes.in,
      width: 8,
      rank: 9,
      right: true,
    },
    {
      id: 'bytes.out',
      title: 'OUT',
      of: peer => formatBytes(peer.bytes.out),
      by: peer => peer.bytes.out,
      width: 8,
      rank: 10,
      right: true,
    },
    {
      id: 'messages.in',
      title: 'MSG IN',
      of: peer => formatCount(peer.messages.in),
      by: peer => peer.messages.in,
      width: 7,
      rank: 11,
      right: true,
    },
    {
      id: 'messages.out',
      title: 'MSG OUT',
      of: peer => formatCount(peer.messages.out),
      by: peer => peer.messages.out,
      width: 7,
      rank: 12,
      right: true,
    },
    {
      id: 'dropped',
      title: 'DROP',
      of: peer => formatCount(peer.dropped),
      by: peer => peer.dropped,
      width: 6,
      rank: 6,
      right: true,
      meaning: peer => (dropShare(peer) > 0.25 ? 'bad' : dropShare(peer) > 0.05 ? 'warn' : 'dim'),
    },
    {
      id: 'queued',
      title: 'QUEUE',
      of: peer => (peer.queued > 0 ? formatBytes(peer.queued) : '-'),
      by: peer => peer.queued,
      width: 8,
      rank: 13,
      right: true,
      meaning: peer => (peer.queued > 0 ? 'warn' : 'dim'),
    },
    { id: 'deflate', title: 'Z', of: peer => zipped(peer), width: 2, rank: 14, meaning: () => 'dim' },
    { id: 'userAgent', title: 'SERVENT', of: peer => peer.userAgent ?? '', width: 12, grow: 1, rank: 1 },
  ],
  details: (peer, now) => [
    ['servent', peer.userAgent ?? 'unnamed'],
    [
      'connection',
      `${peer.role}, opened by ${peer.direction === 'incoming' ? 'them' : 'us'} ${formatSince(peer.since, now)} ago, as ${peer.id}`,
    ],
    [
      'traffic',
      `${formatBytes(peer.bytes.in)} in (${formatRate(peer.rateIn)}), ${formatBytes(peer.bytes.out)} out (${formatRate(peer.rateOut)})`,
    ],
    ['messages', `${formatExact(peer.messages.in)} in, ${formatExact(peer.messages.out)} out`],
    [
      'dropped',
      `${formatExact(peer.dropped)}, ${(dropShare(peer) * 100).toFixed(1)} % of its messages`,
      dropShare(peer) > 0.25 ? 'bad' : 'text',
    ],
    ...(dropReasons(peer) === '' ? [] : ([['because', dropReasons(peer), 'dim']] as Detail[])),
    ['compressed', `${peer.compression.in ? 'in' : 'not in'}, ${peer.compression.out ? 'out' : 'not out'}`],
    ['to send', formatBytes(peer.queued), peer.queued > 0 ? 'warn' : 'text'],
  ],
};

const zipped = ({ compression }: PeerRow): string => `${compression.in ? 'i' : '-'}${compression.out ? 'o' : '-'}`;

/** Most frequent first. */
const dropReasons = ({ reasons }: PeerRow): string =>
  Object.entries(reasons)
    .sort((a, b) => b[1] - a[1])
    .map(([reason, count]) => `${reason.replaceAll('_', ' ')} ${formatExact(count)}`)
    .join(', ');

function dropShare({ dropped, messages }: PeerRow): number {
  const all = messages.in + messages.out + dropped;
  return all === 0 ? 0 : dropped / all;
}

export const peersView: View = { draw: (stage, rect) => drawListWithDetails(stage, peerList, rect) };
