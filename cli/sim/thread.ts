// The body of a thread that runs models and storms, one task after the other.
import { parentPort } from 'node:worker_threads';
import type { Storm, StormOptions } from '../../sim/servents/storm.ts';
import type { Unit, UnitResult } from '../../sim/sweep/units.ts';
import { inSimulator } from '../in-simulator.ts';

export type StormTask = Pick<StormOptions, 'seed' | 'servents' | 'seconds'>;
export type Task =
  | { readonly kind: 'unit'; readonly unit: Unit }
  | { readonly kind: 'storm'; readonly storm: StormTask };

export type TaskResult =
  | { readonly kind: 'unit'; readonly result: UnitResult }
  | { readonly kind: 'storm'; readonly result: Storm };

export type Reply =
  | TaskResult
  | { readonly kind: 'progress'; readonly share: number }
  | { readonly kind: 'failed'; readonly message: string };

const PROGRESS_STEP = 0.02;

async function answer(task: Task, tell: (share: number) => void): Promise<TaskResult> {
  if (task.kind === 'storm') {
    const { storm } = await inSimulator.storm();
    const { seconds } = task.storm;
    return { kind: 'storm', result: storm({ ...task.storm, onSecond: second => tell((second + 1) / seconds) }) };
  }
  const [{ modelOf }, { runUnit }] = await Promise.all([inSimulator.models(), inSimulator.units()]);
  const model = modelOf(task.unit.model);
  if (model === null) throw new Error(`no model ${task.unit.model}`);
  return { kind: 'unit', result: runUnit(task.unit, model, tell) };
}

const port = parentPort;
port?.on('message', (task: Task) => {
  const reply = (message: Reply): void => port.postMessage(message);
  let told = 0;
  answer(task, share => {
    if (share < told + PROGRESS_STEP) return;
    told = share;
    reply({ kind: 'progress', share });
  }).then(reply, (error: unknown) =>
    reply({ kind: 'failed', message: error instanceof Error ? error.message : String(error) }),
  );
});
