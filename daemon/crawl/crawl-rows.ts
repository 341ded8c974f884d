// Writes what a crawl has found into a recording, as segments that the servent and "servent analyse" read.
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { RowBlock } from '../../measure/row-block.ts';
import { type SegmentName, segmentFile, segmentsAmong } from '../../measure/segment.ts';
import type { RowOf, TableName } from '../../measure/tables.ts';
import type { CrawlReport } from '../../protocol/crawl/crawl-report.ts';
import { Journal } from '../segments/journal.ts';
import { syncFolder } from '../segments/parquet-file.ts';

/** Rows that are written together. */
const ROWS = 4096;
/** Ending of a file that is being written: a servent that starts meanwhile would take a segment for one that a crash has left. */
const WRITING = '.writing';

/** `unsent`: the servent sends them to its database when it starts. Gives the paths. Throws what the system says. */
export function writeCrawl(
  folder: string,
  { hosts, edges }: CrawlReport,
  guid: string,
  at: number,
  kind: 'journal' | 'unsent',
): string[] {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const run = randomBytes(4).toString('hex');
  const latest = segmentsAmong(readdirSync(folder)).at(-1)?.segment.number ?? 0;
  let seq = 0;
  const write = <T extends TableName>(table: T, number: number, rows: readonly RowOf<T>[]): string[] => {
    if (rows.length === 0) return [];
    const name: SegmentName = { table, number, run, kind };
    const path = join(folder, segmentFile(name));
    const journal = new Journal(path + WRITING, table, { servent: guid, run });
    const block = new RowBlock(table);
    try {
      for (let i = 0; i < rows.length; i += ROWS) {
        for (const row of rows.slice(i, i + ROWS)) block.add(++seq, at, row);
        journal.append(block);
      }
    } catch (error) {
      rmSync(journal.path, { force: true });
      throw error;
    } finally {
      journal.close();
    }
    return [path];
  };
  const paths = [
    ...write(
      'hosts',
      latest + 1,
      hosts.map(host => ({
        address: host.address,
        state: host.state,
        why: host.why,
        role: host.role,
        user_agent: host.userAgent,
        uptime: host.uptime ?? -1,
        ultrapeers: host.ultrapeers,
        leaves: host.leaves,
        way: host.way ?? '',
        ms: Math.round(host.ms),
      })),
    ),
    ...write(
      'edges',
      latest + 2,
      edges.map(({ host, neighbour, kind, both }) => ({ host, neighbour, kind, told: both ? 2 : 1 })),
    ),
  ];
  for (const path of paths) renameSync(path + WRITING, path);
  syncFolder(folder);
  return paths;
}
