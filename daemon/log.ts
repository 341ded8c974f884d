// Writes log lines to standard error, as JSON or, on a terminal, as text. Standard output carries only results.
import { type DestinationStream, type Logger, pino } from 'pino';
import type { LogLevel } from '../api/control.ts';
import type { Settings } from '../settings/settings.ts';
import { LogOutput } from './log-output.ts';
import { LogTail } from './log-tail.ts';

/** `log.child({ mod: 'library' })` for a part of the daemon. */
export type Log = Logger;

const STDERR = 2;
/** Fields that are replaced by "(secret)" in every line. */
const SECRETS = ['token', 'authorization', '*.token', '*.authorization', 'headers.authorization'];

export async function createLog(
  settings: Settings['log'],
  destination: DestinationStream = new LogOutput(STDERR),
): Promise<Log> {
  const pretty = settings.format === 'pretty' || (settings.format === 'auto' && process.stderr.isTTY === true);
  const levels = new LogLevels(settings.level);
  const options = {
    level: settings.level,
    base: null,
    redact: { paths: SECRETS, censor: '(secret)' },
    onChild: (child: Log) => levels.add(child),
  };
  const tail = new LogTail();
  const made = (base: object, to: DestinationStream): Log => {
    const both: DestinationStream = {
      write: line => {
        to.write(line);
        tail.write(line);
      },
    };
    const log = levels.of(pino(base, both));
    tailByLog.set(log, tail);
    if (destination instanceof LogOutput) outputByLog.set(log, destination);
    return log;
  };
  if (!pretty) return made({ ...options, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  // Loaded only when needed: it costs memory and start time.
  const { prettyFactory } = await import('pino-pretty');
  const readable = prettyFactory({
    colorize: process.stderr.hasColors?.() === true,
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'mod',
    messageFormat: (entry, key) =>
      `${typeof entry['mod'] === 'string' ? `${entry['mod']}: ` : ''}${String(entry[key])}`,
  });
  return made(options, { write: line => destination.write(readable(line)) });
}

/** Most part names, and most loggers of one part. */
const PARTS_MAX = 64;

/** Log level of each part, changeable at run time. */
class LogLevels {
  #level: LogLevel;
  readonly #own = new Map<string, LogLevel>();
  /** Loggers by part name; at most PARTS_MAX names. */
  readonly #parts = new Map<string, Log[]>();
  #root: Log | null = null;

  constructor(level: LogLevel) {
    this.#level = level;
  }

  of(root: Log): Log {
    this.#root = root;
    levelsByLog.set(root, this);
    return root;
  }

  /** Registers a new child logger. A child without `mod` keeps the level of its parent. */
  add(child: Log): void {
    const { mod } = child.bindings() as { mod?: unknown };
    if (typeof mod !== 'string') return;
    const same = this.#parts.get(mod) ?? [];
    if (same.length >= PARTS_MAX || (same.length === 0 && this.#parts.size >= PARTS_MAX)) return;
    this.#parts.set(mod, [...same, child]);
    child.level = this.#own.get(mod) ?? this.#level;
  }

  set level(level: LogLevel) {
    this.#level = level;
    this.#settle();
  }

  /** Names of all parts, sorted. */
  get parts(): string[] {
    return [...this.#parts.keys()].sort();
  }

  /** Sets levels by part name (`mod`); null removes a level. A level for an unknown name is kept for a part that starts later. */
  change(levels: Readonly<Record<string, LogLevel | null>>): void {
    for (const [mod, level] of Object.entries(levels)) {
      if (level === null) this.#own.delete(mod);
      else if (this.#own.has(mod) || this.#own.size < PARTS_MAX) this.#own.set(mod, level);
    }
    this.#settle();
  }

  view(): { level: LogLevel; levels: Record<string, LogLevel> } {
    const mods = new Set([...this.#parts.keys(), ...this.#own.keys()]);
    return {
      level: this.#level,
      levels: Object.fromEntries([...mods].sort().map(mod => [mod, this.#own.get(mod) ?? this.#level])),
    };
  }

  #settle(): void {
    if (this.#root !== null) this.#root.level = this.#level;
    for (const [mod, logs] of this.#parts) for (const log of logs) log.level = this.#own.get(mod) ?? this.#level;
  }
}

const levelsByLog = new WeakMap<Log, LogLevels>();
const tailByLog = new WeakMap<Log, LogTail>();

const outputByLog = new WeakMap<Log, Pick<LogOutput, 'lost' | 'trouble'>>();
const NO_TROUBLE = { lost: 0, trouble: null };

/** Lines of a `createLog` log that could not be written, and the present cause. */
export function logOutput(log: Log): Pick<LogOutput, 'lost' | 'trouble'> {
  return outputByLog.get(log) ?? NO_TROUBLE;
}

/** The latest lines of a `createLog` log; empty for other logs. */
export function logTail(log: Log): LogTail {
  return tailByLog.get(log) ?? new LogTail();
}

/** The levels of a `createLog` log. Another log gets a new object without parts. */
export function logLevels(log: Log): LogLevels {
  const known = levelsByLog.get(log);
  if (known !== undefined) return known;
  const levels = new LogLevels(log.level as LogLevel);
  levelsByLog.set(log, levels);
  return levels;
}

/** Discards all lines. For tests and for parts used without a daemon. */
export const silentLog: Log = pino({ level: 'silent' });
