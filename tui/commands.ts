// Parses and runs commands typed after `:`, those of the command line and some of the dashboard. Pure.

import { counted } from '../api/format.ts';
import { addressOrNull } from '../protocol/wire/endpoint.ts';
import { linkIn } from '../protocol/wire/pasted-link.ts';
import {
  blockHosts,
  browseAt,
  cancelDownload,
  changeConfig,
  changeDownload,
  clearDone,
  connectTo,
  disconnectPeer,
  endScans,
  excludeFrom,
  previewFolder,
  quit,
  rescanAll,
  searchFor,
  searchUrn,
  shareFolder,
  startDownload,
  together,
  unshareFolder,
  verifyDownload,
  withToast,
} from './actions.ts';
import * as listing from './listing.ts';
import { matcher } from './match.ts';
import { type Call, type Effect, type Model, type Step, stay, type ViewId, worldOf } from './model.ts';
import { RANGES, type Range } from './range.ts';
import { listOf } from './views/all.ts';

export interface CommandRow {
  readonly word: string;
  /** Arguments, as in a usage line. */
  readonly takes: string;
  readonly help: string;
  readonly run: (model: Model, rest: string) => Step;
  /** Completions of the last word. */
  readonly offers?: (model: Model, rest: string) => readonly string[];
}

const wrong = (model: Model, text: string): Step => stay(withToast(model, text, 'bad'));
const need =
  (what: string, run: (model: Model, rest: string) => Step) =>
  (model: Model, rest: string): Step =>
    rest === '' ? wrong(model, `say ${what}`) : run(model, rest);

const show =
  (view: ViewId): CommandRow['run'] =>
  model =>
    stay({ ...model, view, second: false });

const downloadIds = (model: Model): string[] => worldOf(model).downloads.map(({ id }) => id);

/** Parses `pause ID ID…`; each must be a download. */
const withDownloads = (callOf: (id: string, name: string) => Call) =>
  need('the id or name of a download', (model, rest) => {
    const { downloads } = worldOf(model);
    const named = downloads.filter(({ name }) => name === rest);
    const ids = named.length > 0 ? named.map(({ id }) => id) : rest.split(/\s+/);
    const calls: Call[] = [];
    for (const id of ids) {
      const found = downloads.find(download => download.id === id);
      if (found === undefined) return wrong(model, `no download ${id}: 5 lists them`);
      calls.push({ ...callOf(id, found.name), title: found.name });
    }
    return { model, effects: together(calls, `${counted(calls.length, 'download')}: done`) };
  });

const addressed = (effectOf: (address: string) => Effect) =>
  need('an address, as HOST or HOST:PORT', (model, rest) => {
    const address = addressOrNull(rest);
    return address === null ? wrong(model, `expected HOST or HOST:PORT, got ${rest}`) : stay(model, effectOf(address));
  });

const hostAddresses = (model: Model): string[] => worldOf(model).hosts.map(({ address }) => address);

function download(model: Model, rest: string): Step {
  const link = linkIn(rest);
  if (link?.startsWith('magnet:') === true) return stay(model, startDownload({ magnet: link }, 'the magnet link'));
  if (link !== null) return stay(model, startDownload({ urn: link }, link));
  const { resultsOf, results } = worldOf(model);
  const slash = rest.indexOf('/');
  const search = slash > 0 ? rest.slice(0, slash) : resultsOf;
  const result = slash > 0 ? rest.slice(slash + 1) : rest;
  if (search === null) return wrong(model, 'expected a magnet link, a URN, or SEARCH/RESULT');
  const name = results.find(({ id }) => id === result)?.name ?? result;
  return stay(model, startDownload({ search, result }, name));
}

function search(model: Model, rest: string): Step {
  const urn = /^--urn\s+(\S+)$/.exec(rest)?.[1] ?? linkIn(rest);
  return stay({ ...model, view: 'searches', second: true }, urn === null ? searchFor(rest) : searchUrn(urn));
}

function disconnect(model: Model, rest: string): Step {
  const peer = worldOf(model).peers.find(({ id, address }) => id === rest || address === rest);
  if (peer === undefined) return wrong(model, `no peer ${rest}: 2 lists them`);
  return stay(model, disconnectPeer(peer.id, peer.address));
}

