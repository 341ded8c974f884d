// The categories of downloads as they are configured now.
import { join } from 'node:path';
import type { Batch } from '../../protocol/transfer/downloads/batch.ts';
import { type Category, categoryOf } from '../../protocol/transfer/downloads/category.ts';
import { nameByTemplate } from '../../protocol/transfer/downloads/name-template.ts';
import { safeFileName } from '../../protocol/transfer/file-name.ts';

export class DownloadCategories {
  readonly #folder: string;
  list: readonly Category[];

  /** `folder`: of downloads without a category, or without a folder of their own. */
  constructor(folder: string, list: readonly Category[]) {
    this.#folder = folder;
    this.list = list;
  }

  has(name: string): boolean {
    return this.#find(name) !== undefined;
  }

  folderOf(name: string | null): string {
    return this.#find(name)?.folder ?? this.#folder;
  }

  /** Where a finished file goes. */
  targetOf({ category, batch }: { category: string | null; batch: Batch | null }): string {
    const folder = this.folderOf(category);
    return batch === null ? folder : join(folder, batch.folder);
  }

  /** The category of files that belong together: that of most of them; null: none. */
  categoryOfAll(files: readonly { readonly name: string; readonly size: number | null }[]): string | null {
    const counts = new Map<string | null, number>();
    for (const { name, size } of files) {
      const category = categoryOf(this.list, name, size)?.name ?? null;
      counts.set(category, (counts.get(category) ?? 0) + 1);
    }
    const [most] = [...counts].sort(([, a], [, b]) => b - a);
    return most?.[0] ?? null;
  }

  /** Most downloads of a category that run. */
  turns(): Map<string, number> {
    return new Map(
      this.list.flatMap(({ name, maxActive }) => (maxActive === undefined ? [] : [[name, maxActive] as const])),
    );
  }

  /** The category of a new download, by its rules when it is not given, and its name there. */
  placeOf(
    wanted: string | null | undefined,
    name: string,
    size: number | null,
  ): { category: string | null; name: string } {
    const found = wanted === undefined ? categoryOf(this.list, name, size) : this.#find(wanted);
    if (found == null) return { category: null, name };
    const { name: category, nameTemplate } = found;
    return {
      category,
      name: nameTemplate === undefined ? name : nameByTemplate(nameTemplate, safeFileName(name), category),
    };
  }

  #find(wanted: string | null): Category | undefined {
    return this.list.find(({ name }) => name === wanted);
  }
}
