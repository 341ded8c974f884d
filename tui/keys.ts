// Table of keys and their actions; help screen, hints and docs/dashboard.md are generated from it.
import type { ListId, ViewId } from './model.ts';

export type ActionId =
  | 'help'
  | 'command'
  | 'quit'
  | 'nextView'
  | 'previousView'
  | 'otherList'
  | 'nextContext'
  | 'mouse'
  | 'range'
  | 'redraw'
  | 'down'
  | 'up'
  | 'pageDown'
  | 'pageUp'
  | 'first'
  | 'last'
  | 'details'
  | 'filter'
  | 'sortNext'
  | 'sortPrevious'
  | 'sortReverse'
  | 'mark'
  | 'markAll'
  | 'markNone'
  | 'clear'
  | 'copy'
  | 'copyMagnet'
  | 'why'
  | 'dht'
  | 'fleet'
  | 'block'
  | 'newSearch'
  | 'connect'
  | 'connectHosts'
  | 'disconnect'
  | 'pauseQueries'
  | 'searchThis'
  | 'removeSearch'
  | 'openResults'
  | 'download'
  | 'browse'
  | 'pause'
  | 'resume'
  | 'cancel'
  | 'raise'
  | 'lower'
  | 'moveTop'
  | 'moveUp'
  | 'moveDown'
  | 'moveBottom'
  | 'verify'
  | 'clearDone'
  | 'cancelUpload'
  | 'share'
  | 'unshare'
  | 'rescan'
  | 'endScans'
  | 'editSetting';

export interface Binding {
  readonly keys: readonly string[];
  readonly action: ActionId;
  /** Everywhere, in every list, or in these lists and views. */
  readonly where: 'everywhere' | 'lists' | readonly (ListId | ViewId)[];
  /** Text of at most two words at the bottom of the screen; absent: not shown there. */
  readonly hint?: string;
  readonly help: string;
}

