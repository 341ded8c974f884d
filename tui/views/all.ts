// Table of views in the order of their keys, and of lists by name.
import type { ListId, Model, ViewId, World } from '../model.ts';
import type { View } from '../stage.ts';
import { type AnyList, anyList } from '../table.ts';
import { configList, configView } from './config.ts';
import { downloadList, downloadsView } from './downloads.ts';
import { hostList, hostsView } from './hosts.ts';
import { fileList, folderList, libraryView } from './library.ts';
import { logList, logView } from './log.ts';
import { overviewView } from './overview.ts';
import { pastList } from './past.ts';
import { peerList, peersView } from './peers.ts';
import { queriesView, queryList } from './queries.ts';
import { resultList, searchesView, searchList } from './searches.ts';
import { uploadList, uploadsView } from './uploads.ts';

export interface ViewRow {
  readonly id: ViewId;
  readonly title: string;
  /** Short title for 80 columns. */
  readonly short: string;
  readonly key: string;
  readonly view: View;
  /** Lists of the view; Tab changes between them. */
  readonly lists: readonly ListId[];
  readonly about: string;
  /** Number beside the title. */
  readonly count?: (world: World) => number;
}

export const views: readonly ViewRow[] = [
  {
    id: 'overview',
    title: 'Overview',
    short: 'Home',
    key: '1',
    view: overviewView,
    lists: [],
    about: 'role, peers, rates, graphs, drops by reason, notes',
  },
  {
    id: 'peers',
    title: 'Peers',
    short: 'Peers',
    key: '2',
    view: peersView,
    lists: ['peers'],
    about: 'overlay connections with their traffic',
    count: world => world.peers.length,
  },
  {
    id: 'queries',
    title: 'Queries',
    short: 'Queries',
    key: '3',
    view: queriesView,
    lists: ['queries'],
    about: 'live queries, with top words, hops and TTL',
  },
  {
    id: 'searches',
    title: 'Searches',
    short: 'Search',
    key: '4',
    view: searchesView,
    lists: ['searches', 'results'],
    about: 'own searches and their results, grouped by content',
    count: world => world.searches.length,
  },
  {
    id: 'downloads',
    title: 'Downloads',
    short: 'Down',
    key: '5',
    view: downloadsView,
    lists: ['downloads', 'past'],
    about: 'progress, sources and reasons for waiting; finished transfers',
    count: world => world.downloads.length,
  },
  {
    id: 'uploads',
    title: 'Uploads',
    short: 'Up',
    key: '6',
    view: uploadsView,
    lists: ['uploads'],
    about: 'uploads and the upload queue',
    count: world => world.uploads.length,
  },
  {
    id: 'library',
    title: 'Library',
    short: 'Files',
    key: '7',
    view: libraryView,
    lists: ['folders', 'files'],
    about: 'shared folders and files',
  },
  {
    id: 'hosts',
    title: 'Hosts',
    short: 'Hosts',
    key: '8',
    view: hostsView,
    lists: ['hosts'],
    about: 'the host cache',
  },
  {
    id: 'log',
    title: 'Log',
    short: 'Log',
    key: '9',
    view: logView,
    lists: ['log'],
    about: 'log of the daemon and of the dashboard',
  },
  {
    id: 'config',
    title: 'Config',
    short: 'Config',
    key: '0',
    view: configView,
    lists: ['config'],
    about: 'values in force and their sources',
  },
];

const FIRST = views[0] as ViewRow;
export const viewRow = (id: ViewId): ViewRow => views.find(row => row.id === id) ?? FIRST;

export const lists: Readonly<Record<ListId, AnyList>> = {
  peers: anyList(peerList),
  queries: anyList(queryList),
  searches: anyList(searchList),
  results: anyList(resultList),
  downloads: anyList(downloadList),
  uploads: anyList(uploadList),
  past: anyList(pastList),
  folders: anyList(folderList),
  files: anyList(fileList),
  hosts: anyList(hostList),
  log: anyList(logList),
  config: anyList(configList),
};

/** The list with the focus; null in the overview. */
export function listOf(model: Model): AnyList | null {
  const ids = viewRow(model.view).lists;
  const id = ids[model.second ? 1 : 0] ?? ids[0];
  return id === undefined ? null : lists[id];
}
