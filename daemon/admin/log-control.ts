// The admin API's operations on the lines and levels of the log.
import type { Control } from '../../api/control.ts';
import { invalid } from '../../api/errors.ts';
import { isAtLeast } from '../../api/log-level.ts';
import { pageOf } from '../../api/page.ts';
import { type Log, logLevels, logTail } from '../log.ts';

type LogControl = Pick<Control, 'logLines' | 'logLevels' | 'changeLogLevels'>;

export function logControl(log: Log): LogControl {
  return {
    logLines: ({ level, ...page }) =>
      pageOf(
        logTail(log)
          .newestFirst()
          .filter(line => isAtLeast(line.level, level)),
        page,
        ({ id }) => id,
        line => line,
      ),

    logLevels: () => logLevels(log).view(),

    changeLogLevels: levels => {
      const known = logLevels(log);
      const unknown = Object.keys(levels).find(part => !known.parts.includes(part));
      if (unknown !== undefined)
        throw invalid(unknown, `unknown part of the daemon; expected one of ${known.parts.join(', ')}`);
      known.change(levels);
      return known.view();
    },
  };
}
