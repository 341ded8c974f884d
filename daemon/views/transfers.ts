// API views of downloads and uploads.
import type {
  AddressTallyView,
  DownloadView,
  FileTallyView,
  PastTransferView,
  TallyView,
  UploadView,
} from '../../api/control.ts';
import type { QueueView } from '../../protocol/transfer/uploads/queue/admission.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { formatSha1Urn } from '../../protocol/wire/urn.ts';
import type { DownloadSnapshot } from '../transfer/download.ts';
import type { PastTransfer } from '../transfer/past-transfers.ts';
import type { Tally } from '../transfer/tallies.ts';
import type { UploadSnapshot } from '../transfer/upload.ts';

export function downloadView(download: DownloadSnapshot): DownloadView {
  const { id, name, size, done, state, bytesPerSecond: rate, sha1, priority, path, error } = download;
  return {
    ...{ id, name, size, done, state, rate, priority, path, error },
    eta: size !== null && rate > 0 ? (size - done) / rate : null,
    urn: sha1 === null ? null : formatSha1Urn(sha1),
    sources: download.sources.map(({ source, state, error }) => ({
      address: formatEndpoint(source.endpoint),
      servent: source.serventGuid?.toString('hex') ?? null,
      push: source.push,
      state: state === 'dropped' ? 'failed' : state,
      error,
    })),
    addedAt: new Date(download.addedAt).toISOString(),
    finishedAt: download.finishedAt === null ? null : new Date(download.finishedAt).toISOString(),
  };
}

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
