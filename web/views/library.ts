// View of shared folders and files.
import type { FileView, FolderView } from '../../api/control.ts';
import {
  formatAge,
  formatBitrate,
  formatBytes,
  formatHashing,
  formatLeftOut,
  formatPlayTime,
  printable,
} from '../../api/format.ts';
import type { Actions } from '../actions.ts';
import { button, chip, fieldForm, foreign, hash, iconButton, type Tone } from '../controls.ts';
import { formatCount } from '../figures.ts';
import { type Model, may } from '../model.ts';
import { type Child, h } from '../sketch.ts';
import { type Column, listTable, NOTHING } from '../table.ts';

export function libraryView(model: Model, act: Actions, now: number): Child[] {
  const canShare = may(model, 'admin');
  const canAct = may(model, 'operate');
  const { folders, files } = model.lists;
  const progress = model.status?.library.progress;
  const form = fieldForm({
    name: 'path',
    label: 'Folder to share, a path on the machine of the daemon',
    placeholder: '/path/of/a/folder',
    button: 'Share',
    icon: 'library',
    onSubmit: act.share,
    other: { button: 'Preview', onClick: act.preview },
  });
  return [
    ...(canShare ? [form] : []),
    h(
      'div',
      { class: 'heading', key: 'folders' },
      h('h2', {}, 'Folders'),
      progress === undefined || progress.state === 'idle' ? null : h('span', {}, formatHashing(progress)),
      canAct ? button('Rescan', act.rescan, { class: 'small' }) : null,
      canAct && progress !== undefined && progress.state !== 'idle'
        ? button('End', act.endScans, { class: 'small', title: 'End scans and hashing' })
        : null,
    ),
    ...listTable({
      list: 'folders',
      listing: folders,
      act,
      caption: 'Shared folders',
      columns: folderColumns(act, canShare, now),
      keyOf: ({ id }) => id,
      empty: 'No folder is shared.',
    }),
    h('div', { class: 'heading', key: 'files' }, h('h2', {}, 'Files')),
    ...listTable({
      list: 'files',
      listing: files,
      act,
      caption: 'Shared files',
      filter: 'Filter by name, path or hash',
      columns: fileColumns,
      keyOf: ({ id }) => id,
      empty: 'No file is shared.',
    }),
  ];
}

const FOLDER_TONES: Readonly<Record<FolderView['state'], Tone>> = {
  ready: 'good',
  scanning: 'busy',
  waiting: 'wait',
  failed: 'bad',
  cancelled: 'wait',
};

function folderColumns(act: Actions, canShare: boolean, now: number): Column<FolderView>[] {
  return [
    { title: 'Folder', sort: 'path', kind: 'name', cell: ({ path }) => foreign(path) },
    {
      title: 'State',
      sort: 'state',
      cell: ({ state, error, force }) => [
        chip(FOLDER_TONES[state], state),
        ...(force ? [chip('wait', 'forced')] : []),
        ...(error === null ? [] : [h('span', { class: 'bad' }, printable(error))]),
      ],
    },
    {
      title: 'Left out',
      kind: 'extra',
      cell: ({ leftOut, exclude }) => {
        const patterns = exclude.length === 0 ? '' : `excludes ${exclude.join(' ')}`;
        const text = [patterns, formatLeftOut(leftOut)].filter(part => part !== '').join('; ');
        return text === '' ? NOTHING : printable(text);
      },
    },
    { title: 'Files', sort: 'files', kind: 'number', cell: ({ files }) => formatCount(files) },
    { title: 'Size', sort: 'bytes', kind: 'number', cell: ({ bytes }) => formatBytes(bytes) },
    {
      title: 'Looked at',
      sort: 'scannedAt',
      kind: 'number',
      cell: ({ scannedAt }) => (scannedAt === null ? 'not yet' : `${formatAge(scannedAt, now)} ago`),
    },
    ...(canShare
      ? [
          {
            title: 'Actions',
            kind: 'actions' as const,
            cell: (folder: FolderView) =>
              iconButton('cancel', `Stop sharing ${folder.path}`, () => act.unshare(folder)),
          },
        ]
      : []),
  ];
}

const FILE_TONES: Readonly<Record<FileView['state'], Tone>> = { shared: 'good', hashing: 'busy', failed: 'bad' };

const fileColumns: Column<FileView>[] = [
  { title: 'Name', sort: 'name', kind: 'name', cell: ({ name, path }) => foreign(name, { title: printable(path) }) },
  { title: 'Size', sort: 'size', kind: 'number', cell: ({ size }) => formatBytes(size) },
  { title: 'Length', sort: 'length', kind: 'number', cell: ({ length }) => formatPlayTime(length) },
  { title: 'kbit/s', sort: 'bitrate', kind: 'number', cell: ({ bitrate }) => formatBitrate(bitrate) },
  { title: 'State', sort: 'state', cell: ({ state }) => chip(FILE_TONES[state], state) },
  { title: 'Queries answered', sort: 'hits', kind: 'number', cell: ({ hits }) => formatCount(hits) },
  { title: 'Uploads', sort: 'uploads', kind: 'number', cell: ({ uploads }) => formatCount(uploads) },
  {
    title: 'Hash',
    kind: 'extra',
    cell: ({ urn }) => (urn === null ? NOTHING : hash(urn, true)),
  },
];