export const bindings: readonly Binding[] = [
  {
    keys: ['c'],
    action: 'connectHosts',
    where: ['hosts'],
    hint: 'connect',
    help: 'connect to the host, or to all marked',
  },
  {
    keys: ['c'],
    action: 'connect',
    where: ['overview', 'peers'],
    hint: 'connect',
    help: 'connect to a servent by its address',
  },
  {
    keys: ['x', 'delete'],
    action: 'disconnect',
    where: ['peers'],
    hint: 'disconnect',
    help: 'say Bye and close the connection',
  },
  {
    keys: ['b'],
    action: 'browse',
    where: ['peers', 'hosts', 'results'],
    hint: 'browse',
    help: 'list the files of that servent',
  },

  {
    keys: ['B'],
    action: 'block',
    where: ['peers', 'hosts'],
    hint: 'block',
    help: 'block the address, permanently (gnutella.block)',
  },

  {
    keys: ['w'],
    action: 'why',
    where: ['overview', 'peers', 'searches', 'results', 'downloads'],
    hint: 'why',
    help: 'explain the role, failed handshakes, a search or a download',
  },
  {
    keys: ['D'],
    action: 'dht',
    where: ['overview', 'hosts'],
    hint: 'DHT',
    help: 'show the node of the DHT: its state and its buckets',
  },
  {
    keys: ['F'],
    action: 'fleet',
    where: ['overview'],
    help: 'show all daemons of this dashboard: role, connections, library, rates',
  },

  {
    keys: ['p'],
    action: 'pauseQueries',
    where: ['queries'],
    hint: 'freeze',
    help: 'freeze or resume the stream',
  },
  {
    keys: ['S'],
    action: 'searchThis',
    where: ['queries'],
    hint: 'search this',
    help: 'search for the text of the query',
  },
  {
    keys: ['t'],
    action: 'range',
    where: ['overview', 'queries'],
    hint: 'time',
    help: 'set the graphs to minute, hour, day, month or year',
  },

  { keys: ['enter'], action: 'openResults', where: ['searches'], hint: 'results', help: 'go to the results' },
  {
    keys: ['x', 'delete'],
    action: 'removeSearch',
    where: ['searches'],
    hint: 'remove',
    help: 'stop the search and delete its results',
  },
  { keys: ['d'], action: 'download', where: ['results'], hint: 'download', help: 'download the result, or all marked' },

  { keys: ['p'], action: 'pause', where: ['downloads'], hint: 'pause', help: 'pause' },
  { keys: ['r'], action: 'resume', where: ['downloads'], hint: 'resume', help: 'resume, or try a failed one again' },
  { keys: ['+', '='], action: 'raise', where: ['downloads'], hint: 'sooner', help: 'raise the priority' },
  { keys: ['-'], action: 'lower', where: ['downloads'], hint: 'later', help: 'lower the priority' },
  { keys: ['K'], action: 'moveUp', where: ['downloads'], help: 'move up among downloads of the same priority' },
  { keys: ['J'], action: 'moveDown', where: ['downloads'], help: 'move down among downloads of the same priority' },
  { keys: ['T'], action: 'moveTop', where: ['downloads'], hint: 'top', help: 'move to the top' },
  { keys: ['B'], action: 'moveBottom', where: ['downloads'], help: 'move to the bottom' },
  {
    keys: ['V'],
    action: 'verify',
    where: ['downloads'],
    help: 'look through the bytes again, finished or not; what is wrong is fetched again',
  },
  {
    keys: ['c'],
    action: 'clearDone',
    where: ['downloads'],
    hint: 'clear',
    help: 'forget completed downloads; their files stay',
  },
  {
    keys: ['x', 'delete'],
    action: 'cancel',
    where: ['downloads'],
    hint: 'cancel',
    help: 'cancel and delete the partial file; a completed file stays',
  },

  {
    keys: ['x', 'delete'],
    action: 'cancelUpload',
    where: ['uploads'],
    hint: 'break off',
    help: 'cancel an upload, running or queued',
  },

  {
    keys: ['a'],
    action: 'share',
    where: ['folders', 'files'],
    hint: 'share',
    help: 'share a folder on the machine of the daemon',
  },
  {
    keys: ['x', 'delete'],
    action: 'unshare',
    where: ['folders'],
    hint: 'unshare',
    help: 'stop sharing the folder; its files are kept',
  },
  {
    keys: ['r'],
    action: 'rescan',
    where: ['folders', 'files'],
    hint: 'rescan',
    help: 'scan the shared folders for changes',
  },
  {
    keys: ['E'],
    action: 'endScans',
    where: ['folders', 'files'],
    help: 'end scans and hashing; what was hashed stays shared',
  },

  { keys: ['e'], action: 'editSetting', where: ['config'], hint: 'edit', help: 'change the value' },

  { keys: ['space'], action: 'mark', where: 'lists', hint: 'mark', help: 'mark or unmark the row' },
  { keys: ['A'], action: 'markAll', where: 'lists', help: 'mark all rows that the filter shows' },
  { keys: ['U'], action: 'markNone', where: 'lists', help: 'remove all marks' },
  {
    keys: ['/'],
    action: 'filter',
    where: 'lists',
    hint: 'filter',
    help: 'filter rows: words, !word, size>1MiB, state=paused; Tab completes',
  },
  { keys: ['<', ','], action: 'sortPrevious', where: 'lists', help: 'sort by the previous column' },
  { keys: ['>', '.'], action: 'sortNext', where: 'lists', hint: 'sort', help: 'sort by the next column' },
  { keys: ['R'], action: 'sortReverse', where: 'lists', help: 'reverse the order' },
  { keys: ['enter'], action: 'details', where: 'lists', hint: 'details', help: 'show or hide the details of the row' },
  { keys: ['y'], action: 'copy', where: 'lists', help: 'copy address, name or hash to the clipboard' },
  {
    keys: ['Y'],
    action: 'copyMagnet',
    where: ['results', 'downloads', 'past', 'files', 'uploads'],
    help: 'copy a magnet link to the clipboard',
  },
  { keys: ['escape'], action: 'clear', where: 'lists', help: 'clear the filter, then the marks' },
  {
    keys: ['tab', 'S-tab'],
    action: 'otherList',
    where: ['searches', 'results', 'folders', 'files'],
    help: 'change to the other list',
  },
  {
    keys: ['f', 'tab', 'S-tab'],
    action: 'otherList',
    where: ['downloads', 'past'],
    hint: 'finished',
    help: 'show finished transfers, or downloads again',
  },

  { keys: ['down', 'j'], action: 'down', where: 'lists', help: 'next row' },
  { keys: ['up', 'k'], action: 'up', where: 'lists', help: 'row before' },
  { keys: ['pagedown', 'C-f', 'C-d'], action: 'pageDown', where: 'lists', help: 'next page' },
  { keys: ['pageup', 'C-b', 'C-u'], action: 'pageUp', where: 'lists', help: 'page before' },
  { keys: ['home', 'g'], action: 'first', where: 'lists', help: 'stay on the first row' },
  { keys: ['end', 'G'], action: 'last', where: 'lists', help: 'last row' },

  { keys: ['s'], action: 'newSearch', where: 'everywhere', hint: 'search', help: 'search the network' },
  {
    keys: [':'],
    action: 'command',
    where: 'everywhere',
    hint: 'command',
    help: 'enter a command; Tab completes',
  },
  { keys: ['?', 'f1'], action: 'help', where: 'everywhere', hint: 'help', help: 'this help' },
  {
    keys: ['q', 'C-c'],
    action: 'quit',
    where: 'everywhere',
    hint: 'quit',
    help: 'quit the dashboard; the daemon keeps running',
  },
  { keys: ['right', 'l'], action: 'nextView', where: 'everywhere', help: 'next view' },
  { keys: ['left', 'h'], action: 'previousView', where: 'everywhere', help: 'view before' },
  {
    keys: ['C'],
    action: 'nextContext',
    where: 'everywhere',
    help: 'change to the next daemon, with several --api or --context, or --fleet',
  },
  {
    keys: ['M'],
    action: 'mouse',
    where: 'everywhere',
    help: 'leave the mouse to the terminal to select text, or use it again',
  },
  { keys: ['C-l'], action: 'redraw', where: 'everywhere', help: 'redraw the screen' },
];

/** The binding of a key in this list and view; the table has specific places first. */
export function bindingFor(key: string, view: ViewId, list: ListId | null): Binding | undefined {
  return bindings.find(binding => binding.keys.includes(key) && applies(binding, view, list));
}

export function applies({ where }: Pick<Binding, 'where'>, view: ViewId, list: ListId | null): boolean {
  if (where === 'everywhere') return true;
  if (where === 'lists') return list !== null;
  return where.includes(list ?? view) || (list === null && where.includes(view));
}

const NAMES: Record<string, string> = {
  space: 'Space',
  enter: 'Enter',
  escape: 'Esc',
  tab: 'Tab',
  'S-tab': 'Shift-Tab',
  delete: 'Del',
  pagedown: 'PgDn',
  pageup: 'PgUp',
  home: 'Home',
  end: 'End',
  up: 'Up',
  down: 'Down',
  left: 'Left',
  right: 'Right',
  f1: 'F1',
};

/** Name of the key as shown. */
export function keyName(key: string): string {
  return NAMES[key] ?? (key.startsWith('C-') ? `Ctrl-${key.slice(2).toUpperCase()}` : key);
}
