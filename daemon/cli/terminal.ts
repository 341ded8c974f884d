// The world as a command sees it, so that tests can hand it another one.

export interface Out {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

export interface Terminal {
  readonly stdout: Out;
  readonly stderr: Out;
  /** The process's own without it. */
  readonly stdin?: NodeJS.ReadableStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

export function print(terminal: Terminal, text: string): void {
  terminal.stdout.write(`${text}\n`);
}

/** For people only: programs read standard output. */
export function note(terminal: Terminal, text: string): void {
  terminal.stderr.write(`${text}\n`);
}

/** Indented for a person, one line for a program. */
export function printJson(terminal: Terminal, value: unknown): void {
  print(terminal, JSON.stringify(value, null, terminal.stdout.isTTY === true ? 2 : 0));
}
