// The environment of a command (streams, variables, folder), which tests replace.
import { cellsOf, csvWriter, rowsOf } from './csv.ts';
import { table } from './table.ts';

export interface Out {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** Reports failed writes; without a listener they end the process. */
  on?(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
  /** Set for a terminal. */
  readonly rows?: number;
  readonly columns?: number;
}

export interface Terminal {
  readonly stdout: Out;
  readonly stderr: Out;
  /** Default: the standard input of the process. */
  readonly stdin?: NodeJS.ReadableStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Ends commands that otherwise run until Ctrl-C. */
  readonly signal?: AbortSignal;
  /** Format of answers for programs; default JSON. */
  readonly format?: OutputFormat;
  /** Turns rows into lines, for the format `template`. */
  readonly template?: (rows: readonly unknown[]) => string[];
  /** Set by `--curl`: receives each call; calls that change something are not sent. */
  readonly curl?: (text: string) => void;
}

export const OUTPUT_FORMATS = ['table', 'json', 'ndjson', 'csv', 'template'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

export function print(terminal: Terminal, text: string): void {
  terminal.stdout.write(`${text}\n`);
}

/** Prints to standard error, except for programs. */
export function note(terminal: Terminal, text: string): void {
  terminal.stderr.write(`${text}\n`);
}

/**
 * Prints an answer in the chosen format. JSON is indented on a terminal and one line on a pipe; the other formats print `rows`.
 */
export function printJson(terminal: Terminal, value: unknown, rows: readonly unknown[] = rowsOf(value)): void {
  if (terminal.format === undefined || terminal.format === 'json')
    print(terminal, JSON.stringify(value, null, terminal.stdout.isTTY === true ? 2 : 0));
  else if (terminal.format === 'table') print(terminal, plainTable(rows));
  else rowPrinter(terminal)(rows);
}

/** Returns a printer for rows that come over time; JSON prints one line per row. */
export function rowPrinter(terminal: Terminal): (rows: readonly unknown[]) => void {
  const { format, template } = terminal;
  if (format === 'csv') return csvWriter(text => void terminal.stdout.write(text));
  const linesOf = format === 'template' && template !== undefined ? template : jsonLines;
  return rows => {
    for (const line of linesOf(rows)) print(terminal, line);
  };
}

const jsonLines = (rows: readonly unknown[]): string[] => rows.map(row => JSON.stringify(row));

/** Formats an answer without its own columns, with those of CSV. */
function plainTable(rows: readonly unknown[]): string {
  const [titles = [], ...lines] = cellsOf(rows);
  const columns = titles.map((title, i) => ({ title: title.toUpperCase(), of: (line: string[]) => line[i] ?? '' }));
  return table(columns, lines);
}
