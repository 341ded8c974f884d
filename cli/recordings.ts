// recordings: lists what the daemon has recorded, and prints the tables for a database.
import type { Command } from 'commander';
import type { RecordingView } from '../api/control.ts';
import { formatBytes } from '../api/format.ts';
import { databaseSchema } from '../measure/clickhouse-schema.ts';
import { type List, type ListFlags, listCommand, showList } from './list.ts';
import { print, type Terminal } from './terminal.ts';

const RECORDINGS: List<RecordingView> = {
  name: 'recordings',
  description: 'list the segments of the recording, or print the tables for ClickHouse',
  page: client => page => client.recordings(page),
  columns: () => [
    { title: 'TABLE', of: row => row.table },
    { title: 'STATE', of: row => row.state },
    { title: 'ROWS', of: row => String(row.rows), right: true },
    { title: 'SIZE', of: row => formatBytes(row.bytes), right: true },
    { title: 'FROM', of: row => row.from ?? '' },
    { title: 'TO', of: row => row.to ?? '' },
    { title: 'SEGMENT', of: row => row.id },
  ],
  follow: null,
  none: 'nothing is recorded: start the servent with --recording-mode files',
};

type RecordingsFlags = ListFlags & { schema?: true; database: string; cluster?: string };

export function recordingsCommand(terminal: Terminal): Command {
  return listCommand(terminal, RECORDINGS)
    .option('--schema', 'print SQL that makes the tables of recordings in ClickHouse, and stop')
    .option('--database <name>', 'with --schema: the database', 'servent')
    .option('--cluster <name>', 'with --schema: also tables over all shards of this cluster')
    .action(async (flags: RecordingsFlags) => {
      if (flags.schema !== true) return showList(terminal, RECORDINGS, flags);
      const statements = databaseSchema(flags.database, flags.cluster ?? null);
      print(terminal, statements.map(statement => `${statement};`).join('\n'));
    });
}
