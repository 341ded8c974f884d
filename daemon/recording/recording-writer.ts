// Writes observations into segments and looks after these: the work of the recording thread.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Lines, takenLine } from '../../measure/lines.ts';
import { observationsIn } from '../../measure/observation.ts';
import type { Segment } from '../../measure/segment.ts';
import type { TableName } from '../../measure/tables.ts';
import { WordHasher } from '../queries/query-words.ts';
import { journalPieces } from './journal-lines.ts';
import { writeParquet } from './parquet-file.ts';
import type { Loss, RecordingCounts, RecordingReply, RecordingWorkerData } from './recording-messages.ts';
import { type Batch, SegmentFolder } from './segment-folder.ts';

/** After a failed conversion. */
const CONVERT_AGAIN_MS = 30_000;

/** A line of a journal, and what names its row. */
export interface SegmentLine {
  readonly seq: number;
  readonly servent: string;
  readonly run: string;
  readonly text: string;
}

export class RecordingWriter {
  readonly folder: SegmentFolder;
  readonly #given: RecordingWorkerData;
  readonly #say: (reply: RecordingReply) => void;
  readonly #rows = new Map<TableName, number>();
  readonly #lost = new Map<Loss, number>();
  #lines: Lines;
  sent = 0;
  /** Rows lost since the disk failed; null: it does not fail. */
  #failing: number | null = null;
  #loaded = false;
  #converting = false;
  #convertFails = false;
  #convertAt = 0;
  /** Journals whose broken lines are counted; bounded by the segments. */
  readonly #counted = new Set<string>();
  #stopped = false;

  constructor(given: RecordingWorkerData, say: (reply: RecordingReply) => void) {
    this.#given = given;
    this.#say = say;
    this.#lines = this.#linesWith(given.salt);
    const { folder, servent, run, bytesMax, segmentBytes, segmentMs } = given;
    this.folder = new SegmentFolder({
      ...{ folder, servent, run, bytesMax, segmentBytes, segmentMs },
      kind: given.url === null ? 'ndjson' : 'unsent',
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
    this.#lines = this.#linesWith(salt);
  }

  #linesWith(salt: Uint8Array | null): Lines {
    const { servent, run } = this.#given;
    const hasher = salt === null ? null : new WordHasher(Buffer.from(salt));
    return new Lines({ servent, run, hash: hasher === null ? null : word => hasher.word(word) });
  }

  /** Bytes of an ObservationBuffer: they are on the disk, or counted as lost, when it returns. */
  write(bytes: Buffer, now: number): void {
    const batches = new Map<TableName, Batch>();
    for (const observation of observationsIn(bytes)) {
      const line = this.#lines.of(observation);
      if (line === null) continue;
      const { at } = observation;
      const batch = batches.get(line.table);
      if (batch === undefined) batches.set(line.table, { lines: [line.text], from: at, to: at });
      else {
        batch.lines.push(line.text);
        if (at < batch.from) batch.from = at;
        if (at > batch.to) batch.to = at;
      }
    }
    for (const [table, batch] of batches) {
      try {
        this.folder.write(table, batch, now);
        this.#rows.set(table, (this.#rows.get(table) ?? 0) + batch.lines.length);
        this.#recovered();
      } catch (error) {
        this.#fail(error, batch.lines.length);
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

  /** Journals are closed; what is not converted will be at the next start. */
  stop(): void {
    this.#stopped = true;
    this.folder.closeAll();
  }

  /** Makes Parquet files of all closed journals, one after the other. */
  async #convertClosed(now: number): Promise<void> {
    this.#converting = true;
    try {
      for (let one = this.#oldestClosed(); one !== null && !this.#stopped; one = this.#oldestClosed()) {
        await this.#convert(one);
        this.folder.tidy(now);
      }
      this.#convertFails = false;
    } catch (error) {
      this.#convertAt = now + CONVERT_AGAIN_MS;
      if (!this.#convertFails) this.#sayUnconverted(error);
      this.#convertFails = true;
    } finally {
      this.#converting = false;
    }
  }

  #oldestClosed(): Segment | null {
    return this.folder.oldest('closed', NONE);
  }

  async #convert({ name, table }: Segment): Promise<void> {
    const parquet = this.folder.parquetOf(name);
    if (parquet === null) return;
    const steps = writeParquet(this.folder.pathOf(name), parquet, table);
    for (;;) {
      const step = await steps.next();
      if (step.done === true) {
        this.lose('broken', step.value.broken);
        this.folder.replaced(name, parquet, step.value);
        return;
      }
      await nextTurn(); // rows that came in meanwhile are written
      if (this.#stopped) return;
    }
  }

  /** Lines of a journal that are whole. */
  linesOf(name: string): SegmentLine[] {
    const lines: SegmentLine[] = [];
    for (const { rows, lines: texts, broken } of journalPieces(this.folder.pathOf(name), Number.MAX_SAFE_INTEGER)) {
      for (const [i, row] of rows.entries()) {
        const { seq, servent, run } = row;
        if (typeof seq === 'number' && isHex(servent, 32) && isHex(run, 8))
          lines.push({ seq, servent, run, text: takenLine(texts[i] ?? '', row) });
      }
      if (!this.#counted.has(name)) this.lose('broken', broken);
    }
    this.#counted.add(name);
    return lines;
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
    const text = `no Parquet file can be made in ${this.#given.folder}: ${why}; its rows stay in journals, which takes more room, and it is tried again`;
    this.#say({ kind: 'said', about: 'parquet', level: 'warn', trouble: false, text });
  }

  #recovered(): void {
    if (this.#failing === null) return;
    const text = `recording to ${this.#given.folder} works again; ${this.#failing} rows were dropped meanwhile`;
    this.#failing = null;
    this.#say({ kind: 'said', about: 'disk', level: 'info', trouble: false, text });
  }
}

const isHex = (value: unknown, digits: number): value is string =>
  typeof value === 'string' && value.length === digits && /^[0-9a-f]+$/.test(value);

const NONE: ReadonlySet<string> = new Set();
