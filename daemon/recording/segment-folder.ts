// The segments of a recording in their folder: journals that grow, are closed by size and age, and go when there is too much.
import { closeSync, mkdirSync, openSync, readdirSync, readSync, renameSync, rmSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RowBlock } from '../../measure/row-block.ts';
import {
  parseSegmentFile,
  type Segment,
  type SegmentName,
  segmentFile,
  segmentsAmong,
  surplus,
  UNFINISHED,
  UNREADABLE,
} from '../../measure/segment.ts';
import type { TableName } from '../../measure/tables.ts';
import { Journal } from '../segments/journal.ts';
import { authorOf, HEAD_BYTES } from '../segments/journal-frame.ts';
import { type ParquetFacts, syncFolder } from '../segments/parquet-file.ts';

export interface SegmentFolderOptions {
  readonly folder: string;
  /** GUID of the servent that writes here, 32 hexadecimal digits. */
  readonly servent: string;
  readonly run: string;
  /** What new journals are: to become Parquet, or to be sent. */
  readonly kind: 'journal' | 'unsent';
  bytesMax: number;
  /** A journal is closed when it is this long, or this old. */
  readonly segmentBytes: number;
  segmentMs: number;
  readonly onRemoved: (segment: Segment) => void;
}

interface Open {
  readonly name: SegmentName;
  readonly journal: Journal;
  /** Monotonic milliseconds. */
  readonly since: number;
}

type Kept = Segment & { readonly named: SegmentName };

const STATES = { journal: 'closed', unsent: 'unsent', parquet: 'parquet' } as const;
/** Tables that crawls write, each under a GUID of its own. */
const CRAWLED: ReadonlySet<TableName> = new Set(['hosts', 'edges']);
/** A servent closes its journals and makes Parquet files of them in less time. */
const ABANDONED_MS = 3_600_000;
/** A servent writes the first rows of a journal at once; one that is older and has none was left by a crash. */
const BEGUN_MS = 10_000;
/** A journal that was left by a crash; its rows are counted when it is read. */
const NOT_COUNTED = { rows: 0, from: null, to: null } as const;

export class SegmentFolder {
  readonly #options: SegmentFolderOptions;
  readonly #open = new Map<TableName, Open>();
  /** All but open ones, by file name; bounded by bytesMax and the segment size. */
  readonly #kept = new Map<string, Kept>();
  /** Bytes of journals that nothing can be read of, the oldest first. */
  readonly #unreadable = new Map<string, number>();
  /** A segment that is being read, and stays until it is not. */
  held: string | null = null;
  #next = 1;

  constructor(options: SegmentFolderOptions) {
    this.#options = options;
  }

