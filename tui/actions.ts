// Carries out the actions of keys. Pure: takes a model, returns the next model and effects.
import type { DownloadView } from '../api/control.ts';
import type { ActionId } from './keys.ts';
import * as listing from './listing.ts';
import { type Call, type Effect, type Model, type Step, stay, type Toast, worldOf } from './model.ts';
import { RANGES } from './range.ts';
import type { AnyList, ListSpec } from './table.ts';
import { listOf, viewRow, views } from './views/all.ts';
import { configList, settingText } from './views/config.ts';
import { downloadList } from './views/downloads.ts';
import { hostList } from './views/hosts.ts';
import { folderList } from './views/library.ts';
import { peerList } from './views/peers.ts';
import { queryList } from './views/queries.ts';
import { openSearch, resultList, searchList } from './views/searches.ts';
import { uploadList } from './views/uploads.ts';

const TOAST_MS = 5000;
/** Most rows named in a question; the rest is counted. */
const NAMED_MAX = 8;

export function withToast(model: Model, text: string, mood: Toast['mood'] = 'info'): Model {
  return { ...model, toast: { text, mood, until: model.now + TOAST_MS } };
}

function openPrompt(model: Model, kind: 'command' | 'filter', text = ''): Model {
  return { ...model, prompt: { kind, text, caret: [...text].length, completion: null, back: 0, fault: null } };
}

const countOf = ({ one, many }: Pick<AnyList, 'one' | 'many'>, count: number): string =>
  `${count} ${count === 1 ? one : many}`;

/** Makes a call per row, as one bulk call for several rows; with `ask`, after a question. */
function forRows<T>(
  model: Model,
  list: ListSpec<T>,
  verb: string,
  callOf: (row: T) => Call,
  ask: boolean,
  rows = listing.targets(model, list),
): Step {
  if (rows.length === 0) return stay(withToast(model, `nothing to ${verb} here`));
  const calls = rows.map(row => ({ ...callOf(row), title: list.nameOf(row) }));
  const effects = together(calls, `${verb} ${countOf(list, rows.length)}: done`);
  if (!ask) return { model: listing.unmark(model, list), effects };
  const about = rows.slice(0, NAMED_MAX).map(list.nameOf);
  if (rows.length > NAMED_MAX) about.push(`and ${rows.length - NAMED_MAX} more`);
  const text = `${verb.charAt(0).toUpperCase()}${verb.slice(1)} ${countOf(list, rows.length)}?`;
  return stay({ ...model, question: { text, about, effects, list: list.id } });
}

/** Returns one call, or several as one bulk call. */
export function together(calls: readonly Call[], done: string): Effect[] {
  return calls.length > 1 ? [{ type: 'bulk', calls, done }] : [...calls];
}

const call = (name: Call['name'], input: object, done: string, more: Pick<Call, 'show' | 'title'> = {}): Call => ({
  type: 'call',
  name,
  input,
  done,
  ...more,
});

export const connectTo = (address: string): Call => call('connect', { address }, `connected to ${address}`);
export const searchFor = (text: string): Call => call('startSearch', { text }, `searching for ${text}`);
export const searchUrn = (urn: string): Call => call('startSearch', { urn }, `searching for ${urn}`);
export const browseAt = (address: string): Call => call('startSearch', { browse: address }, `browsing ${address}`);
export const shareFolder = (path: string): Call => call('shareFolder', { path }, `sharing ${path}`);
export const previewFolder = (path: string): Call =>
  call('previewFolder', { path }, '', { show: 'preview', title: `Before ${path} is shared` });
export const excludeFrom = (id: string, path: string, exclude: readonly string[]): Call =>
  call(
    'changeFolder',
    { id, exclude },
    exclude.length === 0 ? `${path}: nothing is excluded` : `${path}: excludes ${exclude.join(' ')}`,
  );
export const rescanAll = (): Call => call('rescan', {}, 'scanning the shared folders');
export const endScans = (): Call => call('cancelHashing', {}, 'scans and hashing are ended until the next rescan');
export const startDownload = (input: object, name: string): Call => call('startDownload', input, `downloading ${name}`);
export const disconnectPeer = (id: string, name: string): Call => call('disconnect', { id }, `disconnected ${name}`);
export const unshareFolder = (id: string, path: string): Call =>
  call('unshareFolder', { id }, `no longer sharing ${path}`);
