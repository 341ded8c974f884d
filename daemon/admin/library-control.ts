// The admin API's operations on shared files and folders, with refusals that say what to do.
import { resolve } from 'node:path';
import type { ChangeFolderInput, Control } from '../../api/control.ts';
import { invalid, notFound } from '../../api/errors.ts';
import { counted, formatBytes } from '../../api/format.ts';
import { pageOf } from '../../api/page.ts';
import { excludePattern } from '../../settings/exclusion.ts';
import type { FolderChoices, FolderStatus } from '../library/shared-folder.ts';
import { fileView, folderView, hashingView } from '../views/library.ts';
import type { ControlParts } from './control-parts.ts';
import { FileCursors, fileList } from './lists.ts';

type LibraryControl = Pick<
  Control,
  | 'files'
  | 'folders'
  | 'shareFolder'
  | 'changeFolder'
  | 'previewFolder'
  | 'unshareFolder'
  | 'rescan'
  | 'rescanFolder'
  | 'scrub'
  | 'hashing'
  | 'cancelHashing'
>;

export function libraryControl(parts: Pick<ControlParts, 'library' | 'startedAt' | 'log'>): LibraryControl {
  const { library, startedAt, log } = parts;
  const sortable = fileList(library);
  const cursors = new FileCursors(startedAt);

  /** Throws NOT_FOUND. */
  const folderOf = (id: string): FolderStatus => {
    const folder = library.folders().find(folder => folder.id === id);
    if (folder === undefined) throw notFound('shared folder', id);
    return folder;
  };

  const rescan = (id?: string): void => {
    library.rescan(id).catch((err: unknown) => log.error({ err }, 'the rescan failed'));
  };

  return {
    files: input => {
      const { limit, cursor, filter, sort } = input;
      if (filter !== undefined || sort !== undefined) return sortable.page(input);
      const after = cursor === undefined ? -1 : cursors.indexOf(cursor);
      const entries = library.list(after, limit);
      const last = entries.at(-1);
      const more = last !== undefined && library.list(last.index, 1).length > 0;
      return {
        items: entries.map(entry => fileView(entry, library.playFactsOf(entry.index))),
        next: more ? cursors.after(last.index) : null,
      };
    },

    folders: input => pageOf(library.folders(), input, ({ id }) => id, folderView),

    shareFolder: async ({ path, ...given }) => {
      const choices = choicesOf(given);
      return folderView(await library.addFolder(resolve(path), choices));
    },

    changeFolder: async ({ id, ...given }) => {
      const choices = choicesOf(given);
      return folderView(await library.changeFolder(folderOf(id).id, choices));
    },

    previewFolder: async ({ path, limit, ...given }) => {
      const whole = resolve(path);
      const found = await library.preview(whole, choicesOf(given), limit);
      const { files, bytes, seen, leftOut, leftOutMore, byRule, isCut } = found;
      const cut = `there was no time for all of it: cut short after ${counted(files, 'file')}, ${formatBytes(bytes)}`;
      return {
        path: whole,
        files,
        bytes,
        seen: [...seen],
        seenMore: files - seen.length,
        leftOut: [...leftOut],
        leftOutMore,
        byRule: [...byRule],
        cut: isCut ? cut : null,
      };
    },

    unshareFolder: async ({ id }) => {
      await library.removeFolder(folderOf(id).id);
    },

    rescan: () => {
      rescan();
      return { folders: library.folders().length };
    },

    rescanFolder: ({ id }) => {
      rescan(folderOf(id).id);
      return folderView(folderOf(id));
    },

    scrub: () => {
      library.scrub();
      return { files: library.files, bytes: library.bytes };
    },

    hashing: () => hashingView(library),
    cancelHashing: () => library.cancel(),
  };
}

/** What was given, its patterns checked. Throws ApiError. */
function choicesOf({ exclude, force, label }: ChangeFolderInput): Partial<FolderChoices> {
  for (const [i, pattern] of exclude?.entries() ?? [])
    if (!excludePattern.check(pattern).ok)
      throw invalid(`exclude.${i}`, `expected ${excludePattern.expected}, got ${JSON.stringify(pattern)}`);
  return {
    ...(exclude === undefined ? {} : { exclude }),
    ...(force === undefined ? {} : { force }),
    ...(label === undefined ? {} : { label }),
  };
}
