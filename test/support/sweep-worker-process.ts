// A worker of sweeps as a process of its own. Words: URL of Redis, then how it is at fault, `lies` or `dies`; nothing: it is honest.
import { workFor } from '../../cli/sim/worker.ts';
import type { UnitResult } from '../../sim/sweep/units.ts';

const [url = '', fault] = process.argv.slice(2);
/** Soon taken for dead. */
const LOCK_MS = 1_000;

let done = 0;
function alter(result: UnitResult): UnitResult {
  done++;
  // in the middle of its second unit
  if (fault === 'dies' && done === 2) process.kill(process.pid, 'SIGKILL');
  if (fault !== 'lies') return result;
  const measures = result.measures.map(measure => ({ ...measure, measured: 0 }));
  return { ...result, measures };
}

const { stdout, stderr, env } = process;
await workFor(
  { stdout, stderr, env, cwd: process.cwd() },
  { redis: new URL(url), workers: 1, lockMs: LOCK_MS, alter },
).catch(({ message }: Error) => {
  stderr.write(`${message}\n`);
  process.exitCode = 1;
});
process.exit();
