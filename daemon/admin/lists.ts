// Fields and cursors by which large lists of hosts and files are filtered, sorted and paged without a view of each row.
import type { FileView } from '../../api/control.ts';
import { LongList } from '../../api/long-list.ts';
import { badCursor } from '../../api/page.ts';
import type { Direct } from '../../api/reader.ts';
import type { HostRecord } from '../../protocol/overlay/neighbours/known-host.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { mediaTypeOf } from '../../protocol/wire/media-type.ts';
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

/** Counters, which change with every query answered. */
const COUNTED: ReadonlySet<string> = new Set<keyof FileView>(['hits', 'uploads']);

/** Metadata, which is read when the files are shared already. */
const READ_LATER: ReadonlySet<string> = new Set<keyof FileView>(['length', 'bitrate']);

/** Fields of a file for filters and sorting, by its index. */
function fileFields(library: Pick<Library, 'catalog' | 'playFactsOf'>): Direct<number> {
  const { catalog } = library;
  return {
    id: String,
    name: index => catalog.nameOf(index),
    path: index => catalog.pathOf(index),
    folder: index => catalog.folderOf(index)?.id ?? '',
    size: index => catalog.sizeOf(index),
    state: index => fileState(catalog.isShared(index), catalog.isFailed(index)),
    type: index => mediaTypeOf(catalog.nameOf(index)),
    length: index => library.playFactsOf(index).seconds,
    bitrate: index => library.playFactsOf(index).kbps,
    hits: index => catalog.hitsOf(index),
    uploads: index => catalog.uploadsOf(index),
  };
}

/** The list of shared files, filtered and sorted. Its rows are their indices. */
export function fileList(library: Library): LongList<number, FileView> {
  const { catalog } = library;
  return new LongList({
    rows: () => catalog.indices(),
    versionOf: paths => {
      const { files, counts, media } = library.revisions;
      const counted = paths.some(path => COUNTED.has(path)) ? counts : 0;
      return [files, counted, paths.some(path => READ_LATER.has(path)) ? media : 0].join('-');
    },
    keyOf: String,
    view: index => {
      const entry = catalog.byIndex(index);
      if (entry === null) throw new RangeError(`no file has the index ${index}`);
      return fileView(entry, library.playFactsOf(index));
    },
    direct: fileFields(library),
  });
}
