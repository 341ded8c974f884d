// Pages of a list of up to a million rows. Sorts in the background after the first page and keeps the order until the list changes.
import type { ListRequest, Page } from './control.ts';
import type { Filter } from './filter.ts';
import { pageInOrder, pageOf } from './page.ts';
import { type Direct, readerOf } from './reader.ts';
import type { Sort } from './sort.ts';
import { sorting } from './sorting.ts';

/** Shorter lists are not kept in order: a page takes at most 2 ms. */
const KEPT_FROM_ROWS = 5_000;
/** Most orders kept; each has a reference to every row. */
const ORDERS_MAX = 4;
/** Time of sorting between two turns of the event loop. */
const TURN_MS = 4;

export interface LongListSource<R, T> {
  rows(): readonly R[];
  /** Returns a text that changes when a row is added or removed or one of these fields changes in a row. */
  versionOf(paths: readonly string[]): string;
  keyOf(row: R): string;
  view(row: R): T;
  direct: Direct<R>;
}

interface Kept<R> {
  readonly version: string;
  readonly rows: readonly R[];
}

export class LongList<R, T> {
  readonly #source: LongListSource<R, T>;
  /** Orders by filter and sort, least recently used first. */
  readonly #orders = new Map<string, Kept<R>>();
  /** Order being sorted; `done` resolves when it is kept or abandoned. */
  #sorting: { readonly name: string; readonly done: Promise<void> } | null = null;

  constructor(source: LongListSource<R, T>) {
    this.#source = source;
  }

  get orders(): number {
    return this.#orders.size;
  }

  /**
   * Returns the same page as `pageOf`. The first page of an order scans all rows; the next one waits until they
   * are sorted; later pages need no scan.
   */
  async page(request: ListRequest): Promise<Page<T>> {
    const { rows, keyOf, view, direct } = this.#source;
    const { sort, filter } = request;
    if (sort === undefined || filter?.isRelative === true) return pageOf(rows(), request, keyOf, view, direct);
    const name = JSON.stringify([sort.text, filter?.text]);
    if (this.#sorting?.name === name) await this.#sorting.done;
    const kept = this.#find(name, this.#version(sort, filter));
    if (kept !== null) return pageInOrder(kept, request, sort, keyOf, view, direct);
    const all = rows();
    if (all.length >= KEPT_FROM_ROWS && this.#sorting === null) this.#sort(name, all, sort, filter);
    return pageOf(all, request, keyOf, view, direct);
  }

  #version(sort: Sort, filter: Filter | undefined): string {
    return this.#source.versionOf([...sort.keys.map(({ path }) => path), ...(filter?.paths ?? [])]);
  }

  #find(name: string, version: string): readonly R[] | null {
    const kept = this.#orders.get(name);
    if (kept === undefined) return null;
    this.#orders.delete(name);
    if (kept.version !== version) return null;
    this.#orders.set(name, kept);
    return kept.rows;
  }

  /** Sorts in slices of TURN_MS; stops when the list changes. */
  #sort(name: string, rows: readonly R[], sort: Sort, filter: Filter | undefined): void {
    const { keyOf, view, direct } = this.#source;
    const begun = this.#version(sort, filter);
    const reader = readerOf(view, direct);
    const steps = sorting(rows, filter?.compile(reader) ?? null, sort.compile(reader), keyOf);
    const turn = (): boolean => {
      const end = performance.now() + TURN_MS;
      while (performance.now() < end && this.#version(sort, filter) === begun) {
        const { done, value } = steps.next();
        if (done === true) return this.#keep(name, { version: begun, rows: value });
      }
      return this.#version(sort, filter) !== begun;
    };
    const done = new Promise<void>(resolve => {
      const go = (): void => {
        try {
          if (!turn()) {
            setImmediate(go);
            return;
          }
        } catch {
          // The waiting page scans all rows and throws the same error to its caller.
        }
        this.#sorting = null;
        resolve();
      };
      setImmediate(go);
    });
    this.#sorting = { name, done };
  }

  #keep(name: string, kept: Kept<R>): true {
    this.#orders.set(name, kept);
    const [oldest] = this.#orders.keys();
    if (this.#orders.size > ORDERS_MAX && oldest !== undefined) this.#orders.delete(oldest);
    return true;
  }
}
