// Runs one command line in this process and keeps what it printed.
import { run } from '../../daemon/cli/program.ts';

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
}

/** Nothing of the caller's environment shines through. */
export async function command(
  words: readonly string[],
  { env = {}, cwd = '/', stdin }: Surroundings = {},
): Promise<Outcome> {
  let out = '';
  let err = '';
  const code = await run(words, {
    stdout: { write: text => (out += text) },
    stderr: { write: text => (err += text) },
    env: { SERVENT_DATA_DIR: '/nowhere/servent', ...env },
    cwd,
    ...(stdin === undefined ? {} : { stdin }),
  });
  return { code, out, err, json: <T>() => JSON.parse(out) as T };
}
