// Names what a run makes after its process, so that a later run can tell what a dead one has left.
import { readFileSync } from 'node:fs';

const PREFIX = 'servent-lab';

/** Begins the names of all that this run makes. */
export function runPrefix(): string {
  return `${PREFIX}-${process.pid}-${startOf(process.pid)}-`;
}

/** The name begins as those of a run whose process has ended. */
export function isOfDeadRun(name: string): boolean {
  const [, pid, start] = new RegExp(`^${PREFIX}-(\\d+)-(\\d+)-`).exec(name) ?? [];
  return pid !== undefined && startOf(Number(pid)) !== start;
}

/** Clock ticks from the start of the machine to that of the process, which tell it from a later one of its id; empty: none runs. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return '';
    throw error;
  }
}
