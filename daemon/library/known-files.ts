// What the store knows of files on the disk: the record of a found file, whether to believe it, and what a reading adds to it.
import { base32OrNull, formatBase32, SHA1_BYTES, TIGER_BYTES } from '../../protocol/wire/urn.ts';
import type { FileRecord, FileStore } from '../store/files.ts';
import type { KnownContent, ListedFile } from './catalog.ts';
import { type Evidence, inodeOf } from './evidence.ts';
import type { FoundFile } from './scanner.ts';

export class KnownFiles {
  readonly #store: FileStore;
  /** Stamp of the rules that first bytes are checked against. */
  readonly #stamp: string;

  constructor(store: FileStore, stamp: string) {
    this.#store = store;
    this.#stamp = stamp;
  }

  /**
   * Records of found files, by path or by inode: a file that was renamed, or another name of a known one, keeps hash and tree. It has a new
   * change time, so it is checked afterwards.
   */
  async lookUp(found: readonly FoundFile[]): Promise<(FileRecord | undefined)[]> {
    const records = await this.#store.lookUp(found.map(({ path }) => path));
    const strange = found.flatMap((file, i) => {
      const inode = inodeOf(file);
      return inode === null || isRecordOf(records[i], file, inode) ? [] : [{ file, i, inode }];
    });
    const renamed = await this.#store.lookUpInodes(strange.map(({ inode }) => inode));
    for (const [n, { file, i, inode }] of strange.entries()) {
      const old = renamed[n];
      if (old === undefined || old.record.inode !== inode || !isRecordOf(old.record, file, inode)) continue;
      const { awaySince: _, ...record } = { ...old.record, dev: file.dev };
      const leaves = record.tiger === undefined ? null : await this.#store.leavesOf(old.path);
      this.#store.remember(file.path, record, leaves);
      records[i] = record;
    }
    return records;
  }

  /**
   * The record, if size and date are those of the file; it is written anew where it is stale. A file whose change time alone is another is
   * shared, and checked afterwards; one that is not shared in any case, or is to be read, is hashed at once.
   */
  believed(file: FoundFile, record: FileRecord | undefined): FileRecord | null {
    if (record?.size !== file.size || record.mtimeMs !== file.mtimeMs) return null;
    const isShared = record.rule === undefined && record.differs !== true && this.isJudged(record);
    if (!isShared && isSuspect(record, file)) return null;
    if (this.isJudged(record) && isStale(record, file)) this.#renew(file, record);
    return record;
  }

  #renew(file: FoundFile, record: FileRecord): void {
    const { awaySince: _, ...kept } = record;
    const inode = inodeOf(file) ?? undefined;
    const now = isSuspect(record, file) ? {} : { ctimeMs: file.ctimeMs, ...(inode === undefined ? {} : { inode }) };
    this.#store.remember(file.path, { ...kept, dev: file.dev, ...now });
  }

  /** Whether its first bytes were checked against the present rules. */
  isJudged({ judged }: FileRecord): boolean {
    return judged === this.#stamp;
  }

  /** `evidence`: what was told of the file when it had this content. */
  remember(
    file: Pick<FoundFile, 'path' | 'size' | 'mtimeMs' | 'dev'>,
    { sha1, tigerRoot }: KnownContent,
    evidence: Evidence,
    leaves: Uint8Array | null = null,
  ): void {
    const { path, size, mtimeMs, dev } = file;
    const { ctimeMs } = evidence;
    const record: FileRecord = { size, mtimeMs, ctimeMs, sha1: formatBase32(sha1), dev, judged: this.#stamp };
    const inode = inodeOf(evidence);
    if (inode !== null) record.inode = inode;
    if (tigerRoot !== null) record.tiger = formatBase32(tigerRoot);
    this.#store.remember(path, record, leaves);
  }

  /** Stores that a file is excluded, so that later scans do not read it. */
  withhold({ path, size, mtimeMs, ctimeMs, dev }: ListedFile, rule: string): void {
    this.#store.remember(path, { size, mtimeMs, ctimeMs, sha1: '', dev, judged: this.#stamp, rule });
  }

  /** Stores that a file has another content than its record says, under the same dates. */
  markDiffering(path: string, record: FileRecord): void {
    this.#store.remember(path, { ...record, differs: true });
  }

  /** Resolves when all is written. */
  flush(): Promise<void> {
    return this.#store.flush();
  }
}

/** Whether a file found with size and date of its record may have another content. */
export const isSuspect = ({ ctimeMs }: FileRecord, file: FoundFile): boolean =>
  (ctimeMs ?? file.ctimeMs) !== file.ctimeMs;

/** Whether the record is to be written anew though its content is right. */
const isStale = (record: FileRecord, file: FoundFile): boolean =>
  record.dev !== file.dev ||
  record.awaySince !== undefined ||
  (record.inode !== (inodeOf(file) ?? undefined) && !isSuspect(record, file) && record.rule === undefined) ||
  record.ctimeMs === undefined;

/** Whether the record is that of this file, wherever it lies. */
const isRecordOf = (record: FileRecord | undefined, file: FoundFile, inode: string): boolean =>
  record?.size === file.size && record.mtimeMs === file.mtimeMs && (record.inode ?? inode) === inode;

/** Null for a file whose content is not known. */
export function contentOf({ sha1: digits, tiger }: FileRecord): KnownContent | null {
  const sha1 = base32OrNull(digits);
  if (sha1?.length !== SHA1_BYTES) return null;
  const tigerRoot = tiger === undefined ? null : base32OrNull(tiger);
  return { sha1, tigerRoot: tigerRoot?.length === TIGER_BYTES ? tigerRoot : null };
}
