// Shows how many of a number of runs are done: a bar on a terminal, otherwise a line at each tenth.
import type { Out } from '../terminal.ts';

export interface CountProgress {
  /** `done` need not be whole: runs under way count by their share. */
  show(done: number): void;
  end(): void;
}

const STEPS = 10;

export async function countProgress(out: Out, what: string, total: number): Promise<CountProgress> {
  return out.isTTY === true ? bar(out, what, total) : lines(out, what, total);
}

async function bar(out: Out, what: string, total: number): Promise<CountProgress> {
  const { default: progress } = await import('cli-progress');
  const bar = new progress.SingleBar({
    stream: out as NodeJS.WritableStream,
    format: `${what} {bar} {whole} of ${total}  {eta_formatted} left`,
    barsize: Math.max(8, Math.min(30, Math.floor((out.columns ?? 80) / 3))),
    hideCursor: true,
    linewrap: false,
    etaBuffer: 50,
  });
  bar.start(total, 0, { whole: 0 });
  return { show: done => bar.update(done, { whole: Math.floor(done) }), end: () => bar.stop() };
}

function lines(out: Out, what: string, total: number): CountProgress {
  let last = 0;
  return {
    show: done => {
      const whole = Math.floor(done);
      const step = Math.floor((STEPS * whole) / total);
      if (step === last) return;
      last = step;
      out.write(`${what} ${whole} of ${total}\n`);
    },
    end: () => undefined,
  };
}
