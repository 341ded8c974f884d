// View of downloads.
import type { DownloadState, DownloadView } from '../../api/control.ts';
import { placeText, waitText, wayText } from '../../api/download-wait.ts';
import { counted, formatBytes, formatDuration, formatRate, formatShare, printable } from '../../api/format.ts';
import type { Actions } from '../actions.ts';
import { chunkBar } from '../chunk-bar.ts';
import { button, chip, fieldForm, foreign, hash, iconButton, type Tone } from '../controls.ts';
import { type Model, may } from '../model.ts';
import { type Child, h, type Sketch } from '../sketch.ts';
import { type Column, listTable, NOTHING } from '../table.ts';
import { sentence, tests } from './status.ts';

const TONES: Readonly<Record<DownloadState, Tone>> = {
  active: 'busy',
  verifying: 'busy',
  queued: 'wait',
  paused: 'quiet',
  completed: 'good',
  failed: 'bad',
};
const PRIORITY_MAX = 100;

type Source = DownloadView['sources'][number];

export function downloadsView(model: Model, act: Actions, now: number): Child[] {
  const { lists, unfolded } = model;
  const canAct = may(model, 'operate');
  const form = fieldForm({
    name: 'link',
    label: 'Magnet link or URN to download',
    placeholder: 'magnet:?xt=urn:sha1:…',
    button: 'Download',
    icon: 'fetch',
    onSubmit: act.fetchLink,
  });
  return [
    ...(canAct ? [form] : []),
    ...(canAct && lists.downloads.rows.some(({ state }) => state === 'completed')
      ? [h('div', { class: 'bar' }, button('Forget completed', act.clearDownloads, { class: 'small' }))]
      : []),
    ...listTable({
      list: 'downloads',
      listing: lists.downloads,
      act,
      caption: 'Downloads',
      filter: 'Filter by name',
      columns: columns(model, act, canAct),
      keyOf: ({ id }) => id,
      below: row => (unfolded.has(row.id) ? details(row, model, act, canAct, now) : null),
      tone: ({ state }) => state,
      empty: canAct ? 'No downloads. Search for something, or paste a magnet link above.' : 'No downloads.',
    }),
  ];
}

function columns({ unfolded }: Model, act: Actions, canAct: boolean): Column<DownloadView>[] {
  return [
    { title: 'Name', sort: 'name', kind: 'name', cell: ({ name }) => foreign(name) },
    { title: 'Progress', sort: 'done', kind: 'wide', cell: progress },
    { title: 'State', sort: 'state', cell: ({ state }) => chip(TONES[state], state) },
    {
      title: 'Speed',
      sort: 'rate',
      kind: 'number',
      cell: ({ state, rate }) => (state === 'active' ? formatRate(rate) : NOTHING),
    },
    { title: 'Left', sort: 'eta', kind: 'number', cell: ({ eta }) => (eta === null ? NOTHING : formatDuration(eta)) },
    {
      title: 'Sources',
      sort: 'sources',
      kind: 'number',
      cell: ({ id, sources, name }) =>
        h(
          'button',
          {
            type: 'button',
            class: 'fold',
            'aria-expanded': String(unfolded.has(id)),
            'aria-label': printable(`Details of ${name}: ${counted(sources.length, 'source')}`),
            onclick: () => act.fold(id),
          },
          String(sources.length),
          h('span', { class: 'arrow' }),
        ),
    },
    ...(canAct ? [{ title: 'Actions', kind: 'actions' as const, cell: (row: DownloadView) => actions(row, act) }] : []),
  ];
}

export function progress({ name, size, done, state }: DownloadView): Sketch {
  const unknown = size === null;
  const share = unknown ? formatBytes(done) : formatShare(done, size);
  return h(
    'div',
    { class: 'progress' },
    h('progress', {
      class: state,
      'aria-label': printable(`Progress of ${name}`),
      'aria-valuetext': share,
      max: unknown ? 1 : Math.max(1, size),
      value: unknown ? (state === 'active' ? null : 0) : size === 0 ? 1 : done,
    }),
    h('b', {}, share),
    unknown
      ? null
      : h(
          'span',
          { class: 'quiet' },
          state === 'completed' ? formatBytes(size) : `${formatBytes(done)} of ${formatBytes(size)}`,
        ),
  );
}