/** Parses `DIR [PATTERN…]`; the path may contain blanks. */
function exclude(model: Model, rest: string): Step {
  const folder = worldOf(model).folders.find(({ id, path }) =>
    [id, path].some(name => rest === name || rest.startsWith(`${name} `)),
  );
  if (folder === undefined) return wrong(model, `${rest} does not begin with a shared folder: 7 lists them`);
  const { id, path } = folder;
  const patterns = rest.slice((rest.startsWith(path) ? path : id).length).split(' ');
  return stay(
    model,
    excludeFrom(
      id,
      path,
      patterns.filter(pattern => pattern !== ''),
    ),
  );
}

function unshare(model: Model, rest: string): Step {
  const folder = worldOf(model).folders.find(({ id, path }) => id === rest || path === rest);
  if (folder === undefined) return wrong(model, `${rest} is not shared: 7 lists shared folders`);
  return stay(model, unshareFolder(folder.id, folder.path));
}

function config(model: Model, rest: string): Step {
  const [verb = '', key = '', ...more] = rest.split(/\s+/);
  if (verb === '') return show('config')(model, '');
  if (verb !== 'get' && verb !== 'set') return wrong(model, 'expected config get KEY, or config set KEY VALUE');
  const setting = worldOf(model).config?.settings.find(row => row.key === key);
  if (setting === undefined)
    return wrong(model, key === '' ? 'expected a setting: 0 lists them' : `no setting ${key}: 0 lists them`);
  if (verb === 'get') return stay(withToast(model, `${key}: ${JSON.stringify(setting.value)} (${setting.origin})`));
  const value = settingValue(more.join(' '), setting.value);
  const patch = key.split('.').reduceRight<unknown>((inner, part) => ({ [part]: inner }), value) as object;
  return stay(model, changeConfig(patch, `Change ${key}?`));
}

/** Parses a value as the type of the current one; `default` removes it from the file. */
export function settingValue(text: string, before: unknown): unknown {
  if (text === 'default') return null;
  if (Array.isArray(before)) return text === '' || text === 'none' ? [] : text.split(',').map(item => item.trim());
  if (typeof before === 'number' && text !== '' && Number.isFinite(Number(text))) return Number(text);
  if (typeof before === 'boolean' && /^(true|yes|on)$/i.test(text)) return true;
  if (typeof before === 'boolean' && /^(false|no|off)$/i.test(text)) return false;
  return text;
}

function sort(model: Model, rest: string): Step {
  const list = listOf(model);
  if (list === null) return wrong(model, 'nothing to sort here');
  const [id = '', direction] = rest.split(/\s+/);
  const column = list.columns.find(column => column.id === id || column.title.toLowerCase() === id.toLowerCase());
  if (column === undefined)
    return wrong(model, `no column ${id}: columns are ${list.columns.map(column => column.id).join(', ')}`);
  return stay(listing.sortBy(model, list, { column: column.id, descending: direction === 'desc' }));
}

/** Parses `columns name,size`, `columns -urn` and `columns all`. */
function columns(model: Model, rest: string): Step {
  const list = listOf(model);
  if (list === null) return wrong(model, 'no list here');
  if (rest === 'all') return stay(listing.withList(model, list, { columns: null }));
  const known = list.columns.map(({ id }) => id);
  const words = rest.split(/[\s,]+/);
  const strange = words.find(word => !known.includes(word.replace(/^-/, '')));
  if (strange !== undefined) return wrong(model, `no column ${strange}: columns are ${known.join(', ')}`);
  const without = words.filter(word => word.startsWith('-')).map(word => word.slice(1));
  const named = words.filter(word => !word.startsWith('-'));
  const before = model.lists[list.id].columns ?? known;
  const shown = (named.length > 0 ? named : before).filter(id => !without.includes(id));
  if (shown.length === 0) return wrong(model, 'expected at least one column');
  return stay(listing.withList(model, list, { columns: shown }));
}