export const changeDownload = (id: string, name: string, change: object, done: string): Call =>
  call('changeDownload', { id, ...change }, `${done} ${name}`);
export const verifyDownload = (id: string, name: string): Call =>
  call('verifyDownload', { id }, `looks through ${name}`);
export const clearDone = (): Call => call('clearDownloads', {}, 'completed downloads are forgotten');
export const cancelDownload = (id: string, name: string): Call => call('removeDownload', { id }, `cancelled ${name}`);

/** Asks the daemon for the plan of a change; the question that follows shows it. */
export const changeConfig = (patch: object, title: string): Call =>
  call('changeConfig', { ...patch, dryRun: true }, '', { show: 'plan', title });

/** Blocks addresses in addition to those already blocked. */
export function blockHosts(model: Model, hosts: readonly string[]): Step {
  const blocked = worldOf(model).config?.settings.find(({ key }) => key === 'gnutella.block')?.value;
  if (!Array.isArray(blocked)) return stay(withToast(model, 'blocked addresses are not loaded yet: try again', 'bad'));
  const more = [...new Set(hosts)].filter(host => !blocked.includes(host));
  if (more.length === 0) return stay(withToast(model, 'blocked already'));
  const title = more.length === 1 ? `Block ${more[0]}?` : `Block ${more.length} addresses?`;
  return stay(model, changeConfig({ gnutella: { block: [...blocked, ...more] } }, title));
}

const hostOf = (address: string): string => address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');

/** Asks the daemon to explain the row under the cursor. */
function why(model: Model): Step {
  const explain = (name: Call['name'], input: object, title: string, show: Call['show'] = 'explanation'): Step =>
    stay(model, call(name, input, '', { show, title }));
  if (model.view === 'overview') return explain('election', {}, 'Leaf or ultrapeer');
  if (model.view === 'peers') return explain('refusedPeers', {}, 'Handshakes', 'refused');
  if (model.view === 'downloads' && !model.second) {
    const row = listing.rowUnder(model, downloadList);
    return row === undefined
      ? stay(withToast(model, 'no download here'))
      : explain('explainDownload', { id: row.id }, row.name);
  }
  if (model.view === 'downloads') return stay(withToast(model, 'it is over'));
  const search = openSearch(model);
  if (search === undefined) return stay(withToast(model, 'no search here'));
  return explain('explainSearch', { id: search.id }, `Search: ${searchList.nameOf(search)}`);
}

function dht(model: Model): Step {
  return stay(model, call('dht', {}, '', { show: 'dht', title: 'DHT' }));
}

const PRIORITY_STEP = 1;

function changePriority(model: Model, step: number): Step {
  const priorityOf = ({ priority }: DownloadView): number => Math.max(-100, Math.min(100, priority + step));
  return forRows(
    model,
    downloadList,
    'reorder',
    row => changeDownload(row.id, row.name, { priority: priorityOf(row) }, `priority ${priorityOf(row)} for`),
    false,
  );
}

type Position = 'top' | 'up' | 'down' | 'bottom';

/** Several keep their order: the last goes to the top first, and the lowest down first. */
function moveDownloads(model: Model, position: Position): Step {
  const placeOf = ({ position }: DownloadView): number => position ?? 0;
  const turn = position === 'top' || position === 'down' ? -1 : 1;
  const rows = listing
    .targets(model, downloadList)
    .filter(({ state }) => state !== 'completed')
    .sort((a, b) => (placeOf(a) - placeOf(b)) * turn);
  const step = forRows(
    model,
    downloadList,
    'move',
    row =>
      changeDownload(
        row.id,
        row.name,
        { position },
        `moved ${position === 'top' || position === 'bottom' ? `to the ${position}` : position}:`,
      ),
    false,
    rows,
  );
  // moved again and again with the same marks
  return { ...step, model: { ...step.model, lists: { ...step.model.lists, downloads: model.lists.downloads } } };
}

