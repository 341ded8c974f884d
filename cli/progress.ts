// Shows the progress of one download: a bar on a terminal, otherwise one line per change.
import type { DownloadView } from '../api/control.ts';
import { formatBytes, formatDuration, formatRate, formatShare, printable } from '../api/format.ts';
import type { Out } from './terminal.ts';

export interface Progress {
  show(download: DownloadView): void;
  end(): void;
}

export async function followProgress(out: Out): Promise<Progress> {
  return out.isTTY === true ? bar(out) : lines(out);
}

async function bar(out: Out): Promise<Progress> {
  const { default: progress } = await import('cli-progress');
  const bar = new progress.SingleBar({
    stream: out as NodeJS.WritableStream,
    format: '{name} {bar} {share} {about}',
    barsize: 30,
    hideCursor: true,
    clearOnComplete: false,
    linewrap: false,
  });
  let started = false;
  return {
    show: download => {
      const whole = Math.max(1, download.size ?? 1);
      const texts = { name: printable(download.name), share: shareOf(download), about: aboutOf(download) };
      if (!started) bar.start(whole, download.done, texts);
      started = true;
      bar.setTotal(whole);
      bar.update(Math.min(whole, download.done), texts);
    },
    end: () => bar.stop(),
  };
}

const STEP_PERCENT = 10;

function lines(out: Out): Progress {
  let last = '';
  return {
    show: download => {
      const percent = download.size ? (download.done / download.size) * 100 : 0;
      const step = `${download.state} ${Math.floor(percent / STEP_PERCENT)}`;
      if (step === last) return;
      last = step;
      out.write(`${printable(download.name)}  ${shareOf(download)}  ${aboutOf(download)}\n`);
    },
    end: () => undefined,
  };
}

function shareOf({ done, size }: DownloadView): string {
  return size === null ? formatBytes(done) : formatShare(done, size);
}

function aboutOf({ state, size, rate, eta, error }: DownloadView): string {
  const parts = [state, ...(size === null ? [] : [`of ${formatBytes(size)}`])];
  if (state === 'active') parts.push(formatRate(rate), ...(eta === null ? [] : [`${formatDuration(eta)} left`]));
  if (error !== null) parts.push(printable(error));
  return parts.join('  ');
}
