// A library that shares names, for servents on a virtual network.
import type { Searchable, SharedFile } from '../../protocol/search/shared-file.ts';
import { nameWords } from '../../protocol/search/tokenizer.ts';
import type { Query } from '../../protocol/wire/query.ts';

/** Shares names; every word of a query must be part of a name. Plain, since searching is not what is tested here. */
export class VirtualLibrary implements Searchable {
  readonly #files: SharedFile[] = [];

  share(...names: string[]): void {
    for (const name of names) this.add(name, Buffer.alloc(20, this.#files.length + 1));
  }

  add(name: string, sha1: Buffer, modifiedAt = 0): void {
    const index = this.#files.length;
    this.#files.push({ index, name, size: 1000 + index, sha1, tigerRoot: null, modifiedAt });
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
    const words = text
      .toLowerCase()
      .split(/[^\p{L}\p{N}]+/u)
      .filter(word => word !== '');
    const matches = ({ name, sha1 }: SharedFile): boolean =>
      urns.some(urn => urn.sha1?.equals(sha1) === true) ||
      (words.length > 0 && words.every(word => name.toLowerCase().includes(word)));
    return this.#files.filter(matches).slice(0, hitsMax);
  }
}
