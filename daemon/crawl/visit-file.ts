// Keeps the book of visits in the data folder, in a file of its own since a running daemon holds the store.
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import type { CrawlRules } from '../../protocol/crawl/crawl-rules.ts';
import { type Visit, VisitBook } from '../../protocol/crawl/visit-book.ts';

const VERSION = 1;
const BYTES_MAX = 32 << 20;

export class VisitFile {
  readonly path: string;
  readonly book: VisitBook;

  private constructor(path: string, book: VisitBook) {
    this.path = path;
    this.book = book;
  }

  static async open(dataDir: string, { againMs }: CrawlRules): Promise<VisitFile> {
    const path = join(dataDir, 'crawled.json');
    return new VisitFile(path, new VisitBook(againMs, await read(path)));
  }

  /** Visits of a crawl that ran at the same time are kept. */
  async save(againMs: number, wallTime: number): Promise<void> {
    const merged = new VisitBook(againMs, [...(await read(this.path)), ...this.book.visits(wallTime)]);
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    const visits = [...merged.visits(wallTime)];
    await writeFileAtomic(this.path, `${JSON.stringify({ version: VERSION, visits })}\n`, { mode: 0o600 });
  }
}

/** Throws CrawlFileError for a file that is not ours to overwrite. */
async function read(path: string): Promise<Visit[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  try {
    if (text.length > BYTES_MAX) throw new Error('too long');
    const { version, visits } = JSON.parse(text) as { version: unknown; visits: unknown };
    if (version === VERSION && Array.isArray(visits) && visits.every(isVisit)) return visits;
  } catch {
    // as one of another version
  }
  throw new CrawlFileError(
    `${path} is damaged or of another version: it says which hosts were asked lately. Remove it only if you know that no host would be asked twice a day`,
  );
}

export class CrawlFileError extends Error {}

const isVisit = (value: unknown): value is Visit =>
  Array.isArray(value) &&
  value.length === 3 &&
  typeof value[0] === 'string' &&
  typeof value[1] === 'number' &&
  typeof value[2] === 'boolean';
