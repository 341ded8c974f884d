// Journals made of rows, and read again.
import { readFileSync } from 'node:fs';
import { Journal } from '../../daemon/segments/journal.ts';
import { type Author, journalContent } from '../../daemon/segments/journal-frame.ts';
import { blockRows } from '../../measure/block-slices.ts';
import { RowBlock } from '../../measure/row-block.ts';
import type { TableName } from '../../measure/tables.ts';

export type JournalRow = Readonly<Record<string, unknown>>;

export const AUTHOR = { servent: 'ab'.repeat(16), run: '0123abcd' } as const;

/** The rows have their `seq` and `at_ms`, and together one frame. */
export function writeJournal(
  path: string,
  table: TableName,
  rows: readonly JournalRow[],
  author: Author = AUTHOR,
): void {
  const journal = new Journal(path, table, author);
  const block = new RowBlock(table);
  for (const row of rows) block.add(Number(row['seq'] ?? 0), Number(row['at_ms'] ?? 0), row);
  journal.append(block);
  journal.close();
}

export function journalRows(path: string, table: TableName): Record<string, string | number>[] {
  return journalContent(table, readFileSync(path)).blocks.flatMap(blockRows);
}
