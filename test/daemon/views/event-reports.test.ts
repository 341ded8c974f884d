import t from 'tap';
import { SystemClock } from '../../../daemon/system.ts';
import type { DownloadSnapshot } from '../../../daemon/transfer/download-snapshot.ts';
import { EventReports } from '../../../daemon/views/event-reports.ts';

const DOWNLOAD: DownloadSnapshot = {
  id: 'one',
  name: 'blue moon.ogg',
  sha1: null,
  size: 1000,
  done: 0,
  verified: 0,
  wasted: 0,
  root: null,
  state: 'queued',
  bytesPerSecond: 0,
  priority: 0,
  position: 2,
  category: null,
  batch: null,
  sequential: false,
  sources: [],
  path: null,
  error: null,
  words: null,
  hunt: null,
  addedAt: 0,
  finishedAt: null,
};

t.test('each change of a download is told once, progress not at all', async t => {
  const told: string[] = [];
  const reports = new EventReports({ tell: type => void told.push(type) }, new SystemClock(), () => ({
    text: '',
    hides: () => false,
  }));
  reports.downloads.onAdded(DOWNLOAD);
  let last = DOWNLOAD;
  const after = (change: Partial<DownloadSnapshot>): string[] => {
    told.length = 0;
    last = { ...last, ...change };
    reports.downloads.onChange(last);
    reports.downloads.onChange(last);
    return [...told];
  };
  t.strictSame(after({ done: 500, bytesPerSecond: 10 }), []);
  for (const change of [
    { position: 1 },
    { category: 'music' },
    { name: 'red moon.ogg' },
    { error: 'no source' },
    { priority: 3 },
    { state: 'active' as const },
  ])
    t.strictSame(after(change), ['download.changed'], Object.keys(change).join());
  t.strictSame(after({ state: 'completed' }), [], 'that is an event of its own');
});
