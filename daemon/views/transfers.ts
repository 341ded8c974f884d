// API views of downloads and uploads.
import type {
  AddressTallyView,
  DownloadChunksView,
  DownloadView,
  FileTallyView,
  PastTransferView,
  TallyView,
  UploadView,
} from '../../api/control.ts';
import type { QueueView } from '../../protocol/transfer/uploads/queue/admission.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { formatBase32, formatSha1Urn } from '../../protocol/wire/urn.ts';
import type { DownloadSnapshot, SourceSnapshot } from '../transfer/download-snapshot.ts';
import type { PastTransfer } from '../transfer/past-transfers.ts';
import type { ReadableDownload } from '../transfer/readable-download.ts';
import { isWithoutSource, NO_SOURCE } from '../transfer/source-hunt.ts';
import type { Tally } from '../transfer/tallies.ts';
import type { UploadSnapshot } from '../transfer/upload.ts';

/** `ready`: connected, and without a request. */
const SOURCE_STATES: Record<SourceSnapshot['state'], string> = {
  idle: 'idle',
  connecting: 'connecting',
  ready: 'idle',
  asking: 'active',
  queued: 'queued',
  waiting: 'waiting',
  dropped: 'failed',
};

export function downloadView(download: DownloadSnapshot): DownloadView {
  const {
    id,
    name,
    size,
    done,
    state,
    bytesPerSecond: rate,
    sha1,
    priority,
    position,
    path,
    hunt,
    category,
    batch,
  } = download;
  const { verified, wasted, root, sequential } = download;
  return {
    ...{ id, name, size, done, verified, wasted, state, rate, priority, position, category, path },
    tree: root === null ? null : `urn:tree:tiger:${formatBase32(root)}`,
    batch: batch === null ? null : { id: batch.id, name: batch.name },
    order: sequential ? 'sequential' : 'any',
    error: errorOf(download),
    search: hunt === null ? null : { asked: hunt.asked, next: dateOrNull(hunt.nextAt) },
    eta: size !== null && rate > 0 ? (size - done) / rate : null,
    urn: sha1 === null ? null : formatSha1Urn(sha1),
    sources: download.sources.map(({ source, state, ...found }) => ({
      address: formatEndpoint(source.endpoint),
      servent: source.serventGuid?.toString('hex') ?? null,
      push: source.push,
      state: SOURCE_STATES[state],
      ...found,
    })),
    addedAt: new Date(download.addedAt).toISOString(),
    finishedAt: download.finishedAt === null ? null : new Date(download.finishedAt).toISOString(),
  };
}

export function chunksView({ state, swarm }: ReadableDownload): DownloadChunksView {
  const { size, planner } = { size: swarm.size, planner: swarm.planner };
  if (state === 'completed')
    return {
      size,
      states: size === null || size === 0 ? [] : [{ start: 0, end: size, state: 'verified', source: null }],
    };
  const chunks = [...swarm.map];
  // while the size is not known, what is missing at the end has none
  if (size === null && chunks.at(-1)?.state === 'missing') chunks.pop();
  return {
    size,
    states: chunks.map(({ source, ...chunk }) => {
      const of = source === null ? null : planner.get(source);
      return { ...chunk, source: of === null ? null : formatEndpoint(of.source.endpoint) };
    }),
  };
}

/** Without a source it says what is done about it. */
function errorOf({ error, hunt }: DownloadSnapshot): string | null {
  if (hunt === null || !isWithoutSource(error)) return error;
  const asked = hunt.asked === 0 ? 'the network was not asked yet' : `asked the network ${times(hunt.asked)}`;
  const next =
    hunt.nextAt === null
      ? ''
      : `, ${hunt.asked === 0 ? 'first' : 'again'} at ${new Date(hunt.nextAt).toISOString().slice(11, 19)} UTC`;
  return error === NO_SOURCE ? `no source yet: ${asked}${next}` : `${error}; ${asked}${next}`;
}

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

const dateOrNull = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

export function uploadView(upload: UploadSnapshot): UploadView {
  const { id, remote, userAgent, state, position, group, file, range, sent, bytesPerSecond: rate } = upload;
  return {
    ...{ id, userAgent, state, position, group, sent, rate },
    address: formatEndpoint(remote),
    queue: upload.queue === null ? null : queueView(upload.queue),
    name: file.name,
    urn: formatSha1Urn(file.sha1),
    size: file.size,
    start: range.start,
    end: Math.max(range.start, range.end - 1),
    since: new Date(upload.since).toISOString(),
  };
}

function queueView({ etaSeconds: eta, ...place }: QueueView): UploadView['queue'] {
  return { ...place, eta };
}

export function pastTransferView(past: PastTransfer): PastTransferView {
  const { id, direction, result, name, sha1, size, bytes, address, userAgent, error, since, at } = past;
  return {
    ...{ id, direction, result, name, size, bytes, address, userAgent, error },
    urn: sha1 === null ? null : `urn:sha1:${sha1}`,
    rate: at > since ? (bytes * 1000) / (at - since) : 0,
    startedAt: new Date(since).toISOString(),
    finishedAt: new Date(at).toISOString(),
  };
}

export function tallyView({ uploaded, downloaded, uploads, downloads, since }: Tally): TallyView {
  return {
    ...{ uploaded, downloaded, uploads, downloads },
    ratio: downloaded === 0 ? null : uploaded / downloaded,
    since: new Date(since).toISOString(),
  };
}

export function addressTallyView(tally: Tally): AddressTallyView {
  const { downloads: _, ...view } = tallyView(tally);
  return { ...view, address: tally.key, at: new Date(tally.at).toISOString() };
}

export function fileTallyView(tally: Tally): FileTallyView {
  return { ...tallyView(tally), urn: `urn:sha1:${tally.key}`, name: tally.name, at: new Date(tally.at).toISOString() };
}
