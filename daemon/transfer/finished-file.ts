// Where the finished file of a download is: it is put there, put back after it was fetched again, renamed, and opened for others.
import type { Stats } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CodedError } from '../../protocol/errors.ts';
import { safeFileName } from '../../protocol/transfer/file-name.ts';
import type { RangeSet } from '../../protocol/transfer/range-set.ts';
import type { PlacedFile } from '../store/downloads.ts';
import { diskError } from './disk-error.ts';
import { deletePart } from './part-description.ts';
import type { PartVerifier } from './part-verifier.ts';
import { place, placeFile, removeCopy, replaceFile, sameFile, syncFile } from './place-file.ts';
import { type FileContent, reclaim } from './second-look.ts';

/** The file cannot have the name. */
export class RenameError extends CodedError<'NAME_TAKEN' | 'FILE_GONE' | 'FILE_IN_USE'> {}

export class FinishedFile {
  /** Null: it is not finished. */
  path: string | null;
  /** What was put there; null: not known. */
  placed: PlacedFile | null;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(path: string | null, placed: PlacedFile | null) {
    this.path = path;
    this.placed = placed;
  }

  /** Runs `work` when what is done with the file already is over: it is placed, renamed and looked through one after the other. */
  alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#turn.then(work);
    this.#turn = Promise.allSettled([done]); // a failure goes to the caller
    return done;
  }

  /**
   * Where it goes: one that was finished before, and changed since, is put where it was, unless another file is there meanwhile, of the user
   * or of another download; files in folders of the user are left as they are.
   */
  async take(part: string, folder: string, name: string, isOthers: (path: string) => boolean): Promise<string> {
    const path = await this.#put(part, folder, name, isOthers);
    await this.note(path);
    return path;
  }

  async #put(part: string, folder: string, name: string, isOthers: (path: string) => boolean): Promise<string> {
    const { path } = this;
    if (path === null || dirname(path) !== folder || isOthers(path)) return placeFile(part, folder, name);
    const found = placedBy(await this.#found());
    if (found !== null && isSameInode(found, this.placed)) return replaceFile(part, path);
    return placeFile(part, folder, basename(path));
  }

  /** The file there has the content of the download: a change from now on is somebody else's. */
  async note(path = this.path): Promise<void> {
    this.placed = placedBy(await this.#found(path));
  }

  /** Makes a part file of it when it is not right: gives the bytes there are of it. Null: it is right. */
  async reclaim(part: string, content: FileContent, verifier: PartVerifier): Promise<RangeSet | null> {
    const found = await this.#found(); // before it is read, as it may change meanwhile
    const there = await reclaim(this.path ?? '', part, content, verifier);
    if (there === null) this.placed = placedBy(found);
    return there;
  }

  /** Removes what placing left beside the file: the part file, which is a link to it, and the copy for another volume. */
  async settle(part: string): Promise<void> {
    await this.#ownChange(async () => {
      if (this.path !== null) await removeCopy(part, dirname(this.path));
      await deletePart(part);
    });
  }

  /** To be read by others. Null: it is gone, or its owner changed it, which size and modification time may not show. */
  openUnchanged(): Promise<FileHandle | null> {
    return this.alone(async () => {
      const handle = this.path === null ? null : await open(this.path, 'r').catch(() => null);
      if (handle === null || this.#isUnchanged(await handle.stat())) return handle;
      await handle.close();
      return null;
    });
  }

  /** A new name, or a link that goes, is a change of the file: of ours what it was before stays known. */
  async #ownChange(change: () => Promise<void>): Promise<void> {
    const wasUnchanged = this.#isUnchanged(await this.#found());
    await change();
    if (wasUnchanged) await this.note();
  }

  #isUnchanged(found: Stats | null): boolean {
    const now = placedBy(found);
    return now !== null && isSameInode(now, this.placed) && now.changedAt === this.placed?.changedAt;
  }

  #found(path = this.path): Promise<Stats | null> {
    return path === null ? Promise.resolve(null) : stat(path).catch(() => null);
  }

  /** `then`: it has the name. Before it is finished there is no file to rename. Rejects with RenameError, DiskError. */
  async rename(name: string, isInUse: () => boolean, then: () => void): Promise<void> {
    this.#check(isInUse()); // now, as its hashes take long
    await this.alone(async () => {
      this.#check(isInUse());
      await this.#ownChange(async () => {
        if (this.path !== null) this.path = await renameFile(this.path, name);
      });
      then();
    });
  }

  #check(isInUse: boolean): void {
    if (this.path !== null && isInUse)
      throw new RenameError('FILE_IN_USE', 'its finished file is looked through or fetched again: try it again later');
  }
}

function placedBy(found: Stats | null): PlacedFile | null {
  return found && { inode: found.ino, bornAt: found.birthtimeMs, changedAt: found.ctimeMs };
}

function isSameInode(one: PlacedFile, other: PlacedFile | null): boolean {
  return one.inode === other?.inode && one.bornAt === other.bornAt;
}

/** Gives a file another name in its folder, and resolves with its path. Throws RenameError, DiskError. */
async function renameFile(path: string, name: string): Promise<string> {
  const folder = dirname(path);
  const renamed = join(folder, safeFileName(name));
  if (renamed === path) return path;
  try {
    // where capitals do not count both names may be of one file
    if (await sameFile(path, renamed)) await rename(path, renamed);
    else if (await place(path, renamed)) await rm(path, { force: true });
    else throw new RenameError('NAME_TAKEN', `${renamed} exists already, and is not overwritten`);
    await syncFile(folder);
    return renamed;
  } catch (error) {
    if (error instanceof RenameError) throw error;
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw new RenameError('FILE_GONE', `${path} is not there any more`, { cause: error });
    throw diskError(error, folder);
  }
}
