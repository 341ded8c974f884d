import type { Command } from 'commander';
import type { Client } from '../api/client.ts';
import type { FileView, FolderView } from '../api/control.ts';
import { formatBytes, formatLeftOut } from '../api/format.ts';
import { mediaColumns } from './columns.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { rescanCommand } from './hashing.ts';
import { firstItems, type ListFlags, listOptions } from './list.ts';
import { findFolder, foldersOf, seenColumns, shareCommand } from './share.ts';
import { type Column, table } from './table.ts';
import { note, print, printJson, type Terminal } from './terminal.ts';

export function libraryCommands(terminal: Terminal): Command[] {
  return [
    listOptions(
      clientCommand('library', 'show what is shared').option(
        '--as-seen',
        'show files as other servents see them: names as in hits, folders as in browsing, no local paths',
      ),
    ).action(async (flags: ListFlags & { asSeen?: boolean }) => {
      const { client } = await findDaemon(flags, terminal);
      if (flags.asSeen === true) return await showAsSeen(client, flags, terminal);
      const folders = await foldersOf(client);
      const { items, next } = await firstItems(page => client.files(page), flags);
      if (flags.json === true) return printJson(terminal, { folders, items, next });
      if (folders.length === 0) return note(terminal, 'nothing is shared: "servent share DIR" shares a folder');
      print(terminal, table(folderColumns, folders));
      for (const { path, leftOut } of folders)
        if (leftOut.length > 0) note(terminal, `left out of ${path}: ${formatLeftOut(leftOut)}`);
      if (items.length > 0) print(terminal, `\n${table(fileColumns, items)}`);
      if (next !== null) note(terminal, `more rows exist: --limit ${flags.limit * 10} shows them`);
    }),
    shareCommand(terminal),
    clientCommand('unshare', 'stop sharing a folder; its files are kept')
      .argument('<dir>', 'the folder, or its id as "servent library" shows it')
      .action(async (dir: string, flags: ClientFlags) => {
        const { client } = await findDaemon(flags, terminal);
        const { id, path } = await findFolder(client, dir, terminal);
        await client.unshareFolder({ id });
        if (flags.json === true) return printJson(terminal, { id, path });
        print(terminal, `no longer sharing ${path}`);
      }),
    rescanCommand(terminal),
  ];
}

async function showAsSeen(client: Client, flags: ListFlags, terminal: Terminal): Promise<void> {
  const shared = 'state=shared';
  const filter = flags.filter === undefined ? shared : `(${flags.filter}) and ${shared}`;
  const { items, next } = await firstItems(page => client.files(page), { ...flags, filter });
  const seen = items.map(({ name, size, urn, seenFolder }) => ({ name, size, urn, folder: seenFolder }));
  if (flags.json === true) return printJson(terminal, { items: seen, next });
  if (seen.length === 0) return note(terminal, 'other servents see no files');
  print(terminal, table([...seenColumns, { title: 'URN', of: row => row.urn ?? '' }], seen));
  if (next !== null) note(terminal, `more rows exist: --limit ${flags.limit * 10} shows them`);
}

const folderColumns: Column<FolderView>[] = [
  { title: 'ID', of: row => row.id },
  { title: 'FOLDER', of: row => row.path },
  { title: 'STATE', of: row => row.state },
  { title: 'FILES', of: row => String(row.files), right: true },
  { title: 'SIZE', of: row => formatBytes(row.bytes), right: true },
  { title: 'SEEN AS', of: row => row.label ?? '' },
  { title: 'EXCLUDES', of: row => row.exclude.join(' ') },
  { title: 'NOTE', of: row => row.error ?? (row.force ? 'forced' : '') },
];

const fileColumns: Column<FileView>[] = [
  { title: 'NAME', of: row => row.name },
  { title: 'SIZE', of: row => formatBytes(row.size), right: true },
  { title: 'STATE', of: row => row.state },
  ...mediaColumns,
  { title: 'HITS', of: row => String(row.hits), right: true },
  { title: 'UPLOADS', of: row => String(row.uploads), right: true },
  { title: 'URN', of: row => row.urn ?? '' },
];
