// Rows of the table of endpoints: downloads.
import { API, change, create, get, listOf, remove } from '../endpoint.ts';
import { byId } from '../schemas/common.ts';
import * as transfers from '../schemas/transfers.ts';

export const downloadEndpoints = {
  startDownload: create(`${API}/downloads`, {
    tag: 'downloads',
    doc: 'Queues a download of a search result, of several (`results`, `folder` or `filter`; their files go into one folder), a magnet link (its `xs` and `as` are sources), or a URN with sources, or those of a Metalink description. A content that is here or being fetched is not fetched again, unless `again` is set.',
    body: transfers.startDownload,
    output: transfers.startedDownload,
    problems: ['NOT_FOUND', 'CONFLICT', 'TOO_MANY'],
  }),
  downloads: get(`${API}/downloads`, {
    tag: 'downloads',
    doc: 'Downloads, in the order they were added.',
    ...listOf(transfers.download),
  }),
  download: get(`${API}/downloads/:id`, {
    tag: 'downloads',
    doc: 'One download.',
    params: byId,
    output: transfers.download,
    problems: ['NOT_FOUND'],
  }),
  downloadChunks: get(`${API}/downloads/:id/chunks`, {
    tag: 'downloads',
    doc: 'Which bytes of a download are missing, asked for, received and verified, and by whom.',
    params: byId,
    output: transfers.downloadChunks,
    problems: ['NOT_FOUND'],
  }),
  changeDownload: change(`${API}/downloads/:id`, {
    tag: 'downloads',
    doc: 'Pauses, resumes, renames or reorders a download.',
    params: byId,
    body: transfers.changeDownload,
    output: transfers.download,
    problems: ['NOT_FOUND', 'CONFLICT'],
  }),
  removeDownload: remove(`${API}/downloads/:id`, {
    tag: 'downloads',
    doc: 'Cancels a download and deletes its partial file; a completed file stays.',
    params: byId,
    problems: ['NOT_FOUND'],
  }),
  verifyDownload: create(`${API}/downloads/:id/verify`, {
    tag: 'downloads',
    doc: 'Begins to look through the bytes of a download again, finished or not. What is wrong is fetched again.',
    params: byId,
    output: transfers.download,
    success: 202,
    problems: ['NOT_FOUND'],
  }),
  recoverDownloads: create(`${API}/downloads/recover`, {
    tag: 'downloads',
    doc: 'Makes downloads of partial files that have none, from the descriptions beside them. Nothing is deleted.',
    output: transfers.recoveredParts,
    success: 200,
    problems: ['STORAGE_FAILED'],
  }),
  clearDownloads: remove(`${API}/downloads`, {
    tag: 'downloads',
    doc: 'Forgets all downloads that are complete, or all that failed.',
    query: transfers.clearDownloads,
    output: transfers.clearedDownloads,
    success: 200,
  }),
} as const;