export const commandRows: readonly CommandRow[] = [
  { word: 'search', takes: 'WORDS… | --urn URN', help: 'search the network', run: need('words to search for', search) },
  {
    word: 'browse',
    takes: 'HOST[:PORT]',
    help: 'list the files of a servent',
    run: addressed(browseAt),
    offers: hostAddresses,
  },
  {
    word: 'connect',
    takes: 'HOST[:PORT]',
    help: 'connect to a servent',
    run: addressed(connectTo),
    offers: hostAddresses,
  },
  {
    word: 'disconnect',
    takes: 'ID | HOST:PORT',
    help: 'close an overlay connection',
    run: need('which peer', disconnect),
    offers: model => worldOf(model).peers.map(({ address }) => address),
  },
  {
    word: 'download',
    takes: 'RESULT | MAGNET | URN',
    help: 'queue a download',
    run: need('a magnet link, a URN, or SEARCH/RESULT', download),
    offers: model => worldOf(model).results.map(({ id }) => id),
  },
  {
    word: 'pause',
    takes: 'ID…',
    help: 'pause downloads',
    run: withDownloads((id, name) => changeDownload(id, name, { state: 'paused' }, 'paused')),
    offers: downloadIds,
  },
  {
    word: 'resume',
    takes: 'ID…',
    help: 'resume downloads',
    run: withDownloads((id, name) => changeDownload(id, name, { state: 'active' }, 'resumed')),
    offers: downloadIds,
  },
  { word: 'cancel', takes: 'ID…', help: 'cancel downloads', run: withDownloads(cancelDownload), offers: downloadIds },
  {
    word: 'move',
    takes: 'ID… top|up|down|bottom',
    help: 'move downloads among those of the same priority',
    run: need('the ids of downloads, and where to', (model, rest) => {
      const [, ids = '', position] = /^(.*?)\s+(top|up|down|bottom)$/.exec(rest) ?? [];
      if (position === undefined) return wrong(model, 'expected top, up, down or bottom as the last word');
      return withDownloads((id, name) => changeDownload(id, name, { position }, `moved ${position}:`))(model, ids);
    }),
    offers: model => [...downloadIds(model), 'top', 'up', 'down', 'bottom'],
  },
  {
    word: 'verify',
    takes: 'ID…',
    help: 'look through the bytes of downloads again',
    run: withDownloads(verifyDownload),
    offers: downloadIds,
  },
  { word: 'clear', takes: '', help: 'forget completed downloads', run: model => stay(model, clearDone()) },
  {
    word: 'share',
    takes: 'DIR',
    help: 'share a folder on the machine of the daemon',
    run: need('which folder', (model, rest) => stay(model, shareFolder(rest))),
  },
  {
    word: 'preview',
    takes: 'DIR',
    help: 'show the files of a folder others would see, and those left out by each rule',
    run: need('which folder', (model, rest) => stay(model, previewFolder(rest))),
  },
  {
    word: 'exclude',
    takes: 'DIR [PATTERN…]',
    help: 'set the gitignore patterns of files left out of a folder; none: leave out nothing',
    run: need('which folder', exclude),
    offers: model => worldOf(model).folders.map(({ path }) => path),
  },
  {
    word: 'unshare',
    takes: 'DIR',
    help: 'stop sharing a folder',
    run: need('which folder', unshare),
    offers: model => worldOf(model).folders.map(({ path }) => path),
  },
  { word: 'rescan', takes: '', help: 'scan the shared folders for changes', run: model => stay(model, rescanAll()) },
  { word: 'end-scans', takes: '', help: 'end scans and hashing', run: model => stay(model, endScans()) },
  {
    word: 'config',
    takes: 'get KEY | set KEY VALUE',
    help: 'show or change a setting; VALUE default removes it from the file',
    run: config,
    offers: (model, rest) =>
      /\s/.test(rest) ? (worldOf(model).config?.settings.map(({ key }) => key) ?? []) : ['get', 'set'],
  },
  { word: 'status', takes: '', help: 'the overview', run: show('overview') },
  { word: 'peers', takes: '', help: 'show overlay connections', run: show('peers') },
  { word: 'queries', takes: '', help: 'show received queries', run: show('queries') },
  { word: 'searches', takes: '', help: 'show own searches', run: show('searches') },
  { word: 'downloads', takes: '', help: 'the downloads', run: show('downloads') },
  {
    word: 'finished',
    takes: '',
    help: 'finished transfers',
    run: model => stay({ ...model, view: 'downloads', second: true }),
  },
  { word: 'uploads', takes: '', help: 'the uploads', run: show('uploads') },
  { word: 'library', takes: '', help: 'show shared folders and files', run: show('library') },
  { word: 'hosts', takes: '', help: 'show the host cache', run: show('hosts') },
  { word: 'log', takes: '', help: 'the log', run: show('log') },
  {
    word: 'sort',
    takes: 'COLUMN [desc]',
    help: 'sort the list',
    run: need('which column', sort),
    offers: (model, rest) => (/\s/.test(rest) ? ['desc'] : (listOf(model)?.columns.map(({ id }) => id) ?? [])),
  },
  {
    word: 'columns',
    takes: 'all | NAME… | -NAME…',
    help: 'choose the columns of the list; they are remembered',
    run: need('which columns', columns),
    offers: model => ['all', ...(listOf(model)?.columns.map(({ id }) => id) ?? [])],
  },
  {
    word: 'block',
    takes: 'ADDRESS[/BITS]…',
    help: 'block addresses',
    run: need('which address', (model, rest) => blockHosts(model, rest.split(/\s+/))),
    offers: model => worldOf(model).peers.map(({ address }) => address.replace(/:\d+$/, '')),
  },
  {
    word: 'filter',
    takes: '[WORDS…]',
    help: 'show only rows that match',
    run: (model, rest) => {
      const list = listOf(model);
      if (list === null) return wrong(model, 'nothing to filter here');
      const { fault } = matcher(rest, list.fields, model.now);
      return fault === null ? stay(listing.withList(model, list, { filter: rest })) : wrong(model, fault);
    },
  },
  {
    word: 'context',
    takes: 'NAME',
    help: 'change to another daemon',
    run: need('which daemon', (model, rest) => {
      const at = model.contexts.findIndex(({ name, url }) => name === rest || url === rest);
      return at < 0 ? wrong(model, `no daemon ${rest}`) : stay({ ...model, context: at, paused: null });
    }),
    offers: model => model.contexts.map(({ name }) => name),
  },
  {
    word: 'range',
    takes: RANGES.join(' | '),
    help: 'set the period of the graphs',
    run: (model, rest) =>
      (RANGES as readonly string[]).includes(rest)
        ? stay({ ...model, range: rest as Range })
        : wrong(model, `expected one of ${RANGES.join(', ')}`),
    offers: () => RANGES,
  },
  {
    word: 'mouse',
    takes: 'on | off',
    help: 'use the mouse, or leave it to the terminal',
    run: (model, rest) => {
      if (rest !== 'on' && rest !== 'off') return wrong(model, 'expected on or off');
      return stay({ ...model, mouse: rest === 'on' }, { type: 'mouse', on: rest === 'on' });
    },
    offers: () => ['on', 'off'],
  },
  { word: 'help', takes: '', help: 'show all keys and commands', run: model => stay({ ...model, help: 0 }) },
  { word: 'quit', takes: '', help: 'quit the dashboard; the daemon keeps running', run: quit },
];

