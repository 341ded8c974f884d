// Reads values of a row by path of the field. Needs no schema.

/** Returns the value at a path; for a path through a list, an array of the values of its items. Own properties only. */
export function valueAt(value: unknown, path: readonly string[], from = 0): unknown {
  let at = value;
  for (let i = from; i < path.length; i++) {
    if (Array.isArray(at)) return at.flatMap(item => valueAt(item, path, i));
    if (typeof at !== 'object' || at === null) return null;
    const name = path[i] ?? '';
    if (!Object.hasOwn(at, name)) return null;
    at = (at as Record<string, unknown>)[name];
  }
  return at;
}

/** Functions that read a field of a row without making its view. */
export type Direct<R> = { readonly [path: string]: (row: R) => unknown };

/** Returns the reader of a field. Makes the view of a row at most once, and only for fields that are not `direct`. */
export type Reader<R> = (path: string) => (row: R) => unknown;

export function readerOf<R>(view: (row: R) => unknown, direct: Direct<R>): Reader<R> {
  let lastRow: R | undefined;
  let lastView: unknown = null;
  return path => {
    const shortcut = Object.hasOwn(direct, path) ? direct[path] : undefined;
    if (shortcut !== undefined) return shortcut;
    const names = path.split('.');
    return row => {
      if (row !== lastRow) [lastRow, lastView] = [row, view(row)];
      return valueAt(lastView, names);
    };
  };
}
