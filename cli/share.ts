// share: a look before it, and what is chosen for a folder.
import { realpath } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { type Client, everyItem } from '../api/client.ts';
import type { FolderView, PreviewView } from '../api/control.ts';
import { counted, formatBytes, formatLeftOut, printable } from '../api/format.ts';
import { idBegunWith } from '../api/prefix.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { CommandError } from './failure.ts';
import { type Column, table } from './table.ts';
import { note, print, printJson, type Terminal } from './terminal.ts';

interface ShareFlags extends ClientFlags {
  dryRun?: boolean;
  force?: boolean;
  exclude?: string[];
  label?: string;
}

const EXAMPLES = `
Examples:
  servent share ~/Music --dry-run           what strangers would see, and what is left out
  servent share ~/Music --exclude '*.iso' --exclude /drafts/
  servent share ~/Music --exclude ''        nothing is excluded any more
  servent share ~/Music --label Music       those who browse see Music/… as the folders of the files`;

export function shareCommand(terminal: Terminal): Command {
  return clientCommand('share', 'share a folder, with everything below it; or change what is left out of it')
    .argument('<dir>', 'a folder of the machine the daemon runs on')
    .option('--dry-run', 'share nothing: show what strangers would see, and what would be left out by which rule')
    .option(
      '--exclude <pattern>',
      'leave out what matches this gitignore pattern; may be given again, and replaces what was given before',
      (pattern: string, earlier: string[] = []) => [...earlier, pattern],
    )
    .option('--label <name>', 'what those who browse see in place of the path; "" shows them file names alone')
    .option('--force', 'share a system folder, a home folder or a whole disk too; secrets in it are still left out')
    .addHelpText('after', EXAMPLES)
    .action(async (dir: string, flags: ShareFlags) => {
      const { client } = await findDaemon(flags, terminal);
      const path = resolve(terminal.cwd, dir);
      const choices = choicesOf(flags);
      if (flags.dryRun === true) {
        const preview = await client.previewFolder({ path, ...choices });
        return flags.json === true ? printJson(terminal, preview) : printPreview(preview, terminal);
      }
      const known = (await foldersOf(client)).find(folder => folder.path === path);
      const isChange = known !== undefined && Object.keys(choices).length > 0;
      const folder = isChange
        ? await client.changeFolder({ id: known.id, ...choices })
        : await client.shareFolder({ path, ...choices });
      if (flags.json === true) return printJson(terminal, folder);
      print(terminal, `sharing ${folder.path} as ${folder.id}`);
      if (folder.exclude.length > 0) note(terminal, `without what matches ${folder.exclude.join(', ')}`);
    });
}

function choicesOf({ exclude, force, label }: ShareFlags): { exclude?: string[]; force?: true; label?: string | null } {
  return {
    ...(exclude === undefined ? {} : { exclude: exclude.filter(pattern => pattern !== '') }),
    ...(force === true ? { force } : {}),
    ...(label === undefined ? {} : { label: label === '' ? null : label }),
  };
}

function printPreview(preview: PreviewView, terminal: Terminal): void {
  const { path, files, bytes, seen, seenMore, leftOut, leftOutMore, byRule, cut } = preview;
  print(terminal, `strangers would see ${counted(files, 'file')}, ${formatBytes(bytes)}, of ${path}`);
  if (seen.length > 0) print(terminal, table(seenColumns, seen));
  if (seenMore > 0) print(terminal, `and ${counted(seenMore, 'file')} more`);
  if (leftOut.length === 0) print(terminal, '\nnothing would be left out');
  else {
    print(terminal, `\nleft out: ${formatLeftOut(byRule)}`);
    print(terminal, table(leftOutColumns(path), leftOut));
    if (leftOutMore > 0) print(terminal, `and ${leftOutMore} more`);
  }
  if (cut !== null) note(terminal, cut);
  note(terminal, 'nothing was shared: without --dry-run it is');
}

export const seenColumns: Column<{ name: string; size: number; folder: string | null }>[] = [
  { title: 'NAME', of: row => row.name },
  { title: 'SIZE', of: row => formatBytes(row.size), right: true },
  { title: 'FOLDER', of: row => row.folder ?? '' },
];

function leftOutColumns(root: string): Column<PreviewView['leftOut'][number]>[] {
  return [
    { title: 'LEFT OUT', of: row => `${printable(relative(root, row.path))}${row.kind === 'folder' ? '/' : ''}` },
    { title: 'RULE', of: row => row.rule },
    { title: 'WHY', of: row => row.why },
  ];
}

export async function foldersOf(client: Client): Promise<FolderView[]> {
  const folders: FolderView[] = [];
  for await (const folder of everyItem(page => client.folders(page))) folders.push(folder);
  return folders;
}

/** Throws CommandError when it is not shared. */
export async function findFolder(client: Client, dir: string, { cwd }: Terminal): Promise<FolderView> {
  const folders = await foldersOf(client);
  const path = resolve(cwd, dir);
  // The daemon may know it by where a link leads; a folder that is gone can still be unshared.
  const real = await realpath(path).catch(() => path);
  const id = folders.some(folder => folder.path === real) ? null : idBegunWith(dir, folders, 'folders');
  const found = folders.find(folder => [path, real].includes(folder.path)) ?? folders.find(folder => folder.id === id);
  if (found === undefined) throw new CommandError(`${path} is not shared: "servent library" shows what is`);
  return found;
}
