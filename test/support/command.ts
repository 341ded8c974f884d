// Runs one command line in this process and keeps what it printed.
import { run } from '../../cli/command-line.ts';

export interface Outcome {
  code: number;
  out: string;
  err: string;
  /** Of `out`. */
  json<T = unknown>(): T;
}

export interface Surroundings {
  env?: Record<string, string>;
  cwd?: string;
  stdin?: NodeJS.ReadableStream;
  /** Ends what would go on until Ctrl-C. */
  signal?: AbortSignal;
  /** Standard output is a terminal of 80 by 24. */
  isTTY?: true;
  /** All that was printed so far, whenever more is. */
  onOut?: (out: string) => void;
  /** The same for standard error. */
  onErr?: (err: string) => void;
}

/** Nothing of the caller's environment shines through. */
export async function command(
  words: readonly string[],
  { env = {}, cwd = '/', stdin, signal, isTTY, onOut, onErr }: Surroundings = {},
): Promise<Outcome> {
  let out = '';
  let err = '';
  const code = await run(words, {
    stdout: {
      write: text => {
        out += text;
        onOut?.(out);
      },
      ...(isTTY === undefined ? {} : { isTTY, rows: 24, columns: 80 }),
    },
    stderr: {
      write: text => {
        err += text;
        onErr?.(err);
      },
    },
    env: { SERVENT_DATA_DIR: '/nowhere/servent', ...env },
    cwd,
    ...(stdin === undefined ? {} : { stdin }),
    ...(signal === undefined ? {} : { signal }),
  });
  return { code, out, err, json: <T>() => JSON.parse(out) as T };
}
