// Reads the lines of a closed journal a piece at a time, leaving out what a crash has broken.
import { closeSync, openSync, readSync } from 'node:fs';

/** Bytes read at a time. */
const CHUNK_BYTES = 1 << 20;
/** A longer line is broken: no row is that long. */
const LINE_BYTES_MAX = 4 << 20;

export interface JournalPiece {
  readonly rows: Record<string, unknown>[];
  /** Lines as they are in the file, without line feeds. */
  readonly lines: string[];
  /** Lines that are not whole. */
  readonly broken: number;
}

/** Pieces of about `rowsMax` rows. */
export function* journalPieces(path: string, rowsMax: number): Generator<JournalPiece> {
  const fd = openSync(path, 'r');
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let rest: Buffer = Buffer.alloc(0);
    let piece: JournalPiece & { broken: number } = { rows: [], lines: [], broken: 0 };
    for (let read = readSync(fd, chunk); read > 0; read = readSync(fd, chunk)) {
      const bytes = Buffer.concat([rest, chunk.subarray(0, read)]);
      const end = bytes.lastIndexOf(0x0a) + 1;
      rest = Buffer.from(bytes.subarray(end));
      if (rest.length > LINE_BYTES_MAX) rest = Buffer.alloc(0);
      for (const line of bytes.toString('utf8', 0, Math.max(0, end - 1)).split('\n')) {
        if (end === 0) break;
        const row = rowOf(line);
        if (row === null) piece.broken++;
        else {
          piece.rows.push(row);
          piece.lines.push(line);
        }
        if (piece.rows.length < rowsMax) continue;
        yield piece;
        piece = { rows: [], lines: [], broken: 0 };
      }
    }
    if (rest.length > 0) piece.broken++;
    yield piece;
  } finally {
    closeSync(fd);
  }
}

function rowOf(line: string): Record<string, unknown> | null {
  try {
    const row: unknown = JSON.parse(line);
    return typeof row === 'object' && row !== null && !Array.isArray(row) ? (row as Record<string, unknown>) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
