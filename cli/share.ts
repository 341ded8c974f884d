// share: shares a folder, previews it, or changes its options.
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
  servent share ~/Music --dry-run           files others would see, and those left out
  servent share ~/Music --exclude '*.iso' --exclude /drafts/
  servent share ~/Music --exclude ''        nothing is excluded any more
  servent share ~/Music --label Music       browsing shows the folders as Music/…`;

export function shareCommand(terminal: Terminal): Command {
  return clientCommand('share', 'share a folder and its subfolders, or change the options of a shared one')
    .argument('<dir>', 'a folder on the machine of the daemon')
    .option('--dry-run', 'share nothing: show the files other servents would see, and those left out by each rule')
    .option(
      '--exclude <pattern>',
      'leave out files that match this gitignore pattern (repeatable); replaces earlier patterns',
      (pattern: string, earlier: string[] = []) => [...earlier, pattern],
    )
    .option('--label <name>', 'name shown in place of the path when browsed; "" shows file names only')
    .option('--force', 'allow a system folder, a home folder or a whole disk; secrets in it are still left out')
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
      if (folder.exclude.length > 0) note(terminal, `leaving out ${folder.exclude.join(', ')}`);
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
  print(terminal, `other servents would see ${counted(files, 'file')}, ${formatBytes(bytes)}, of ${path}`);
  if (seen.length > 0) print(terminal, table(seenColumns, seen));
  if (seenMore > 0) print(terminal, `and ${counted(seenMore, 'file')} more`);
  if (leftOut.length === 0) print(terminal, '\nnothing would be left out');
  else {
    print(terminal, `\nleft out: ${formatLeftOut(byRule)}`);
    print(terminal, table(leftOutColumns(path), leftOut));
    if (leftOutMore > 0) print(terminal, `and ${leftOutMore} more`);
  }
  if (cut !== null) note(terminal, cut);
  note(terminal, 'nothing was shared: run it without --dry-run to share');
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

/** Finds a shared folder by path or id; throws CommandError when it is not shared. */
export async function findFolder(client: Client, dir: string, { cwd }: Terminal): Promise<FolderView> {
  const folders = await foldersOf(client);
  const path = resolve(cwd, dir);
  // the daemon resolves links; a folder that no longer exists can still be unshared
  const real = await realpath(path).catch(() => path);
  const id = folders.some(folder => folder.path === real) ? null : idBegunWith(dir, folders, 'folders');
  const found = folders.find(folder => [path, real].includes(folder.path)) ?? folders.find(folder => folder.id === id);
  if (found === undefined) throw new CommandError(`${path} is not shared: "servent library" lists shared folders`);
  return found;
}
