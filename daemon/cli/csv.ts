// Answers as lines: one per item of a list; CSV (RFC 4180) with a column for each field, inner fields dotted.

/** The items of a list, or the one thing that was answered. */
export function rowsOf(value: unknown): unknown[] {
  if (typeof value === 'object' && value !== null && 'items' in value && Array.isArray(value.items)) return value.items;
  return Array.isArray(value) ? value : [value];
}

/** Columns in the order of their first appearance; nothing at all for no rows. */
export function csv(rows: readonly unknown[]): string {
  const flat = rows.map(row => {
    const cells = new Map<string, string>();
    flatten(row, '', cells);
    return cells;
  });
  const columns = [...new Set(flat.flatMap(cells => [...cells.keys()]))];
  if (columns.length === 0) return '';
  const lines = [columns, ...flat.map(cells => columns.map(column => cells.get(column) ?? ''))];
  return lines.map(cells => `${cells.map(quoted).join(',')}\r\n`).join('');
}

/** Lists stay one cell, as JSON: their length differs from row to row. */
function flatten(value: unknown, path: string, cells: Map<string, string>): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [name, inner] of Object.entries(value)) flatten(inner, path === '' ? name : `${path}.${name}`, cells);
    return;
  }
  const text =
    value === null || value === undefined ? '' : Array.isArray(value) ? JSON.stringify(value) : String(value);
  cells.set(path === '' ? 'value' : path, text);
}

/** Strangers choose names: one that begins like a formula must not become one in a spreadsheet. */
function quoted(text: string): string {
  const safe = /^[=+@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
