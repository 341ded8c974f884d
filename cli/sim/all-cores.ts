// Runs many tasks on the threads of this machine. The order of the answers is that of the tasks, whichever thread runs which.
import type { Terminal } from '../terminal.ts';
import { countProgress } from './count-progress.ts';
import type { Task, TaskResult } from './thread.ts';
import { TaskError, Threads } from './threads.ts';

export interface Spread {
  readonly tasks: readonly Task[];
  readonly workers: number;
  /** What the progress counts. */
  readonly what: string;
}

/** Rejects with the reason of `signal` when it aborts; a task that came to nothing has its error in place of an answer. */
export async function onAllCores(
  terminal: Terminal,
  { tasks, workers, what }: Spread,
  signal: AbortSignal,
): Promise<(TaskResult | TaskError)[]> {
  const threads = new Threads({ workers: Math.min(workers, tasks.length) });
  const progress = await countProgress(terminal.stderr, what, tasks.length);
  const answers: (TaskResult | TaskError)[] = [];
  const shares = new Map<number, number>();
  let done = 0;
  const show = (): void => progress.show([...shares.values()].reduce((sum, share) => sum + share, done));
  const order = longestFirst(tasks);
  const onStop = (): void => void threads.close();
  signal.addEventListener('abort', onStop, { once: true });
  const work = async (): Promise<void> => {
    for (let next = order.pop(); next !== undefined && !signal.aborted; next = order.pop()) {
      const at = next;
      const task = tasks[at];
      if (task === undefined) continue;
      answers[at] = await threads
        .run(task, share => {
          shares.set(at, share);
          show();
        })
        .catch(known);
      shares.delete(at);
      done++;
      show();
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(workers, tasks.length) }, work));
    signal.throwIfAborted();
    return answers;
  } finally {
    signal.removeEventListener('abort', onStop);
    progress.end();
    await threads.close();
  }
}

function known(error: unknown): TaskError {
  if (error instanceof TaskError) return error;
  throw error;
}

/** Numbers of the tasks, the longest last: a long one that starts late would keep one core busy alone. */
function longestFirst(tasks: readonly Task[]): number[] {
  const sizes = tasks.map(task => {
    const { servents, seconds } = task.kind === 'unit' ? task.unit : task.storm;
    return servents * seconds;
  });
  return [...tasks.keys()].sort((a, b) => (sizes[a] ?? 0) - (sizes[b] ?? 0) || b - a);
}
