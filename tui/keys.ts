// The one table of keys: what is pressed, where, what it does. Help screen, hints and docs/dashboard.md are written from it.
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
  | 'cancelUpload'
  | 'share'
  | 'unshare'
  | 'rescan'
  | 'editSetting';

export interface Binding {
  readonly keys: readonly string[];
  readonly action: ActionId;
  /** `everywhere`, wherever there is a list, or with these lists or views. */
  readonly where: 'everywhere' | 'lists' | readonly (ListId | ViewId)[];
  /** One word or two at the bottom of the screen; without it the key is not shown there. */
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
    help: 'list what that servent shares',
  },

  {
    keys: ['B'],
    action: 'block',
    where: ['peers', 'hosts'],
    hint: 'block',
    help: 'have nothing to do with the address: gnutella.block, at once and for good',
  },

  {
    keys: ['w'],
    action: 'why',
    where: ['overview', 'peers', 'searches', 'results', 'downloads'],
    hint: 'why',
    help: 'why it is as it is: our role, handshakes that failed, a search, a download',
  },

  {
    keys: ['p'],
    action: 'pauseQueries',
    where: ['queries'],
    hint: 'freeze',
    help: 'freeze the stream, or let it go on',
  },
  {
    keys: ['S'],
    action: 'searchThis',
    where: ['queries'],
    hint: 'search this',
    help: 'search for what the query asks',
  },
  {
    keys: ['t'],
    action: 'range',
    where: ['overview', 'queries'],
    hint: 'time',
    help: 'graphs of a minute, an hour, a day',
  },

  { keys: ['enter'], action: 'openResults', where: ['searches'], hint: 'results', help: 'go to what the search found' },
  {
    keys: ['x', 'delete'],
    action: 'removeSearch',
    where: ['searches'],
    hint: 'remove',
    help: 'stop the search and forget its results',
  },
  { keys: ['d'], action: 'download', where: ['results'], hint: 'download', help: 'download the result, or all marked' },

  { keys: ['p'], action: 'pause', where: ['downloads'], hint: 'pause', help: 'pause' },
  { keys: ['r'], action: 'resume', where: ['downloads'], hint: 'resume', help: 'resume, or try a failed one again' },
  { keys: ['+', '='], action: 'raise', where: ['downloads'], hint: 'sooner', help: 'raise the priority' },
  { keys: ['-'], action: 'lower', where: ['downloads'], hint: 'later', help: 'lower the priority' },
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
    help: 'break off an upload, or take it from the queue',
  },

  {
    keys: ['a'],
    action: 'share',
    where: ['folders', 'files'],
    hint: 'share',
    help: 'share a folder of the machine that the daemon runs on',
  },
  {
    keys: ['x', 'delete'],
    action: 'unshare',
    where: ['folders'],
    hint: 'unshare',
    help: 'stop sharing the folder; its files stay where they are',
  },
  {
    keys: ['r'],
    action: 'rescan',
    where: ['folders', 'files'],
    hint: 'rescan',
    help: 'look through the shared folders for changes',
  },

  { keys: ['e'], action: 'editSetting', where: ['config'], hint: 'edit', help: 'change the value' },

  { keys: ['space'], action: 'mark', where: 'lists', hint: 'mark', help: 'mark the row, or take its mark off' },
  { keys: ['A'], action: 'markAll', where: 'lists', help: 'mark all rows that the filter shows' },
  { keys: ['U'], action: 'markNone', where: 'lists', help: 'take all marks off' },
  {
    keys: ['/'],
    action: 'filter',
    where: 'lists',
    hint: 'filter',
    help: 'show only rows with these words, !word for those without, or size>1MiB, state=paused; Tab completes',
  },
  { keys: ['<', ','], action: 'sortPrevious', where: 'lists', help: 'sort by the column before' },
  { keys: ['>', '.'], action: 'sortNext', where: 'lists', hint: 'sort', help: 'sort by the next column' },
  { keys: ['R'], action: 'sortReverse', where: 'lists', help: 'turn the order round' },
  { keys: ['enter'], action: 'details', where: 'lists', hint: 'details', help: 'show or hide the details of the row' },
  { keys: ['y'], action: 'copy', where: 'lists', help: 'copy address, name or hash to the clipboard' },
  {
    keys: ['Y'],
    action: 'copyMagnet',
    where: ['results', 'downloads', 'files', 'uploads'],
    help: 'copy a magnet link to the clipboard',
  },
  { keys: ['escape'], action: 'clear', where: 'lists', help: 'take off the filter, then the marks' },
  {
    keys: ['tab', 'S-tab'],
    action: 'otherList',
    where: ['searches', 'results', 'folders', 'files'],
    help: 'change over to the other list',
  },

  { keys: ['down', 'j'], action: 'down', where: 'lists', help: 'next row' },
  { keys: ['up', 'k'], action: 'up', where: 'lists', help: 'row before' },
  { keys: ['pagedown', 'C-f', 'C-d'], action: 'pageDown', where: 'lists', help: 'next page' },
  { keys: ['pageup', 'C-b', 'C-u'], action: 'pageUp', where: 'lists', help: 'page before' },
  { keys: ['home', 'g'], action: 'first', where: 'lists', help: 'first row, and stay there' },
  { keys: ['end', 'G'], action: 'last', where: 'lists', help: 'last row' },

  { keys: ['s'], action: 'newSearch', where: 'everywhere', hint: 'search', help: 'search the network' },
  {
    keys: [':'],
    action: 'command',
    where: 'everywhere',
    hint: 'command',
    help: 'the words of the command line; Tab completes',
  },
  { keys: ['?', 'f1'], action: 'help', where: 'everywhere', hint: 'help', help: 'this help' },
  {
    keys: ['q', 'C-c'],
    action: 'quit',
    where: 'everywhere',
    hint: 'quit',
    help: 'leave the dashboard; the daemon goes on',
  },
  { keys: ['right', 'l'], action: 'nextView', where: 'everywhere', help: 'next view' },
  { keys: ['left', 'h'], action: 'previousView', where: 'everywhere', help: 'view before' },
  {
    keys: ['C'],
    action: 'nextContext',
    where: 'everywhere',
    help: 'look at the next daemon, when several were given with --api',
  },
  {
    keys: ['M'],
    action: 'mouse',
    where: 'everywhere',
    help: 'let go of the mouse, so that the terminal can select text, or take it again',
  },
  { keys: ['C-l'], action: 'redraw', where: 'everywhere', help: 'draw the screen anew' },
];

/** What a key does with this list in this view. More particular places come first in the table. */
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

/** As it is written on the key. */
export function keyName(key: string): string {
  return NAMES[key] ?? (key.startsWith('C-') ? `Ctrl-${key.slice(2).toUpperCase()}` : key);
}
