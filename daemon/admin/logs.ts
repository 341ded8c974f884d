// The lines and levels of the log, as admins see and change them.
import type { LogInput, LogLevelsPatch, LogLevelsView, LogLineView, Page } from '../../api/control.ts';
import { invalid } from '../../api/errors.ts';
import { isAtLeast } from '../../api/log-level.ts';
import { pageOf } from '../../api/page.ts';
import { type Log, logLevels, logTail } from '../log.ts';

export class Logs {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Newest first. */
  lines({ level, ...page }: LogInput): Page<LogLineView> {
    const lines = logTail(this.#log).newestFirst();
    return pageOf(
      lines.filter(line => isAtLeast(line.level, level)),
      page,
      ({ id }) => id,
      line => line,
    );
  }

  levels(): LogLevelsView {
    return logLevels(this.#log).view();
  }

  change(levels: LogLevelsPatch): LogLevelsView {
    const known = logLevels(this.#log);
    const unknown = Object.keys(levels).find(part => !known.parts.includes(part));
    if (unknown !== undefined)
      throw invalid(unknown, `unknown part of the daemon; expected one of ${known.parts.join(', ')}`);
    known.change(levels);
    return this.levels();
  }
}
