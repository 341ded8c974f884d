// A library that shares names, or files with content, for servents on a virtual network.
import type { ContentFiles, Searchable, SharedFile } from '../../protocol/search/shared-file.ts';
import { nameWords } from '../../protocol/search/tokenizer.ts';
import type { Query } from '../../protocol/wire/query.ts';

/** What a file is made of; hashed when its hashes are asked for. */
export interface SharedContent {
  readonly size: number;
  readonly sha1: Buffer;
  readonly tigerRoot: Buffer;
}

/** Shares names; every word of a query must be part of a name. Plain, since searching is not what is tested here. */
export class VirtualLibrary implements Searchable, ContentFiles {
  readonly #files: SharedFile[] = [];

  share(...names: string[]): void {
    for (const name of names) this.add(name, Buffer.alloc(20, this.#files.length + 1));
  }

  add(name: string, sha1: Buffer, modifiedAt = 0): void {
    const index = this.#files.length;
    this.#files.push({ index, name, size: 1000 + index, sha1, tigerRoot: null, modifiedAt });
  }

  addContent(name: string, content: SharedContent): void {
    this.#files.push({
      ...{ index: this.#files.length, name, size: content.size, modifiedAt: 0 },
      get sha1() {
        return content.sha1;
      },
      get tigerRoot() {
        return content.tigerRoot;
      },
    });
  }

  removeFile(sha1: Buffer): void {
    const at = this.#files.findIndex(file => file.sha1.equals(sha1));
    if (at >= 0) this.#files.splice(at, 1);
  }

  byIndex(index: number): SharedFile | null {
    return this.#files[index] ?? null;
  }

  bySha1(sha1: Buffer): SharedFile | null {
    return this.#files.find(file => file.sha1.equals(sha1)) ?? null;
  }

  byTigerRoot(root: Buffer): SharedFile | null {
    return this.#files.find(({ tigerRoot }) => tigerRoot?.equals(root) === true) ?? null;
  }

  newest(count: number, since: number): SharedFile[] {
    const fresh = this.#files.filter(({ modifiedAt }) => modifiedAt >= since);
    return fresh.sort((a, b) => b.modifiedAt - a.modifiedAt).slice(0, count);
  }

  get files(): number {
    return this.#files.length;
  }

  get bytes(): number {
    return this.#files.reduce((sum, { size }) => sum + size, 0);
  }

  words(): Iterable<string> {
    return new Set(this.shared().flatMap(({ name }) => nameWords(name)));
  }

  shared(): readonly SharedFile[] {
    return this.#files;
  }

  match({ text, urns }: Query, hitsMax: number): SharedFile[] {
    const words = wordsOf(text);
    const has = (file: SharedFile): boolean =>
      urns.some(urn => urn.sha1?.equals(file.sha1) === true) || hasAll(file, words);
    return this.#files.filter(has).slice(0, hitsMax);
  }

  /** Whether each word of the text is part of the file's name. */
  matches(file: SharedFile, text: string): boolean {
    return hasAll(file, wordsOf(text));
  }
}

/** The last text and its words: one query comes to many libraries. */
let asked: { readonly text: string; readonly words: readonly string[] } = { text: '', words: [] };

function wordsOf(text: string): readonly string[] {
  if (text !== asked.text) {
    const words = text.toLowerCase().split(/[^\p{L}\p{N}]+/u);
    asked = { text, words: words.filter(word => word !== '') };
  }
  return asked.words;
}

function hasAll({ name }: SharedFile, words: readonly string[]): boolean {
  const lower = name.toLowerCase();
  return words.length > 0 && words.every(word => lower.includes(word));
}
