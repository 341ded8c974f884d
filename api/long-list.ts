// A list of up to a million rows. The order that a page was asked in is made after its answer and kept while the list stands still.
import type { ListRequest, Page } from './control.ts';
import type { Filter } from './filter.ts';
import { pageInOrder, pageOf } from './page.ts';
import { type Direct, readerOf } from './reader.ts';
import type { Sort } from './sort.ts';
import { sorting } from './sorting.ts';

/** Shorter lists are searched anew for each page, which takes a millisecond or two. */
const KEPT_FROM_ROWS = 5_000;
/** Orders that are kept, each a reference to every row. */
const ORDERS_MAX = 4;
/** Of sorting, before others have their turn. */
const TURN_MS = 4;

export interface LongListSource<R, T> {
  rows(): readonly R[];
  /** Differs whenever one of these fields may have another value in some row, or rows have come or gone. */
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
  /** By filter and sort, the one used last at the end. */
  readonly #orders = new Map<string, Kept<R>>();
  /** The order that is being made, one at a time; `done` when it is kept, or given up. */
  #sorting: { readonly name: string; readonly done: Promise<void> } | null = null;

  constructor(source: LongListSource<R, T>) {
    this.#source = source;
  }

  /** So many orders are kept. */
  get orders(): number {
    return this.#orders.size;
  }

  /**
   * What `pageOf` gives for the list as it is now. The first page in an order is looked for in all rows; the next one waits until they
   * are sorted, and those after it take no time.
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

  /** Given up as soon as the list changes: until it stands still each page is looked for by itself. */
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
          // The page that waits looks in all rows, and meets the same error where it is heard.
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