  /** Reads the folder, which is made if need be. Throws what the system says. */
  async load(): Promise<void> {
    const { folder } = this.#options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const files = readdirSync(folder);
    const segments = segmentsAmong(files);
    const others = new Set(segments.flatMap(({ file, segment }) => (this.#isOfAnother(file, segment) ? [file] : [])));
    for (const file of files)
      if (file.endsWith(UNFINISHED) && !others.has(file.replace(/\.parquet\.tmp$/, '.journal')))
        rmSync(join(folder, file), { force: true });
    for (const file of files.sort())
      if (file.endsWith(UNREADABLE)) this.#unreadable.set(file, statSync(join(folder, file)).size);
    const known = new Set(segments.map(({ file }) => file));
    for (const file of files) if (file.endsWith('.journal') && isTwin(file, known)) rmSync(join(folder, file));
    const open = new Set([...this.#open.values()].map(({ name }) => segmentFile(name)));
    for (const { file, segment } of segments) {
      if (open.has(file) || this.#kept.has(file)) continue;
      this.#next = Math.max(this.#next, segment.number + 1);
      if (others.has(file)) continue;
      const path = join(folder, file);
      const facts = segment.kind === 'parquet' ? await parquetFacts(path) : NOT_COUNTED;
      const { table, number } = segment;
      const { size: bytes } = await stat(path);
      const state = STATES[segment.kind];
      this.#kept.set(file, { ...{ name: file, table, number, state, bytes, named: segment }, ...facts });
    }
  }

  /**
   * Whether another servent, which may run, has this journal open or waiting. Only one process at a time has a servent's GUID, so a
   * journal of ours that is not open is left by a crash. Those of crawls are anybody's.
   */
  #isOfAnother(file: string, { table, kind }: SegmentName): boolean {
    if (kind === 'parquet' || CRAWLED.has(table)) return false;
    const path = this.pathOf(file);
    const servent = serventOf(path);
    if (servent === this.#options.servent) return false;
    const age = Date.now() - statSync(path).mtimeMs;
    return servent === null ? age < BEGUN_MS : kind === 'unsent' || age < ABANDONED_MS;
  }

  /** Takes the rows of the block. Throws what the system says, with nothing of them written. */
  write(table: TableName, block: RowBlock, now: number): void {
    const open = this.#open.get(table) ?? this.#begin(table, now);
    open.journal.append(block);
    if (open.journal.bytes >= this.#options.segmentBytes) this.#close(table, open);
  }

  /** Closes old journals, and removes what is beyond the bound: what cannot be read, then the oldest segments. */
  tidy(now: number): void {
    for (const [table, open] of this.#open) if (now - open.since >= this.#options.segmentMs) this.#close(table, open);
    for (const name of this.#unreadable.keys()) {
      if (this.bytes <= this.#options.bytesMax) break;
      rmSync(this.pathOf(name), { force: true });
      this.#unreadable.delete(name);
    }
    for (const segment of surplus(this.list(), this.#options.bytesMax)) {
      if (segment.name === this.held) continue;
      this.remove(segment.name);
      this.#options.onRemoved(segment);
    }
  }

  set bytesMax(bytes: number) {
    this.#options.bytesMax = bytes;
  }

  set segmentMs(ms: number) {
    this.#options.segmentMs = ms;
  }

  closeAll(): void {
    for (const [table, open] of this.#open) this.#close(table, open);
  }

  /** Oldest first. */
  list(): Segment[] {
    const open = [...this.#open.values()].map(({ name, journal }) => segmentOf(name, journal, 'open'));
    const kept = [...this.#kept.values()].map(({ named: _, ...segment }) => segment);
    return [...kept, ...open].sort((a, b) => a.number - b.number);
  }

  get bytes(): number {
    let bytes = 0;
    for (const segment of this.#kept.values()) bytes += segment.bytes;
    for (const { journal } of this.#open.values()) bytes += journal.bytes;
    for (const size of this.#unreadable.values()) bytes += size;
    return bytes;
  }

  get size(): number {
    return this.#kept.size + this.#open.size;
  }

  /** The oldest segment in this state, but for those in `not`: the same object as long as it is kept. */
  oldest(state: 'closed' | 'unsent', not: ReadonlySet<string>): Segment | null {
    const found = [...this.#kept.values()].filter(segment => segment.state === state && !not.has(segment.name));
    return found.sort((a, b) => a.number - b.number)[0] ?? null;
  }

  pathOf(name: string): string {
    return join(this.#options.folder, name);
  }

  /** Path of the Parquet file that a journal becomes. */
  parquetOf(name: string): string | null {
    const kept = this.#kept.get(name);
    return kept === undefined ? null : this.pathOf(segmentFile({ ...kept.named, kind: 'parquet' }));
  }

  /** The Parquet file of a journal is there: the journal goes. If that was removed meanwhile, the Parquet file goes too. */
  replaced(name: string, parquet: string, { rows, from, to }: ParquetFacts): void {
    const kept = this.#kept.get(name);
    if (kept === undefined) {
      rmSync(parquet, { force: true });
      return;
    }
    const named: SegmentName = { ...kept.named, kind: 'parquet' };
    const file = segmentFile(named);
    this.remove(name);
    const { size: bytes } = statSync(parquet);
    const { table, number } = named;
    this.#kept.set(file, { ...{ name: file, table, number, rows, bytes, from, to, named }, state: 'parquet' });
  }

  remove(name: string): void {
    rmSync(this.pathOf(name), { force: true });
    this.#kept.delete(name);
  }

  /** Keeps a journal that nothing can be read of, as a file that is no segment. */
  setAside(name: string): void {
    const aside = name + UNREADABLE;
    renameSync(this.pathOf(name), this.pathOf(aside));
    this.#unreadable.set(aside, this.#kept.get(name)?.bytes ?? 0);
    this.#kept.delete(name);
  }

  #begin(table: TableName, now: number): Open {
    const { folder, servent, run, kind } = this.#options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // somebody else may have put files there since
    for (const file of readdirSync(folder))
      this.#next = Math.max(this.#next, (parseSegmentFile(file)?.number ?? 0) + 1);
    const name: SegmentName = { table, number: this.#next++, run, kind };
    const journal = new Journal(this.pathOf(segmentFile(name)), table, { servent, run });
    syncFolder(folder);
    const open = { name, journal, since: now };
    this.#open.set(table, open);
    return open;
  }

  #close(table: TableName, { name, journal }: Open): void {
    this.#open.delete(table);
    journal.close();
    const segment = segmentOf(name, journal, STATES[name.kind]);
    if (segment.rows === 0) rmSync(journal.path, { force: true });
    else this.#kept.set(segment.name, { ...segment, named: name });
  }
}

function segmentOf(name: SegmentName, { rows, bytes, from, to }: Journal, state: Segment['state']): Segment {
  return { name: segmentFile(name), table: name.table, number: name.number, state, rows, bytes, from, to };
}

/** GUID of the servent that wrote a journal; null: its first rows are not whole. */
function serventOf(path: string): string | null {
  const begin = Buffer.alloc(HEAD_BYTES);
  const fd = openSync(path, 'r');
  try {
    readSync(fd, begin);
  } finally {
    closeSync(fd);
  }
  return authorOf(begin)?.servent ?? null;
}

/** Whether a journal is left beside its Parquet file. */
function isTwin(file: string, known: ReadonlySet<string>): boolean {
  return !known.has(file) && known.has(file.replace(/(\.unsent)?\.journal$/, '.parquet'));
}

/** What the end of a Parquet file says of it. One that cannot be read has no rows. */
async function parquetFacts(path: string): Promise<Pick<Segment, 'rows' | 'from' | 'to'>> {
  const { asyncBufferFromFile, parquetMetadataAsync } = await import('hyparquet');
  try {
    const { num_rows: rows, key_value_metadata: facts = [] } = await parquetMetadataAsync(
      await asyncBufferFromFile(path),
      { initialFetchSize: 16_384 },
    );
    const timeOf = (key: string): number | null => {
      const value = facts.find(fact => fact.key === key)?.value ?? '';
      return value === '' ? null : Number(value);
    };
    return { rows: Number(rows), from: timeOf('servent.from'), to: timeOf('servent.to') };
  } catch {
    return NOT_COUNTED; // a file that somebody else put there; analysis will say what is wrong with it
  }
}