/** Runs a line; a command may be shortened to an unambiguous prefix. */
export function runCommand(model: Model, line: string): Step {
  const text = line.trim();
  if (text === '') return stay(model);
  const [word = ''] = text.split(/\s/, 1);
  const rest = text.slice(word.length).trim();
  const row = commandRows.find(row => row.word === word);
  if (row !== undefined) return row.run(model, rest);
  const near = commandRows.filter(row => row.word.startsWith(word));
  const [only] = near;
  if (only !== undefined && near.length === 1) return only.run(model, rest);
  const more = near.length > 1 ? `: ${near.map(row => row.word).join(', ')}?` : ': ? lists them';
  return wrong(model, `no command ${word}${more}`);
}

/** Completions of the last word, and the line before it. */
export function completions(model: Model, line: string): { stem: string; items: readonly string[] } {
  const begun = /\S*$/.exec(line)?.[0] ?? '';
  const stem = line.slice(0, line.length - begun.length);
  const [word = ''] = stem.trim().split(/\s/, 1);
  if (word === '') return { stem, items: commandRows.map(row => row.word).filter(item => item.startsWith(begun)) };
  const row = commandRows.find(row => row.word === word);
  const rest = line.trimStart().slice(word.length).trimStart();
  const offered = row?.offers?.(model, rest) ?? [];
  const lower = begun.toLowerCase();
  return { stem, items: offered.filter(item => item.toLowerCase().startsWith(lower)).slice(0, OFFERED_MAX) };
}

const OFFERED_MAX = 200;

const FIELD_AND_VALUE = /^([\w.]+)(=|!=)(\w*)$/;

/** Completes field names, and values of fields with few values. */
export function filterCompletions(model: Model, line: string): { stem: string; items: readonly string[] } {
  const begun = /[^\s(!]*$/.exec(line)?.[0] ?? '';
  const stem = line.slice(0, line.length - begun.length);
  const fields = listOf(model)?.fields ?? new Map();
  const [, path = '', operator = ''] = FIELD_AND_VALUE.exec(begun) ?? [];
  const field = fields.get(path);
  const items =
    field === undefined
      ? [...fields.keys()]
      : [...field.choices, ...(field.kind === 'boolean' ? ['true', 'false'] : [])].map(
          choice => `${path}${operator}${choice}`,
        );
  const lower = begun.toLowerCase();
  return { stem, items: items.filter(item => item.toLowerCase().startsWith(lower)) };
}
