// library, share, unshare, rescan.
import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type Client, everyItem } from '../api/client.ts';
import type { FileView, FolderView } from '../api/control.ts';
import { counted, formatBytes, formatLeftOut } from '../api/format.ts';
import { idBegunWith } from '../api/prefix.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { CommandError } from './failure.ts';
import { firstItems, type ListFlags, listOptions } from './list.ts';
import { type Column, table } from './table.ts';
import { note, print, printJson, type Terminal } from './terminal.ts';

export function libraryCommands(terminal: Terminal): Command[] {
  return [
    listOptions(clientCommand('library', 'show what is shared')).action(async (flags: ListFlags) => {
      const { client } = await findDaemon(flags, terminal);
      const folders = await foldersOf(client);
      const { items, next } = await firstItems(page => client.files(page), flags);
      if (flags.json === true) return printJson(terminal, { folders, items, next });
      if (folders.length === 0) return note(terminal, 'nothing is shared: "servent share DIR" shares a folder');
      print(terminal, table(folderColumns, folders));
      for (const { path, leftOut } of folders)
        if (leftOut.length > 0) note(terminal, `left out of ${path}: ${formatLeftOut(leftOut)}`);
      if (items.length > 0) print(terminal, `\n${table(fileColumns, items)}`);
      if (next !== null) note(terminal, `there are more: --limit ${flags.limit * 10} shows them`);
    }),
    clientCommand('share', 'share a folder, with everything below it')
      .argument('<dir>', 'a folder of the machine the daemon runs on')
      .action(async (dir: string, flags: ClientFlags) => {
        const { client } = await findDaemon(flags, terminal);
        const folder = await client.shareFolder({ path: resolve(terminal.cwd, dir) });
        if (flags.json === true) return printJson(terminal, folder);
        print(terminal, `sharing ${folder.path} as ${folder.id}`);
      }),
    clientCommand('unshare', 'stop sharing a folder; its files stay where they are')
      .argument('<dir>', 'the folder, or its id as "servent library" shows it')
      .action(async (dir: string, flags: ClientFlags) => {
        const { client } = await findDaemon(flags, terminal);
        const { id, path } = await findFolder(client, dir, terminal);
        await client.unshareFolder({ id });
        if (flags.json === true) return printJson(terminal, { id, path });
        print(terminal, `no longer sharing ${path}`);
      }),
    clientCommand('rescan', 'look through the shared folders for what has changed').action(
      async (flags: ClientFlags) => {
        const { client } = await findDaemon(flags, terminal);
        const answer = await client.rescan();
        if (flags.json === true) return printJson(terminal, answer);
        print(terminal, `scanning ${counted(answer.folders, 'folder')}`);
      },
    ),
  ];
}

async function foldersOf(client: Client): Promise<FolderView[]> {
  const folders: FolderView[] = [];
  for await (const folder of everyItem(page => client.folders(page))) folders.push(folder);
  return folders;
}

async function findFolder(client: Client, dir: string, { cwd }: Terminal): Promise<FolderView> {
  const folders = await foldersOf(client);
  const path = resolve(cwd, dir);
  // The daemon may know it by where a link leads; a folder that is gone can still be unshared.
  const real = await realpath(path).catch(() => path);
  const id = folders.some(folder => folder.path === real) ? null : idBegunWith(dir, folders, 'folders');
  const found = folders.find(folder => [path, real].includes(folder.path)) ?? folders.find(folder => folder.id === id);
  if (found === undefined) throw new CommandError(`${path} is not shared: "servent library" shows what is`);
  return found;
}

const folderColumns: Column<FolderView>[] = [
  { title: 'ID', of: row => row.id },
  { title: 'FOLDER', of: row => row.path },
  { title: 'STATE', of: row => row.state },
  { title: 'FILES', of: row => String(row.files), right: true },
  { title: 'SIZE', of: row => formatBytes(row.bytes), right: true },
  { title: 'NOTE', of: row => row.error ?? '' },
];

const fileColumns: Column<FileView>[] = [
  { title: 'NAME', of: row => row.name },
  { title: 'SIZE', of: row => formatBytes(row.size), right: true },
  { title: 'STATE', of: row => row.state },
  { title: 'HITS', of: row => String(row.hits), right: true },
  { title: 'UPLOADS', of: row => String(row.uploads), right: true },
  { title: 'URN', of: row => row.urn ?? '' },
];
