// Prints answers as CSV (RFC 4180): one line per item, one column per field, nested fields with dotted names.

/** The items of a list answer, or the answer as the only row. */
export function rowsOf(value: unknown): unknown[] {
  if (typeof value === 'object' && value !== null && 'items' in value && Array.isArray(value.items)) return value.items;
  return Array.isArray(value) ? value : [value];
}

/** Columns in order of first appearance; empty text for no rows. */
export function csv(rows: readonly unknown[]): string {
  let text = '';
  csvWriter(part => {
    text += part;
  })(rows);
  return text;
}

/** Writes rows as they come; the first call fixes the columns. */
export function csvWriter(write: (text: string) => void): (rows: readonly unknown[]) => void {
  let columns: readonly string[] = [];
  return rows => {
    const isFirst = columns.length === 0;
    const [titles = [], ...lines] = cellsOf(rows, columns);
    columns = titles;
    if (columns.length === 0) return;
    for (const cells of isFirst ? [titles, ...lines] : lines) write(`${cells.map(quoted).join(',')}\r\n`);
  };
}

/** The column titles, then the cells of each row. */
export function cellsOf(rows: readonly unknown[], columns: readonly string[] = []): string[][] {
  const flat = rows.map(row => {
    const cells = new Map<string, string>();
    flatten(row, '', cells);
    return cells;
  });
  const titles = columns.length > 0 ? [...columns] : [...new Set(flat.flatMap(cells => [...cells.keys()]))];
  return [titles, ...flat.map(cells => titles.map(title => cells.get(title) ?? ''))];
}

/** Adds the cells of a value; a list is one cell of JSON. */
function flatten(value: unknown, path: string, cells: Map<string, string>): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [name, inner] of Object.entries(value)) flatten(inner, path === '' ? name : `${path}.${name}`, cells);
    return;
  }
  const text =
    value === null || value === undefined ? '' : Array.isArray(value) ? JSON.stringify(value) : String(value);
  cells.set(path === '' ? 'value' : path, text);
}

/** Quotes a cell. Text from the network that begins like a formula gets a "'", so that a spreadsheet does not run it. */
function quoted(text: string): string {
  const safe = /^[=+@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
