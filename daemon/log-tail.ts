// Keeps the latest 1000 log lines and passes each new one to listeners. pino has already removed the secrets.
import type { LogLevel, LogLineView } from '../api/control.ts';

const LINES_MAX = 1_000;
/** Longest line kept, in characters; a stack trace has a few thousand. */
const CHARACTERS_MAX = 16_384;

const LEVEL_BY_NUMBER: Readonly<Record<number, LogLevel>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

export type OnLine = (line: () => LogLineView) => void;

export class LogTail {
  readonly #lines: { id: number; text: string }[] = [];
  #next = 0;
  #id = 0;
  readonly #followers = new Set<OnLine>();

  /** Calls `onLine` for each line as it is written; it must not log. Returns a function that ends this. */
  follow(onLine: OnLine): () => void {
    this.#followers.add(onLine);
    return () => this.#followers.delete(onLine);
  }

  /** `text` is one line as pino writes it, with its newline. */
  write(text: string): void {
    const line = { id: ++this.#id, text: text.length > CHARACTERS_MAX ? cut(text) : text };
    this.#lines[this.#next] = line;
    this.#next = (this.#next + 1) % LINES_MAX;
    for (const onLine of this.#followers) onLine(() => viewOf(line.id, line.text));
  }

  newestFirst(): LogLineView[] {
    const inOrder = [...this.#lines.slice(this.#next), ...this.#lines.slice(0, this.#next)];
    return inOrder.reverse().map(({ id, text }) => viewOf(id, text));
  }
}

/** Shortens a line: keeps its main fields and the start of its message. */
function cut(text: string): string {
  const { time, level, mod, msg } = parsed(text);
  return JSON.stringify({ time, level, mod, msg: `${String(msg).slice(0, CHARACTERS_MAX / 2)} … (cut)` });
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { msg: text.trim() }; // not a line of pino: shown as it is
  }
}

function viewOf(id: number, text: string): LogLineView {
  const { time, level, mod, msg, ...data } = parsed(text);
  return {
    id: String(id),
    at: new Date(typeof time === 'number' || typeof time === 'string' ? time : 0).toISOString(),
    level: LEVEL_BY_NUMBER[Number(level)] ?? 'info',
    mod: typeof mod === 'string' ? mod : null,
    message: typeof msg === 'string' ? msg : '',
    data,
  };
}
