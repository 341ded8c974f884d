// Views of hosts and files, and the fields by which large lists are filtered and sorted without building each view.
import type { FileView, HostView } from '../../api/control.ts';
import { LongList } from '../../api/long-list.ts';
import { badCursor } from '../../api/page.ts';
import type { Direct } from '../../api/reader.ts';
import type { HostRecord } from '../../protocol/overlay/neighbours/host-cache.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { formatSha1Urn } from '../../protocol/wire/urn.ts';
import type { CatalogEntry } from '../library/catalog.ts';
import type { Library } from '../library/library.ts';

export const hostFields: Direct<HostRecord> = {
  address: formatEndpoint,
  ultrapeer: ({ ultrapeer }) => ultrapeer,
  source: ({ source }) => source,
  failures: ({ failures }) => failures,
};

function isoOrNull(at: number): string | null {
  return at === 0 ? null : new Date(at).toISOString();
}

export function hostView(record: HostRecord): HostView {
  return {
    address: formatEndpoint(record),
    ultrapeer: record.ultrapeer,
    source: record.source,
    seenAt: isoOrNull(record.seenAt),
    triedAt: isoOrNull(record.triedAt),
    connectedAt: isoOrNull(record.connectedAt),
    failures: record.failures,
  };
}

/** Cursors of the file list: the start time of the daemon and a file index. Indices differ from one run to the next. */
export class FileCursors {
  readonly #run: string;

  constructor(startedAt: Date) {
    this.#run = startedAt.getTime().toString(36);
  }

  after(index: number): string {
    return `${this.#run}-${index}`;
  }

  /** Throws INVALID for a malformed cursor and for one of another run. */
  indexOf(cursor: string): number {
    const [run, index = '', ...rest] = cursor.split('-');
    if (run !== this.#run || rest.length > 0 || !/^\d{1,10}$/.test(index)) throw badCursor();
    return Number(index);
  }
}

export const fileKey = ({ index }: Readonly<CatalogEntry>): string => String(index);

/** Fields for filters and sorting. */
export const fileFields: Direct<Readonly<CatalogEntry>> = {
  id: fileKey,
  name: ({ name }) => name,
  path: ({ path }) => path,
  folder: ({ folder }) => folder.id,
  size: ({ size }) => size,
  state: stateOf,
  hits: ({ hits }) => hits,
  uploads: ({ uploads }) => uploads,
};

function stateOf({ file, failed }: Readonly<CatalogEntry>): FileView['state'] {
  if (file !== null) return 'shared';
  return failed ? 'failed' : 'hashing';
}

export function fileView(entry: Readonly<CatalogEntry>): FileView {
  return {
    id: String(entry.index),
    name: entry.name,
    path: entry.path,
    folder: entry.folder.id,
    size: entry.size,
    modifiedAt: new Date(entry.mtimeMs).toISOString(),
    state: stateOf(entry),
    urn: entry.file === null ? null : formatSha1Urn(entry.file.sha1),
    hits: entry.hits,
    uploads: entry.uploads,
  };
}

/** Counters, which change with every query answered. */
const COUNTED: ReadonlySet<string> = new Set<keyof FileView>(['hits', 'uploads']);

/** The list of shared files, filtered and sorted. */
export function fileList(library: Library): LongList<Readonly<CatalogEntry>, FileView> {
  return new LongList({
    rows: () => library.list(-1, Number.POSITIVE_INFINITY),
    versionOf: paths => {
      const { files, counts } = library.revisions;
      return paths.some(path => COUNTED.has(path)) ? `${files}-${counts}` : String(files);
    },
    keyOf: fileKey,
    view: fileView,
    direct: fileFields,
  });
}
