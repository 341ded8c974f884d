// Values of a row by the path of their field; without a schema, so that clients may use it.

/** The value at a path; through lists, an array of what is there. Own properties only. */
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

/** How a value of a row is had without making its whole view: for the fields that large lists are searched by. */
export type Direct<R> = { readonly [path: string]: (row: R) => unknown };

/** Gives the reader of a field. A view is made at most once for each row, and only for fields that are not `direct`. */
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
