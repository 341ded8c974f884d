// The admin API's orders for shared folders, with refusals that say what to do.
import { resolve } from 'node:path';
import type {
  ById,
  ChangeFolderInput,
  FolderView,
  PreviewFolderInput,
  PreviewView,
  ShareFolderInput,
} from '../../api/control.ts';
import { invalid, notFound } from '../../api/errors.ts';
import { counted, formatBytes } from '../../api/format.ts';
import { excludePattern } from '../../settings/exclusion.ts';
import type { Library } from '../library/library.ts';
import type { FolderChoices } from '../library/shared-folder.ts';
import { folderView } from '../views/library.ts';

export class SharedFolders {
  readonly #library: Library;

  constructor(library: Library) {
    this.#library = library;
  }

  async share({ path, ...given }: ShareFolderInput): Promise<FolderView> {
    const choices = choicesOf(given);
    return folderView(await this.#library.addFolder(resolve(path), choices));
  }

  async change({ id, ...given }: ById & ChangeFolderInput): Promise<FolderView> {
    const choices = choicesOf(given);
    this.#mustKnow(id);
    return folderView(await this.#library.changeFolder(id, choices));
  }

  async preview({ path, limit, ...given }: PreviewFolderInput): Promise<PreviewView> {
    const whole = resolve(path);
    const found = await this.#library.preview(whole, choicesOf(given), limit);
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
  }

  async unshare({ id }: ById): Promise<void> {
    this.#mustKnow(id);
    await this.#library.removeFolder(id);
  }

  #mustKnow(id: string): void {
    if (!this.#library.folders().some(folder => folder.id === id)) throw notFound('shared folder', id);
  }
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
