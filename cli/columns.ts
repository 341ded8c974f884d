// Columns of the tables that list commands print.
import type {
  DeliveryView,
  DownloadView,
  HookView,
  HostView,
  KeyView,
  PeerView,
  QueryView,
  SearchView,
  UploadView,
} from '../api/control.ts';
import {
  formatAge,
  formatBitrate,
  formatBytes,
  formatDuration,
  formatPlayTime,
  formatRate,
  formatRepeat,
  formatShare,
  formatWait,
} from '../api/format.ts';
import type { Column } from './table.ts';

/** Ages are counted from `nowMs`. */
export type ColumnsAt<T> = (nowMs: number) => Column<T>[];

export const peerColumns: ColumnsAt<PeerView> = nowMs => [
  { title: 'ID', of: row => row.id },
  { title: 'ADDRESS', of: row => row.address },
  { title: 'ROLE', of: row => row.role },
  { title: 'FROM', of: row => (row.direction === 'incoming' ? 'them' : 'us') },
  { title: 'AGE', of: row => formatAge(row.since, nowMs), right: true },
  { title: 'MSG IN', of: row => String(row.messages.in), right: true },
  { title: 'MSG OUT', of: row => String(row.messages.out), right: true },
  { title: 'IN', of: row => formatBytes(row.bytes.in), right: true },
  { title: 'OUT', of: row => formatBytes(row.bytes.out), right: true },
  { title: 'DROPPED', of: row => String(row.dropped), right: true },
  { title: 'DEFLATE', of: row => (row.deflate ? 'yes' : 'no') },
  { title: 'SERVENT', of: row => row.userAgent ?? '' },
];

/** Of results and of shared files. */
export const mediaColumns: Column<{ length: number | null; bitrate: number | null }>[] = [
  { title: 'LENGTH', of: row => formatPlayTime(row.length), right: true },
  { title: 'KBIT/S', of: row => formatBitrate(row.bitrate), right: true },
];

export const hostColumns: ColumnsAt<HostView> = nowMs => [
  { title: 'ADDRESS', of: row => row.address },
  { title: 'ROLE', of: row => (row.ultrapeer === null ? '?' : row.ultrapeer ? 'ultrapeer' : 'leaf') },
  { title: 'SOURCE', of: row => row.source },
  { title: 'SEEN', of: row => ago(row.seenAt, nowMs), right: true },
  { title: 'TRIED', of: row => ago(row.triedAt, nowMs), right: true },
  { title: 'CONNECTED', of: row => ago(row.connectedAt, nowMs), right: true },
  { title: 'FAILURES', of: row => String(row.failures), right: true },
];

function ago(time: string | null, nowMs: number): string {
  return time === null ? 'never' : formatAge(time, nowMs);
}

const waitOf = (seconds: number | null | undefined): string => (seconds == null ? '' : formatDuration(seconds));

export const uploadColumns: ColumnsAt<UploadView> = () => [
  { title: 'ID', of: row => row.id },
  { title: 'ADDRESS', of: row => row.address },
  { title: 'STATE', of: row => (row.queue === null ? row.state : `queued ${row.position} of ${row.queue.length}`) },
  { title: 'WAIT', of: row => waitOf(row.queue?.eta), right: true },
  { title: 'WHY', of: row => (row.queue === null ? '' : formatWait(row.queue)) },
  { title: 'DONE', of: row => formatShare(row.sent, row.end - row.start + 1), right: true },
  { title: 'RATE', of: row => formatRate(row.rate), right: true },
  { title: 'SIZE', of: row => formatBytes(row.size), right: true },
  { title: 'GROUP', of: row => row.group ?? '' },
  { title: 'NAME', of: row => row.name },
  { title: 'SERVENT', of: row => row.userAgent ?? '' },
];

/** Enough of a UUID to tell downloads apart; commands take it. */
const shortId = (id: string): string => (UUID.test(id) ? id.slice(0, 8) : id);
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

export const downloadColumns: ColumnsAt<DownloadView> = () => [
  { title: 'ID', of: row => shortId(row.id) },
  { title: 'STATE', of: row => row.state },
  {
    title: 'DONE',
    of: row => (row.size === null ? formatBytes(row.done) : formatShare(row.done, row.size)),
    right: true,
  },
  { title: 'SIZE', of: row => (row.size === null ? '?' : formatBytes(row.size)), right: true },
  { title: 'RATE', of: row => (row.state === 'active' ? formatRate(row.rate) : ''), right: true },
  { title: 'LEFT', of: row => (row.eta === null ? '' : formatDuration(row.eta)), right: true },
  { title: 'SOURCES', of: row => String(row.sources.length), right: true },
  { title: 'NAME', of: row => row.name },
  { title: 'NOTE', of: row => row.error ?? '' },
];

export const queryColumns: ColumnsAt<QueryView> = () => [
  { title: 'AT', of: row => row.at.slice(11, 19) },
  { title: 'FROM', of: row => row.from },
  { title: 'TTL', of: row => String(row.ttl), right: true },
  { title: 'HOPS', of: row => String(row.hops), right: true },
  { title: 'HITS', of: row => String(row.hits), right: true },
  { title: 'QUERY', of: row => [row.text, ...row.urns].filter(text => text !== '').join(' ') },
];

export const searchColumns: ColumnsAt<SearchView> = nowMs => [
  { title: 'ID', of: row => row.id },
  { title: 'STATE', of: row => row.state },
  { title: 'AGE', of: row => formatAge(row.startedAt, nowMs), right: true },
  { title: 'RESULTS', of: row => String(row.results), right: true },
  { title: 'PEERS', of: row => String(row.peers), right: true },
  { title: 'FOR', of: row => row.text ?? row.urn ?? `everything of ${row.browse ?? 'one servent'}` },
  { title: 'NOTE', of: row => row.error ?? row.cut ?? formatRepeat(row, nowMs) ?? '' },
];

export const keyColumns: ColumnsAt<KeyView> = nowMs => [
  { title: 'ID', of: row => row.id },
  { title: 'NAME', of: row => row.name },
  { title: 'MAY', of: row => row.scopes.join(' ') },
  { title: 'FROM', of: row => (row.cidrs.length === 0 ? 'anywhere' : row.cidrs.join(' ')) },
  { title: 'USED', of: row => ago(row.usedAt, nowMs), right: true },
  { title: 'BY', of: row => row.usedFrom ?? '' },
  {
    title: 'UNTIL',
    of: row => (row.expired ? 'expired' : (row.expiresAt?.slice(0, 16).replace('T', ' ') ?? 'revoked')),
  },
];

export const hookColumns: ColumnsAt<HookView> = () => [
  { title: 'ID', of: row => row.id },
  { title: 'TO', of: row => row.url ?? row.command ?? '' },
  { title: 'TOPICS', of: row => row.topics.join(' ') },
  { title: 'TYPES', of: row => (row.types.length === 0 ? 'all' : row.types.join(' ')) },
  { title: 'BEHIND', of: row => String(row.behind), right: true },
  { title: 'NOTE', of: row => row.error ?? '' },
];

export const deliveryColumns: ColumnsAt<DeliveryView> = () => [
  { title: 'AT', of: row => row.at.slice(0, 19).replace('T', ' ') },
  { title: 'EVENT', of: row => String(row.event), right: true },
  { title: 'TYPE', of: row => row.type },
  { title: 'TRY', of: row => String(row.attempt), right: true },
  { title: 'STATE', of: row => row.state.replace('_', ' ') },
  { title: 'TOOK', of: row => `${row.seconds.toFixed(1)} s`, right: true },
  { title: 'NOTE', of: row => row.error ?? '' },
];
