// Prints one line per row by a template: `{{.name}} {{.peers.leaves}} {{json .sources}}`, a subset of Go templates.
import { valueAt } from '../api/reader.ts';
import { usageError } from './failure.ts';

/** Compiles a template; throws a usage error for an invalid placeholder. */
export function templateOf(text: string): (rows: readonly unknown[]) => string[] {
  const parts = text
    .replaceAll('\\t', '\t')
    .replaceAll('\\n', '\n')
    .split(/\{\{(.*?)\}\}/s);
  const pieces = parts.map((part, i) => (i % 2 === 0 ? () => part : pieceOf(part)));
  return rows => rows.map(row => pieces.map(piece => piece(row, rows)).join(''));
}

type Piece = (row: unknown, rows: readonly unknown[]) => string;

function pieceOf(text: string): Piece {
  const [, json, path] = /^\s*(json\s+)?\.?([\w.-]*)\s*$/.exec(text) ?? [];
  if (path === undefined) throw usageError(`--template: expected {{.field}} or {{json .field}}, got {{${text}}}`);
  const names = path === '' ? [] : path.split('.');
  return (row, rows) => {
    const value = names.length === 0 ? row : valueAt(row, names);
    if (value === null && !rows.some(other => has(other, names))) throw noField(path, rows);
    if (json !== undefined) return JSON.stringify(value);
    return value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
  };
}

/** True if the row has the field. */
function has(row: unknown, [name = '', ...rest]: readonly string[]): boolean {
  if (name === '') return true;
  if (Array.isArray(row)) return row.length === 0 || row.some(item => has(item, [name, ...rest]));
  if (typeof row !== 'object' || row === null) return false;
  if (!Object.hasOwn(row, name)) return false;
  const inner = (row as Record<string, unknown>)[name];
  return inner === null || has(inner, rest);
}

function noField(path: string, rows: readonly unknown[]): Error {
  const known = [...new Set(rows.flatMap(row => (typeof row === 'object' && row !== null ? Object.keys(row) : [])))];
  return usageError(`--template: unknown field ${path}; fields are ${known.join(', ')}`);
}
