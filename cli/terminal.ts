// The world as a command sees it, so that tests can hand it another one.
import { cellsOf, csvWriter, rowsOf } from './csv.ts';
import { table } from './table.ts';

export interface Out {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** Told of what could not be written; without a listener that ends the process. */
  on?(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
  /** Of a terminal. */
  readonly rows?: number;
  readonly columns?: number;
}

export interface Terminal {
  readonly stdout: Out;
  readonly stderr: Out;
  /** The process's own without it. */
  readonly stdin?: NodeJS.ReadableStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Ends what would go on until Ctrl-C. */
  readonly signal?: AbortSignal;
  /** How answers for programs are written; JSON unless `--output` says otherwise. */
  readonly format?: OutputFormat;
  /** With the format `template`: rows to lines. */
  readonly template?: (rows: readonly unknown[]) => string[];
  /** `--curl`: calls are shown here; those that change something are not made. */
  readonly curl?: (text: string) => void;
}

export const OUTPUT_FORMATS = ['table', 'json', 'ndjson', 'csv', 'template'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

export function print(terminal: Terminal, text: string): void {
  terminal.stdout.write(`${text}\n`);
}

/** For people only: programs read standard output. */
export function note(terminal: Terminal, text: string): void {
  terminal.stderr.write(`${text}\n`);
}

/**
 * An answer for programs, as `--output` wants it. JSON: indented for a person, one line for a program. The other formats
 * have `rows`: the items of a list, or the answer as the only one.
 */
export function printJson(terminal: Terminal, value: unknown, rows: readonly unknown[] = rowsOf(value)): void {
  if (terminal.format === undefined || terminal.format === 'json')
    print(terminal, JSON.stringify(value, null, terminal.stdout.isTTY === true ? 2 : 0));
  else if (terminal.format === 'table') print(terminal, plainTable(rows));
  else rowPrinter(terminal)(rows);
}

/** For rows that come one after another: JSON is a line for each of them then. */
export function rowPrinter(terminal: Terminal): (rows: readonly unknown[]) => void {
  const { format, template } = terminal;
  if (format === 'csv') return csvWriter(text => void terminal.stdout.write(text));
  const linesOf = format === 'template' && template !== undefined ? template : jsonLines;
  return rows => {
    for (const line of linesOf(rows)) print(terminal, line);
  };
}

const jsonLines = (rows: readonly unknown[]): string[] => rows.map(row => JSON.stringify(row));

/** For answers that have no table of their own: the columns of CSV. */
function plainTable(rows: readonly unknown[]): string {
  const [titles = [], ...lines] = cellsOf(rows);
  const columns = titles.map((title, i) => ({ title: title.toUpperCase(), of: (line: string[]) => line[i] ?? '' }));
  return table(columns, lines);
}
