// Log lines on standard error: JSON, or readable ones on a terminal. Standard output belongs to answers.
import { type DestinationStream, type Logger, pino } from 'pino';
import type { LogLevel } from '../api/control.ts';
import type { Settings } from '../settings/settings.ts';
import { LogOutput } from './log-output.ts';
import { LogTail } from './log-tail.ts';

/** `log.child({ mod: 'library' })` for a part of the daemon. */
export type Log = Logger;

const STDERR = 2;
/** What must never reach a log, from whatever part. */
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
  // Only a person at a terminal pays for it.
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

/** Parts have names in the code; bounded all the same. */
const PARTS_MAX = 64;

/** Which parts log how much, changed while they run. */
export class LogLevels {
  #level: LogLevel;
  readonly #own = new Map<string, LogLevel>();
  /** By name; at most PARTS_MAX. Two loggers of one part have one name. */
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

  /** A child logger has been made. Those without a name of their own go with their parent. */
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

  /** Those that there are. */
  get parts(): string[] {
    return [...this.#parts.keys()].sort();
  }

  /** By part, as `mod` in the log; null takes its own level off. Names that nobody has are remembered for who may come. */
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

/** How many lines of a log made by `createLog` could not be written, and why now. */
export function logOutput(log: Log): Pick<LogOutput, 'lost' | 'trouble'> {
  return outputByLog.get(log) ?? NO_TROUBLE;
}

/** The latest lines of a log made by `createLog`; any other one has none. */
export function logTail(log: Log): LogTail {
  return tailByLog.get(log) ?? new LogTail();
}

/** Of a log made by `createLog`; any other one gets levels that change nothing else. */
export function logLevels(log: Log): LogLevels {
  const known = levelsByLog.get(log);
  if (known !== undefined) return known;
  const levels = new LogLevels(log.level as LogLevel);
  levelsByLog.set(log, levels);
  return levels;
}

/** For tests and for parts that are used without a daemon. */
export const silentLog: Log = pino({ level: 'silent' });
