// Fields and cursors by which large lists of hosts and files are filtered, sorted and paged without a view of each row.
import type { FileView } from '../../api/control.ts';
import { LongList } from '../../api/long-list.ts';
import { badCursor } from '../../api/page.ts';
import type { Direct } from '../../api/reader.ts';
import type { HostRecord } from '../../protocol/overlay/neighbours/known-host.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { CatalogEntry } from '../library/catalog.ts';
import type { Library } from '../library/library.ts';
import { fileState, fileView } from '../views/library.ts';

export const hostFields: Direct<HostRecord> = {
  address: formatEndpoint,
  ultrapeer: ({ ultrapeer }) => ultrapeer,
  source: ({ source }) => source,
  failures: ({ failures }) => failures,
};

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
  state: fileState,
  hits: ({ hits }) => hits,
  uploads: ({ uploads }) => uploads,
};

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