function stepView(model: Model, step: number): Step {
  const at = views.findIndex(({ id }) => id === model.view);
  const next = views[(at + step + views.length) % views.length];
  return stay(next === undefined ? model : { ...model, view: next.id, second: false });
}

const inList =
  (change: (model: Model, list: AnyList) => Model) =>
  (model: Model): Step => {
    const list = listOf(model);
    return stay(list === null ? model : change(model, list));
  };

export function quit(model: Model): Step {
  if (model.waiting === 0) return stay(model, { type: 'quit' });
  const text = `Quit before ${model.waiting === 1 ? 'a call has' : `${model.waiting} calls have`} been answered?`;
  return stay({
    ...model,
    question: { text, about: ['The daemon completes them.'], effects: [{ type: 'quit' }], list: null },
  });
}

export const actions: Readonly<Record<ActionId, (model: Model) => Step>> = {
  help: model => stay({ ...model, help: 0 }),
  command: model => stay(openPrompt(model, 'command')),
  quit,
  nextView: model => stepView(model, 1),
  previousView: model => stepView(model, -1),
  otherList: model => stay(viewRow(model.view).lists.length > 1 ? { ...model, second: !model.second } : model),
  fleet: model => stay(model, { type: 'fleet' }),
  nextContext: model => {
    if (model.contexts.length < 2)
      return stay(withToast(model, 'only one daemon: repeat --api or --context for more, or give --fleet'));
    return stay({ ...model, context: (model.context + 1) % model.contexts.length, paused: null });
  },
  mouse: model => {
    const on = !model.mouse;
    const said = on ? 'the dashboard uses the mouse' : 'the terminal has the mouse: select and copy as usual';
    return stay(withToast({ ...model, mouse: on }, said), { type: 'mouse', on });
  },
  range: model => {
    const next = RANGES[(RANGES.indexOf(model.range) + 1) % RANGES.length] ?? 'minute';
    return stay({ ...model, range: next });
  },
  redraw: model => stay(model, { type: 'redraw' }),

  down: inList((model, list) => listing.moveBy(model, list, 1)),
  up: inList((model, list) => listing.moveBy(model, list, -1)),
  pageDown: inList((model, list) => listing.moveBy(model, list, listing.pageRows(model))),
  pageUp: inList((model, list) => listing.moveBy(model, list, -listing.pageRows(model))),
  first: inList((model, list) => listing.moveTo(model, list, 0)),
  last: inList((model, list) => listing.moveTo(model, list, Number.MAX_SAFE_INTEGER)),
  details: model => stay({ ...model, details: !(model.details ?? model.rows >= 32) }),
  filter: model => {
    const list = listOf(model);
    return stay(list === null ? model : openPrompt(model, 'filter', model.lists[list.id].filter));
  },
  sortNext: inList((model, list) => listing.sortStep(model, list, 1)),
  sortPrevious: inList((model, list) => listing.sortStep(model, list, -1)),
  sortReverse: inList(listing.sortTurned),
  mark: inList(listing.markUnder),
  markAll: inList(listing.markAll),
  markNone: inList(listing.unmark),
  clear: inList((model, list) =>
    model.lists[list.id].filter === '' ? listing.unmark(model, list) : listing.withList(model, list, { filter: '' }),
  ),
  copy: model => {
    const list = listOf(model);
    if (list === null) return stay(model);
    const texts = listing.targets(model, list).map(list.copy ?? list.nameOf);
    if (texts.length === 0) return stay(withToast(model, 'nothing to copy here'));
    const said = texts.length === 1 ? `copied ${texts[0]}` : `copied ${texts.length} lines`;
    return stay(withToast(model, said), { type: 'copy', text: texts.join('\n') });
  },

  copyMagnet: model => {
    const list = listOf(model);
    const links = list === null ? [] : listing.targets(model, list).map(row => list.magnet?.(row) ?? null);
    const texts = links.filter(link => link !== null);
    if (texts.length === 0) return stay(withToast(model, 'no magnet link without a hash'));
    const said = texts.length === 1 ? `copied ${texts[0]}` : `copied ${texts.length} magnet links`;
    return stay(withToast(model, said), { type: 'copy', text: texts.join('\n') });
  },

  why,
  dht,
  block: model =>
    model.view === 'peers'
      ? blockHosts(
          model,
          listing.targets(model, peerList).map(({ address }) => hostOf(address)),
        )
      : blockHosts(
          model,
          listing.targets(model, hostList).map(({ address }) => hostOf(address)),
        ),

  newSearch: model => stay(openPrompt(model, 'command', 'search ')),
  connect: model => stay(openPrompt(model, 'command', 'connect ')),
  connectHosts: model => forRows(model, hostList, 'connect to', ({ address }) => connectTo(address), false),
  disconnect: model => forRows(model, peerList, 'disconnect', ({ id, address }) => disconnectPeer(id, address), true),
  browse: model => {
    const list = listOf(model);
    const address =
      list?.id === 'peers'
        ? listing.rowUnder(model, peerList)?.address
        : list?.id === 'hosts'
          ? listing.rowUnder(model, hostList)?.address
          : listing.rowUnder(model, resultList)?.sources.find(({ push }) => !push)?.address;
    if (address === undefined) return stay(withToast(model, 'no servent with an address here'));
    return stay({ ...model, view: 'searches', second: true }, browseAt(address));
  },

  pauseQueries: model => stay({ ...model, paused: model.paused === null ? worldOf(model).queries : null }),
  searchThis: model => {
    const query = listing.rowUnder(model, queryList);
    if (query === undefined) return stay(withToast(model, 'no query here'));
    if (query.text !== '') return stay(openPrompt(model, 'command', `search ${query.text}`));
    const urn = query.urns[0];
    return stay(urn === undefined ? model : openPrompt(model, 'command', `search --urn ${urn}`));
  },

  openResults: model => stay({ ...model, second: true }),
  removeSearch: model =>
    forRows(
      model,
      searchList,
      'remove',
      row => call('removeSearch', { id: row.id }, `removed the search for ${searchList.nameOf(row)}`),
      true,
    ),
  download: model => {
    const search = openSearch(model);
    if (search === undefined) return stay(withToast(model, 'no search here'));
    return forRows(
      model,
      resultList,
      'download',
      row => startDownload({ search: search.id, result: row.id }, row.name),
      listing.targets(model, resultList).length > 1,
    );
  },

  pause: model =>
    forRows(
      model,
      downloadList,
      'pause',
      row => changeDownload(row.id, row.name, { state: 'paused' }, 'paused'),
      false,
    ),
  resume: model =>
    forRows(
      model,
      downloadList,
      'resume',
      row => changeDownload(row.id, row.name, { state: 'active' }, 'resumed'),
      false,
    ),
  raise: model => changePriority(model, PRIORITY_STEP),
  lower: model => changePriority(model, -PRIORITY_STEP),
  moveTop: model => moveDownloads(model, 'top'),
  moveUp: model => moveDownloads(model, 'up'),
  moveDown: model => moveDownloads(model, 'down'),
  moveBottom: model => moveDownloads(model, 'bottom'),
  verify: model => forRows(model, downloadList, 'verify', ({ id, name }) => verifyDownload(id, name), false),
  clearDone: model => stay(model, clearDone()),
  cancel: model => forRows(model, downloadList, 'cancel', row => cancelDownload(row.id, row.name), true),
  cancelUpload: model =>
    forRows(
      model,
      uploadList,
      'break off',
      row => call('cancelUpload', { id: row.id }, `cancelled ${row.name} to ${row.address}`),
      true,
    ),

  share: model => stay(openPrompt(model, 'command', 'share ')),
  unshare: model => forRows(model, folderList, 'unshare', row => unshareFolder(row.id, row.path), true),
  rescan: model => stay(model, rescanAll()),
  endScans: model => stay(model, endScans()),
  editSetting: model => {
    const setting = listing.rowUnder(model, configList);
    if (setting === undefined) return stay(model);
    const value = Array.isArray(setting.value) ? setting.value.join(',') : settingText(setting.value);
    return stay(openPrompt(model, 'command', `config set ${setting.key} ${value}`));
  },
};
