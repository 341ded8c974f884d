// Shows the progress of one download: a bar on a terminal, otherwise one line per change.
import type { Client } from '../api/client.ts';
import type { DownloadView } from '../api/control.ts';
import { sendingText, waitText } from '../api/download-wait.ts';
import { formatBytes, formatDuration, formatRate, formatShare, printable } from '../api/format.ts';
import { pause } from './signals.ts';
import type { Out } from './terminal.ts';

const POLL_MS = 250;

export interface Progress {
  show(download: DownloadView): void;
  end(): void;
}

export async function followProgress(out: Out): Promise<Progress> {
  return out.isTTY === true ? bar(out) : lines(out);
}

/**
 * Shows the progress of a download until it is completed or has failed. Rejects with the reason of `signal` when it aborts, and with
 * what `onLook` throws, which is called with each state that is shown.
 */
export async function followDownload(
  out: Out,
  client: Client,
  first: DownloadView,
  signal: AbortSignal,
  onLook: (download: DownloadView) => void = () => undefined,
): Promise<DownloadView> {
  const progress = await followProgress(out);
  let download = first;
  try {
    for (;;) {
      progress.show(download);
      if (download.state === 'completed' || download.state === 'failed') return download;
      onLook(download);
      await pause(POLL_MS, signal);
      download = await client.download({ id: download.id });
    }
  } finally {
    progress.end();
  }
}

/** On 80 columns the rate, the time left and the sources fit beside them. */
const BAR_CELLS = { least: 8, most: 30 };
const NAME_CHARACTERS_MIN = 16;

async function bar(out: Out): Promise<Progress> {
  const { default: progress } = await import('cli-progress');
  const columns = out.columns ?? 80;
  const bar = new progress.SingleBar({
    stream: out as NodeJS.WritableStream,
    format: '{name} {bar} {share} {about}',
    barsize: Math.max(BAR_CELLS.least, Math.min(BAR_CELLS.most, Math.floor(columns / 10))),
    hideCursor: true,
    clearOnComplete: false,
    linewrap: false,
  });
  const nameMax = Math.max(NAME_CHARACTERS_MIN, Math.floor(columns / 5));
  let started = false;
  return {
    show: download => {
      const whole = Math.max(1, download.size ?? 1);
      const name = shortened(printable(download.name), nameMax);
      const texts = {
        name,
        share: shareOf(download),
        about: aboutOf(download)
          .filter(text => text !== 'active')
          .join('  '),
      };
      if (!started) bar.start(whole, download.done, texts);
      started = true;
      bar.setTotal(whole);
      bar.update(Math.min(whole, download.done), texts);
    },
    end: () => bar.stop(),
  };
}

/** Keeps the end, which has the extension. */
function shortened(text: string, max: number): string {
  const letters = [...text];
  if (letters.length <= max) return text;
  const end = Math.floor(max / 3);
  return `${letters.slice(0, max - end - 1).join('')}…${letters.slice(-end).join('')}`;
}

const STEP_PERCENT = 10;

function lines(out: Out): Progress {
  let last = '';
  return {
    show: download => {
      const percent = download.size ? (download.done / download.size) * 100 : 0;
      // a time that counts down is no news
      const wait = waitText(download, Date.now())?.replace(/, (about|again in) .*$/, '') ?? '';
      const step = `${download.state} ${Math.floor(percent / STEP_PERCENT)} ${wait}`;
      if (step === last) return;
      last = step;
      out.write(`${printable(download.name)}  ${shareOf(download)}  ${aboutOf(download).join('  ')}\n`);
    },
    end: () => undefined,
  };
}

function shareOf({ done, size }: DownloadView): string {
  return size === null ? formatBytes(done) : formatShare(done, size);
}

/** State, size, and what happens: rate, time left and sources, or what it waits for. */
function aboutOf(download: DownloadView): string[] {
  const { state, size, rate, eta, error, verified } = download;
  const parts = [state, ...(size === null ? [] : [`of ${formatBytes(size)}`])];
  const wait = waitText(download, Date.now());
  if (wait !== null) return [...parts, printable(wait)];
  if (state === 'active') {
    parts.push(formatRate(rate), ...(eta === null ? [] : [`${formatDuration(eta)} left`]), sendingText(download));
    if (verified > 0) parts.push(`${formatBytes(verified)} verified`);
  }
  if (error !== null && state !== 'failed') parts.push(printable(error));
  return parts;
}
