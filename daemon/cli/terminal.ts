// The world as a command sees it, so that tests can hand it another one.
import { csv, rowsOf } from './csv.ts';

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
  /** `--curl`: calls are shown here; those that change something are not made. */
  readonly curl?: (text: string) => void;
}

export const OUTPUT_FORMATS = ['table', 'json', 'ndjson', 'csv'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

export function print(terminal: Terminal, text: string): void {
  terminal.stdout.write(`${text}\n`);
}

/** For people only: programs read standard output. */
export function note(terminal: Terminal, text: string): void {
  terminal.stderr.write(`${text}\n`);
}

/** An answer for programs, as `--output` wants it. JSON: indented for a person, one line for a program. */
export function printJson(terminal: Terminal, value: unknown): void {
  if (terminal.format === 'ndjson') {
    for (const row of rowsOf(value)) print(terminal, JSON.stringify(row));
    return;
  }
  if (terminal.format === 'csv') {
    terminal.stdout.write(csv(rowsOf(value)));
    return;
  }
  print(terminal, JSON.stringify(value, null, terminal.stdout.isTTY === true ? 2 : 0));
}
