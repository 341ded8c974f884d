// Writes observations into segments and looks after these: the work of the recording thread.
import { existsSync, readFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { eachObservation } from '../../measure/observation.ts';
import { ObservedRows, type WordHash } from '../../measure/observed-rows.ts';
import { type Segment, UNREADABLE } from '../../measure/segment.ts';
import type { TableName } from '../../measure/tables.ts';
import { WordHasher } from '../queries/query-words.ts';
import { type JournalContent, journalContent } from '../segments/journal-frame.ts';
import { writeBlocks } from '../segments/parquet-file.ts';
import type { Loss, RecordingCounts, RecordingReply, RecordingWorkerData } from './recording-messages.ts';
import { SegmentFolder } from './segment-folder.ts';

/** After a failed conversion. */
const CONVERT_AGAIN_MS = 30_000;

export class RecordingWriter {
  readonly folder: SegmentFolder;
  readonly #given: RecordingWorkerData;
  readonly #say: (reply: RecordingReply) => void;
  readonly #rows = new Map<TableName, number>();
  readonly #lost = new Map<Loss, number>();
  readonly #observed: ObservedRows;
  sent = 0;
  /** Rows lost since the disk failed; null: it does not fail. */
  #failing: number | null = null;
  #loaded = false;
  #converting = false;
  #convertFails = false;
  #convertAt = 0;
  /** Journals whose broken rows are counted, as long as the folder knows them. */
  readonly #counted = new WeakSet<Segment>();
  #stopped = false;

  constructor(given: RecordingWorkerData, say: (reply: RecordingReply) => void) {
    this.#given = given;
    this.#say = say;
    this.#observed = new ObservedRows(hashWith(given.salt));
    const { folder, servent, run, bytesMax, segmentBytes, segmentMs } = given;
    this.folder = new SegmentFolder({
      ...{ folder, servent, run, bytesMax, segmentBytes, segmentMs },
      kind: given.url === null ? 'journal' : 'unsent',
      onRemoved: segment => {
        // what the database never got is lost, what was only kept here is not missed
        if (segment.state === 'unsent') this.lose('unsent', segment.rows);
        say({ kind: 'removed', segment });
      },
    });
  }

  get counts(): RecordingCounts {
    const { size: segments, bytes } = this.folder;
    const rows = Object.fromEntries(this.#rows);
    return { rows, lost: Object.fromEntries(this.#lost), sent: this.sent, segments, bytes };
  }

  async start(): Promise<void> {
    await this.#load();
    this.tidy(0);
  }

  /** Again with the first rows when it fails now. */
  async #load(): Promise<void> {
    this.#loaded = true; // or under way
    try {
      await this.folder.load();
    } catch (error) {
      this.#loaded = false;
      this.#fail(error, 0);
    }
  }

  useSalt(salt: Uint8Array | null): void {
    this.#observed.hash = hashWith(salt);
  }

  /** Bytes of an ObservationBuffer: they are on the disk, or counted as lost, when it returns. */
  write(bytes: Buffer, now: number): void {
    eachObservation(bytes, this.#observed.add);
    for (const [table, block] of this.#observed.blocks) {
      const { rows } = block;
      if (rows === 0) continue;
      try {
        this.folder.write(table, block, now);
        this.#rows.set(table, (this.#rows.get(table) ?? 0) + rows);
        this.#recovered();
      } catch (error) {
        this.#fail(error, rows);
        block.clear();
      }
    }
    this.tidy(now);
  }

  tidy(now: number): void {
    if (!this.#loaded) void this.#load();
    try {
      this.folder.tidy(now);
    } catch (error) {
      this.#fail(error, 0);
    }
    if (!this.#converting && !this.#stopped && now >= this.#convertAt) void this.#convertClosed(now);
  }

  lose(why: Loss, rows: number): void {
    if (rows > 0) this.#lost.set(why, (this.#lost.get(why) ?? 0) + rows);
  }

  /** Journals are closed and converted; where that fails it is done at the next start. */
  stop(): void {
    this.#stopped = true;
    this.folder.closeAll();
    const failed = new Set<string>();
    while (this.#convertNext(failed));
  }

  /** Makes Parquet files of all closed journals, one after the other. */
  async #convertClosed(now: number): Promise<void> {
    this.#converting = true;
    const failed = new Set<string>();
    while (!this.#stopped && this.#convertNext(failed)) {
      this.tidy(now);
      await nextTurn(); // rows that came in meanwhile are written
    }
    if (failed.size > 0) this.#convertAt = now + CONVERT_AGAIN_MS;
    else this.#convertFails = false;
    this.#converting = false;
  }

  /** Converts the oldest closed journal, or adds it to `failed`; false: there is none but these. */
  #convertNext(failed: Set<string>): boolean {
    const segment = this.folder.oldest('closed', failed);
    if (segment === null) return false;
    const { name, table } = segment;
    try {
      const parquet = this.folder.parquetOf(name);
      const content = this.contentOf(segment);
      if (content === null || parquet === null) return true;
      this.folder.replaced(name, parquet, writeBlocks(content.blocks, parquet, table));
    } catch (error) {
      failed.add(name);
      if (!this.#convertFails) this.#sayUnconverted(error);
      this.#convertFails = true;
    }
    return true;
  }

  /** What a segment that oldest() gave has; null: it is gone, or nothing of it can be read. Throws what the system says. */
  contentOf(segment: Segment): JournalContent | null {
    const journal = this.#read(segment);
    if (journal === null) return null;
    const content = journalContent(segment.table, journal);
    if (!this.#counted.has(segment)) this.lose('broken', content.broken);
    this.#counted.add(segment);
    if (content.blocks.length > 0 || content.broken === 0) return content;
    this.folder.setAside(segment.name);
    this.sayOfJournal(
      `no row of ${this.folder.pathOf(segment.name)} can be read, it is damaged or of another version: it is kept as ${segment.name}${UNREADABLE}, and its ${content.broken} rows are counted as broken`,
    );
    return null;
  }

  /** Bytes of a journal; null: somebody removed it, which is told. */
  #read({ name, rows }: Segment): Buffer | null {
    try {
      return readFileSync(this.folder.pathOf(name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || !existsSync(this.#given.folder)) throw error;
      this.folder.remove(name);
      this.lose('broken', rows);
      this.sayOfJournal(`${name} is gone from ${this.#given.folder}: another program removed it, and its rows`);
      return null;
    }
  }

  /** A line about one journal; recording goes on. */
  sayOfJournal(text: string): void {
    this.#say({ kind: 'said', about: 'journal', level: 'warn', trouble: false, text });
  }

  #fail(error: unknown, rows: number): void {
    this.lose('disk', rows);
    const before = this.#failing;
    this.#failing = (before ?? 0) + rows;
    if (before !== null) return;
    const why = error instanceof Error ? error.message : String(error);
    this.#say({
      kind: 'said',
      about: 'disk',
      level: 'warn',
      trouble: true,
      text: `recording to ${this.#given.folder} fails: ${why}; rows are dropped and counted until it works again: make room there, or lower recording.maxBytes`,
    });
  }

  /** No row is lost by it. */
  #sayUnconverted(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    this.sayOfJournal(
      `no Parquet file can be made in ${this.#given.folder}: ${why}; its rows stay in journals, which takes more room, and it is tried again`,
    );
  }

  #recovered(): void {
    if (this.#failing === null) return;
    const text = `recording to ${this.#given.folder} works again; ${this.#failing} rows were dropped meanwhile`;
    this.#failing = null;
    this.#say({ kind: 'said', about: 'disk', level: 'info', trouble: false, text });
  }
}

function hashWith(salt: Uint8Array | null): WordHash {
  if (salt === null) return null;
  const hasher = new WordHasher(Buffer.from(salt));
  return word => hasher.word(word);
}
