// Sends closed segments to a database, the oldest first, and removes each when the database has its rows, all of them once.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Block, numberAt } from '../../measure/block-slices.ts';
import { deliveryStep, deliveryWait } from '../../measure/delivery.ts';
import { rowBinary } from '../../measure/row-binary.ts';
import { blockColumns } from '../../measure/row-block.ts';
import type { Segment } from '../../measure/segment.ts';
import type { TableName } from '../../measure/tables.ts';
import type { BatchRange, Database } from './database.ts';
import type { RecordingReply } from './recording-messages.ts';
import type { RecordingWriter } from './recording-writer.ts';

/** Between two looks for something to send. */
const IDLE_MS = 250;
/** While the database is away segments are longer: fewer files, and fewer inserts later. */
const AWAY_SEGMENT_MS = 60_000;
/** For what is left at the end. */
const LAST_MS = 2_000;
/** After this journals that could not be read are tried again. */
const UNREAD_MS = 30_000;

export interface DeliveriesOptions {
  readonly writer: RecordingWriter;
  readonly database: Pick<Database, keyof Database>;
  readonly segmentMs: number;
  readonly run: string;
  readonly say: (reply: RecordingReply) => void;
}

/** An earlier attempt is still under way. */
class StillRunning extends Error {}

export class Deliveries {
  readonly #options: DeliveriesOptions;
  /** Segments that somebody may have tried to insert: those of earlier runs, and those that we tried; of the others none has. */
  readonly #tried = new WeakSet<Segment>();
  /** Segments that could not be read, and when they are tried again. */
  readonly #unread = new Set<string>();
  #unreadUntil = 0;
  #unreadTold = false;
  #failures = 0;
  #troubled = false;
  #prepared = false;
  #stopped = false;
  readonly #ending = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: DeliveriesOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Sends what is left, for at most two seconds, unless the database is away. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#ending.abort();
    const deadline = performance.now() + LAST_MS;
    const idle = this.#running.then(() => true);
    const late = sleep(LAST_MS, false, { ref: false });
    if (await Promise.race([idle, late]))
      while (!this.#troubled && performance.now() < deadline) if (!(await this.#next())) break;
    await this.#options.database.close();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const again = await this.#next();
      if (!again) await this.#pause(this.#failures > 0 ? deliveryWait(this.#failures) : IDLE_MS);
    }
  }

  async #pause(ms: number): Promise<void> {
    try {
      await sleep(ms, undefined, { signal: this.#ending.signal });
    } catch (error) {
      if (!this.#ending.signal.aborted) throw error;
    }
  }

  /** Whether there may be another segment to send. Never rejects. */
  async #next(): Promise<boolean> {
    const { writer, database } = this.#options;
    try {
      if (!this.#prepared) {
        await database.prepare();
        this.#prepared = true;
      }
      if (performance.now() >= this.#unreadUntil) this.#unread.clear();
      const segment = writer.folder.oldest('unsent', this.#unread);
      if (segment === null) {
        if (this.#unread.size === 0) this.#unreadTold = false;
        this.#works();
        return false;
      }
      writer.folder.held = segment.name;
      const blocks = this.#blocksOf(segment);
      if (blocks === null) return true;
      const rows = await this.#deliver(segment, blocks);
      writer.folder.remove(segment.name);
      writer.sent += rows;
      this.#works();
      return true;
    } catch (error) {
      this.#fails(error);
      return false;
    } finally {
      writer.folder.held = null;
    }
  }

  /** null: the segment is gone, or cannot be read for now; the others are sent. */
  #blocksOf(segment: Segment): readonly Block[] | null {
    const { writer } = this.#options;
    try {
      return writer.contentOf(segment)?.blocks ?? null;
    } catch (error) {
      if (this.#unread.size === 0) this.#unreadUntil = performance.now() + UNREAD_MS;
      if (!this.#unreadTold)
        writer.sayOfJournal(
          `${segment.name} cannot be read: ${textOf(error)}; the next ones are sent, and it is tried again`,
        );
      this.#unreadTold = true;
      this.#unread.add(segment.name);
      return null;
    }
  }

  /** Rows of the segment, which the database has then. */
  async #deliver(segment: Segment, blocks: readonly Block[]): Promise<number> {
    const { database, run } = this.#options;
    const { name, table } = segment;
    const [block] = blocks;
    if (block === undefined) return 0;
    const { rows, first, last } = numbersOf(table, blocks);
    const batch: BatchRange = {
      ...{ table, servent: block.servent, run: block.run, id: `${block.servent}-${name}` },
      ...{ first, last },
    };
    const fresh = block.run === run && !this.#tried.has(segment);
    this.#tried.add(segment);
    const step = deliveryStep(rows, fresh ? null : await database.look(batch));
    if (step === 'wait') throw new StillRunning('an earlier attempt to send these rows is still under way there');
    if (step === 'done') return rows;
    const present = step === 'missing' ? await database.present(batch) : new Set<number>();
    await database.insert(batch, rowBinary(blocks, present));
    return rows;
  }

  #works(): void {
    this.#failures = 0;
    if (!this.#troubled) return;
    this.#troubled = false;
    const { database, say, writer, segmentMs } = this.#options;
    writer.folder.segmentMs = segmentMs;
    const text = `ClickHouse at ${database.host} takes rows again`;
    say({ kind: 'said', about: 'database', level: 'info', trouble: false, text });
  }

  #fails(error: unknown): void {
    this.#failures++;
    this.#prepared = false;
    if (this.#troubled || error instanceof StillRunning) return;
    this.#troubled = true;
    const { database, say, writer } = this.#options;
    writer.folder.segmentMs = AWAY_SEGMENT_MS;
    const text = `ClickHouse at ${database.host} does not take rows: ${textOf(error)}; they wait on the disk, up to recording.maxBytes, and are sent when it does`;
    say({ kind: 'said', about: 'database', level: 'warn', trouble: true, text });
  }
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = error.message || String((error as NodeJS.ErrnoException).code);
  return (text.split('\n')[0] ?? text).slice(0, 300);
}

/** How many rows there are, and the least and the greatest of their numbers. */
function numbersOf(table: TableName, blocks: readonly Block[]): { rows: number; first: number; last: number } {
  const seq = blockColumns(table).findIndex(({ name }) => name === 'seq');
  const range = { rows: 0, first: Number.POSITIVE_INFINITY, last: 0 };
  for (const { rows, slices } of blocks) {
    const slice = slices[seq];
    for (let row = 0; slice !== undefined && row < rows; row++) {
      const number = numberAt(slice, row);
      range.first = Math.min(range.first, number);
      range.last = Math.max(range.last, number);
    }
    range.rows += rows;
  }
  return range;
}