function actions(download: DownloadView, act: Actions): Child[] {
  const { name, state } = download;
  const moves = state === 'active' || state === 'queued' || state === 'verifying';
  return [
    ...(moves ? [iconButton('pause', `Pause ${name}`, () => act.pause(download), { key: 'pause' })] : []),
    ...(state === 'paused' || state === 'failed'
      ? [
          iconButton('resume', `${state === 'failed' ? 'Try again' : 'Resume'} ${name}`, () => act.resume(download), {
            key: 'resume',
          }),
        ]
      : []),
    iconButton(
      'cancel',
      state === 'completed' ? `Forget ${name}` : `Cancel ${name}`,
      () => act.removeDownload(download),
      {
        key: 'cancel',
      },
    ),
  ];
}

function details(
  download: DownloadView,
  { explained, chunks }: Model,
  act: Actions,
  canAct: boolean,
  now: number,
): Sketch {
  const { id, urn, path, error, size, sources, state } = download;
  const why = explained[id];
  const map = chunks[id];
  return h(
    'div',
    { class: 'inside' },
    error === null ? null : h('p', { class: 'bad' }, printable(error)),
    path === null ? null : h('p', {}, 'Saved as ', h('code', {}, printable(path))),
    urn === null ? null : h('p', {}, hash(urn)),
    map === undefined || size === null || size === 0 || state === 'completed' ? null : chunkBar(map, size),
    h('p', {}, bytesText(download, now)),
    h('ul', { class: 'sources' }, sources.map(sourceLine)),
    h(
      'div',
      { class: 'bar' },
      ...(state === 'completed'
        ? []
        : [
            button('Why?', () => act.explain('explainDownload', id), { class: 'small' }),
            canAct ? priorityField(download, act) : null,
            canAct ? moveButtons(download, act) : null,
          ]),
      canAct
        ? button('Verify', () => act.verify(download), {
            class: 'small',
            title: 'Look through its bytes again; what is wrong is fetched again',
          })
        : null,
    ),
    why === undefined ? null : h('div', {}, h('p', {}, sentence(why.verdict)), tests(why)),
  );
}

/** What is verified, what came in vain, and what it waits for. */
function bytesText(download: DownloadView, now: number): string {
  const { verified, wasted, tree } = download;
  const wait = waitText(download, now);
  return [
    `${formatBytes(verified)} verified${tree === null ? '' : ' by the hash tree'}`,
    ...(wasted === 0 ? [] : [`${formatBytes(wasted)} in vain`]),
    ...(wait === null ? [] : [printable(wait)]),
  ].join('; ');
}

function sourceLine({ address, state, push, way, error, rate, bytes, wasted, queue }: Source): Sketch {
  const facts = [
    ...(state === 'active' ? [formatRate(rate)] : []),
    ...(bytes === 0 ? [] : [`brought ${formatBytes(bytes)}`]),
    ...(wasted === 0 ? [] : [`${formatBytes(wasted)} in vain`]),
    ...(queue === null ? [] : [placeText(queue)]),
    ...(error === null ? [] : [printable(error)]),
  ];
  return h(
    'li',
    {},
    foreign(address),
    chip(state === 'active' ? 'busy' : state === 'failed' ? 'bad' : 'quiet', state),
    wayText(way, push) === '' ? null : chip('wait', wayText(way, push)),
    facts.length === 0 ? null : h('span', { class: 'quiet' }, facts.join(', ')),
  );
}

const MOVES = [
  ['top', 'Top'],
  ['up', 'Up'],
  ['down', 'Down'],
  ['bottom', 'Bottom'],
] as const;

/** Moves it among downloads of the same priority. */
function moveButtons(download: DownloadView, act: Actions): Sketch {
  return h(
    'span',
    { class: 'bar', role: 'group', 'aria-label': printable(`Move ${download.name}`) },
    MOVES.map(([position, label]) =>
      button(label, () => act.move(download, position), { class: 'small', key: position }),
    ),
  );
}

function priorityField(download: DownloadView, act: Actions): Sketch {
  return h(
    'label',
    { class: 'inline' },
    'Priority ',
    h('input', {
      type: 'number',
      class: 'small',
      min: -PRIORITY_MAX,
      max: PRIORITY_MAX,
      value: String(download.priority),
      'aria-label': printable(`Priority of ${download.name}, higher goes first`),
      onchange: event => {
        const given = (event.target as HTMLInputElement).valueAsNumber;
        if (Number.isInteger(given)) act.prioritise(download, given);
      },
    }),
  );
}
