// Library view: shared folders, and below them the files.

import type { FileView, FolderView } from '../../api/control.ts';
import { formatHashing, formatLeftOut } from '../../api/format.ts';
import { listFields } from '../../api/outline.ts';
import { drawList, drawListWithDetails } from '../draw-list.ts';
import { formatBytes, formatCount, formatSince } from '../format.ts';
import { magnetOf } from '../magnet.ts';
import { splitRows, type View } from '../stage.ts';
import type { ListSpec } from '../table.ts';
import { mediaColumns } from './media-columns.ts';

/** Error of a folder, or files left out of it. */
function noteOf({ error, force, leftOut }: FolderView): string {
  if (error !== null) return error;
  const omitted = leftOut.length === 0 ? '' : `left out: ${formatLeftOut(leftOut)}`;
  return force ? `forced; ${omitted}` : omitted;
}

export const folderList: ListSpec<FolderView> = {
  id: 'folders',
  fields: listFields.folder,
  title: 'Shared folders',
  one: 'folder',
  many: 'folders',
  rows: world => world.folders,
  keyOf: folder => folder.id,
  nameOf: folder => folder.path,
  empty: 'Nothing is shared. a shares a folder on the machine of the daemon.',
  copy: folder => folder.path,
  columns: [
    { id: 'path', title: 'FOLDER', of: row => row.path, width: 24, grow: 1, rank: 0, end: true },
    {
      id: 'state',
      title: 'STATE',
      of: row => row.state,
      width: 8,
      rank: 1,
      meaning: row => (row.state === 'failed' ? 'bad' : row.state === 'ready' ? 'good' : 'warn'),
    },
    {
      id: 'files',
      title: 'FILES',
      of: row => formatCount(row.files),
      by: row => row.files,
      width: 6,
      rank: 2,
      right: true,
    },
    {
      id: 'bytes',
      title: 'SIZE',
      of: row => formatBytes(row.bytes),
      by: row => row.bytes,
      width: 8,
      rank: 3,
      right: true,
    },
    {
      id: 'scannedAt',
      title: 'SCANNED',
      of: (row, now) => formatSince(row.scannedAt, now),
      width: 7,
      rank: 4,
      right: true,
      meaning: () => 'dim',
    },
    {
      id: 'error',
      title: 'NOTE',
      of: noteOf,
      width: 10,
      grow: 1,
      rank: 5,
      meaning: row => (row.error === null ? 'dim' : 'bad'),
    },
  ],
};

export const fileList: ListSpec<FileView> = {
  id: 'files',
  fields: listFields.file,
  title: 'Files',
  one: 'file',
  many: 'files',
  rows: world => world.files,
  keyOf: file => file.id,
  nameOf: file => file.name,
  empty: 'No files in the shared folders.',
  copy: file => file.urn ?? file.name,
  magnet: row => magnetOf({ ...row, urn: row.bitprint ?? row.urn }),
  columns: [
    { id: 'name', title: 'NAME', of: row => row.name, width: 24, grow: 2, rank: 0 },
    {
      id: 'size',
      title: 'SIZE',
      of: row => formatBytes(row.size),
      by: row => row.size,
      width: 8,
      rank: 1,
      right: true,
    },
    {
      id: 'state',
      title: 'STATE',
      of: row => row.state,
      width: 7,
      rank: 2,
      meaning: row => (row.state === 'shared' ? 'good' : row.state === 'failed' ? 'bad' : 'warn'),
    },
    {
      id: 'hits',
      title: 'HITS',
      of: row => formatCount(row.hits),
      by: row => row.hits,
      width: 5,
      rank: 3,
      right: true,
      meaning: row => (row.hits > 0 ? 'number' : 'dim'),
    },
    {
      id: 'uploads',
      title: 'TAKEN',
      of: row => formatCount(row.uploads),
      by: row => row.uploads,
      width: 5,
      rank: 4,
      right: true,
      meaning: row => (row.uploads > 0 ? 'out' : 'dim'),
    },
    {
      id: 'modifiedAt',
      title: 'CHANGED',
      of: (row, now) => formatSince(row.modifiedAt, now),
      by: row => -Date.parse(row.modifiedAt),
      width: 7,
      rank: 5,
      right: true,
      meaning: () => 'dim',
    },
    { id: 'urn', title: 'CONTENT', of: row => row.urn ?? '', width: 41, rank: 6, meaning: () => 'dim' },
    ...mediaColumns,
  ],
  details: (row, now) => [
    ['path', row.path],
    [
      'content',
      row.urn ?? (row.state === 'hashing' ? 'being hashed' : 'not hashed'),
      row.urn === null ? 'warn' : 'text',
    ],
    ['size', `${formatBytes(row.size)}, changed ${formatSince(row.modifiedAt, now)} ago`],
    ['demand', `${row.hits} query hits, ${row.uploads} uploads since the start`],
  ],
};

export const libraryView: View = {
  draw: (stage, rect) => {
    const { model, world } = stage;
    const wanted = Math.min(Math.max(4, world.folders.length + 3), Math.floor(rect.height / 3));
    const [upper, lower] = splitRows(rect, Math.max(5, wanted));
    const progress = world.status?.library.progress;
    drawList(stage, folderList, upper, {
      on: !model.second,
      note: progress === undefined || progress.state === 'idle' ? '' : formatHashing(progress),
    });
    drawListWithDetails(stage, fileList, lower, { on: model.second, note: 'Tab changes list' });
  },
};
