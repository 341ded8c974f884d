// View of running and queued uploads, and of transfers that are over.
import type { PastTransferView, UploadView } from '../../api/control.ts';
import {
  formatAge,
  formatBytes,
  formatDuration,
  formatRate,
  formatShare,
  formatWait,
  printable,
} from '../../api/format.ts';
import type { Actions } from '../actions.ts';
import { chip, foreign, iconButton, type Tone } from '../controls.ts';
import { type Model, may } from '../model.ts';
import { type Child, h, type Sketch } from '../sketch.ts';
import { type Column, listTable, NOTHING } from '../table.ts';

export function uploadsView(model: Model, act: Actions, now: number): Child[] {
  return [
    ...listTable({
      list: 'uploads',
      listing: model.lists.uploads,
      act,
      caption: 'Uploads',
      filter: 'Filter by name, address or program',
      columns: columns(act, may(model, 'operate'), now),
      keyOf: ({ id }) => id,
      empty: 'No uploads.',
    }),
    h('div', { class: 'heading', key: 'past' }, h('h2', {}, 'Finished transfers')),
    ...listTable({
      list: 'pastTransfers',
      listing: model.lists.pastTransfers,
      act,
      caption: 'Finished transfers',
      filter: 'Filter by name, address or result',
      columns: pastColumns(now),
      keyOf: ({ id, finishedAt }) => `${id} ${finishedAt}`,
      empty: 'No transfer is over yet.',
    }),
  ];
}

const PAST_TONES: Readonly<Record<PastTransferView['result'], Tone>> = {
  whole: 'good',
  completed: 'good',
  partial: 'good',
  cut: 'wait',
  unreadable: 'bad',
  failed: 'bad',
};

function pastColumns(now: number): Column<PastTransferView>[] {
  return [
    { title: 'File', sort: 'name', kind: 'name', cell: ({ name }) => foreign(name) },
    {
      title: 'Result',
      sort: 'result',
      cell: ({ direction, result, error }) => [
        chip(PAST_TONES[result], `${direction} ${result}`),
        ...(error === null ? [] : [h('span', { class: 'bad' }, printable(error))]),
      ],
    },
    { title: 'Bytes', sort: 'bytes', kind: 'number', cell: ({ bytes }) => formatBytes(bytes) },
    { title: 'Speed', sort: 'rate', kind: 'number', cell: ({ rate }) => formatRate(rate) },
    { title: 'With', sort: 'address', cell: ({ address }) => (address === null ? NOTHING : foreign(address)) },
    {
      title: 'Ended',
      sort: 'finishedAt',
      kind: 'number',
      cell: ({ finishedAt }) => `${formatAge(finishedAt, now)} ago`,
    },
  ];
}

function columns(act: Actions, canAct: boolean, now: number): Column<UploadView>[] {
  return [
    { title: 'File', sort: 'name', kind: 'name', cell: ({ name }) => foreign(name) },
    { title: 'Progress', sort: 'sent', kind: 'wide', cell: progress },
    {
      title: 'State',
      sort: 'position',
      cell: ({ state, position, queue }) =>
        queue === null
          ? chip('busy', state)
          : h('span', { title: formatWait(queue) }, chip('wait', `place ${position} of ${queue.length}`)),
    },
    {
      title: 'Wait',
      sort: 'queue.eta',
      kind: 'number',
      cell: ({ queue }) => (queue === null || queue.eta === null ? NOTHING : formatDuration(queue.eta)),
    },
    {
      title: 'Speed',
      sort: 'rate',
      kind: 'number',
      cell: ({ state, rate }) => (state === 'active' ? formatRate(rate) : NOTHING),
    },
    {
      title: 'To',
      sort: 'address',
      cell: ({ address, group }) => [foreign(address), ...(group === null ? [] : [chip('wait', group)])],
    },
    { title: 'Program', sort: 'userAgent', cell: ({ userAgent }) => foreign(userAgent ?? 'unnamed') },
    { title: 'Since', sort: 'since', kind: 'number', cell: ({ since }) => formatAge(since, now) },
    ...(canAct
      ? [
          {
            title: 'Actions',
            kind: 'actions' as const,
            cell: (upload: UploadView) =>
              iconButton('cancel', `Abort the upload of ${upload.name} to ${upload.address}`, () =>
                act.cancelUpload(upload),
              ),
          },
        ]
      : []),
  ];
}

function progress({ name, start, end, sent, size, state }: UploadView): Sketch {
  const wanted = Math.max(1, end - start + 1);
  const part = start === 0 && end + 1 >= size ? formatBytes(size) : `${formatBytes(wanted)} of ${formatBytes(size)}`;
  return h(
    'div',
    { class: 'progress' },
    h('progress', { class: state, 'aria-label': printable(`Progress of ${name}`), max: wanted, value: sent }),
    h('b', {}, formatShare(sent, wanted)),
    h('span', { class: 'quiet' }, part),
  );
}
