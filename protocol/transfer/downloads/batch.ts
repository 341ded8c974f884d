// Downloads that were asked for together: what their folder is called.
import { safeFileName } from '../file-name.ts';

export interface Batch {
  readonly id: string;
  readonly name: string;
  /** Its folder, in that of downloads or of their category; one name without a path. */
  readonly folder: string;
}

export const BATCH_FILES_MAX = 1000;

/** Fewer say nothing: `a`, `01`. */
const COMMON_CHARACTERS_MIN = 3;

/** A file of a batch: its name, and the folder in which a servent has it. */
export interface BatchFile {
  readonly name: string;
  readonly folder: string | null;
}

/** The folder in which all of them are, by its last part, else what their names begin with; null: they have nothing in common. */
export function commonNameOf(files: readonly BatchFile[]): string | null {
  const [first] = files;
  if (first === undefined) return null;
  if (first.folder !== null && files.every(({ folder }) => folder === first.folder))
    return first.folder.split('/').at(-1) ?? null;
  if (files.length === 1) return null;
  let { length } = first.name;
  for (const { name } of files) {
    let same = 0;
    while (same < length && name[same] === first.name[same]) same++;
    length = same;
  }
  const common = first.name
    .slice(0, length)
    .replace(/[\p{L}\p{N}]+$/u, part => (isWhole(files, length) ? part : ''))
    .replace(/[\s._([{-]+$/, '');
  return common.length < COMMON_CHARACTERS_MIN ? null : common;
}

/** No name goes on with a letter or digit: what they have in common does not end within a word. */
function isWhole(files: readonly BatchFile[], length: number): boolean {
  return files.every(({ name }) => !/[\p{L}\p{N}]/u.test(name.charAt(length)));
}

/** Names of a folder in the order in which they are tried. */
export function* folderNames(name: string): Generator<string> {
  const safe = safeFileName(name);
  yield safe;
  for (let number = 2; ; number++) yield `${safe} (${number})`;
}
