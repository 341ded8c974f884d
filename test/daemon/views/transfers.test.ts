import t from 'tap';
import type { DownloadSnapshot } from '../../../daemon/transfer/download-snapshot.ts';
import { downloadView, uploadView } from '../../../daemon/views/transfers.ts';
import { PLAIN_SOURCE } from '../../../protocol/transfer/downloads/source.ts';

const SHA1 = Buffer.alloc(20);
const URN = 'urn:sha1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
const endpoint = { host: '192.0.2.7', port: 6346 };

const QUIET = { way: null, rate: 0, bytes: 0, wasted: 0, queue: null };
const PLACE = { position: 3, length: 10, eta: 60, id: null };

const download: DownloadSnapshot = {
  ...{
    id: 'a',
    name: 'x.bin',
    sha1: SHA1,
    size: 1000,
    done: 400,
    verified: 300,
    wasted: 7,
    sequential: true,
    root: null,
    state: 'active',
    bytesPerSecond: 200,
    priority: 0,
  },
  position: 2,
  category: 'music',
  batch: null,
  sources: [
    { source: { ...PLAIN_SOURCE, endpoint }, state: 'asking', ...QUIET, rate: 50, queue: PLACE, error: null },
    {
      ...QUIET,
      source: { ...PLAIN_SOURCE, endpoint, serventGuid: Buffer.alloc(16, 1), push: true },
      state: 'dropped',
      error: 'no',
    },
  ],
  ...{ path: null, error: null, words: null, hunt: null, addedAt: 0, finishedAt: null },
};

t.test('a download is shown with the time that is left, its URN and its sources', t => {
  t.strictSame(downloadView(download), {
    ...{
      id: 'a',
      name: 'x.bin',
      size: 1000,
      done: 400,
      state: 'active',
      rate: 200,
      priority: 0,
      position: 2,
      category: 'music',
      batch: null,
      verified: 300,
      wasted: 7,
      tree: null,
      order: 'sequential',
      path: null,
      error: null,
    },
    ...{ eta: 3, urn: URN, search: null },
    sources: [
      {
        address: '192.0.2.7:6346',
        servent: null,
        push: false,
        state: 'active',
        ...QUIET,
        rate: 50,
        queue: PLACE,
        error: null,
      },
      { address: '192.0.2.7:6346', servent: '01'.repeat(16), push: true, state: 'failed', ...QUIET, error: 'no' },
    ],
    ...{ addedAt: '1970-01-01T00:00:00.000Z', finishedAt: null },
  });
  t.end();
});

t.test('no time is left to tell of a download that stands still, or whose size nobody knows', t => {
  t.match(downloadView({ ...download, bytesPerSecond: 0 }), { eta: null });
  t.match(downloadView({ ...download, size: null, sha1: null, finishedAt: 1000 }), {
    ...{ eta: null, urn: null, finishedAt: '1970-01-01T00:00:01.000Z' },
  });
  t.end();
});

t.test('the last byte of an upload is shown, and an empty range ends where it starts', t => {
  const queue = {
    ...{ id: 'ab'.repeat(16), position: 2, length: 3, etaSeconds: 40, sizeClass: 1, earlyPolls: 0 },
    ...{ why: 'slots_taken' as const, active: false },
  };
  const upload = {
    ...{ id: 'b', remote: endpoint, userAgent: null, state: 'queued' as const, position: 2, queue, group: null },
    file: { index: 1, name: 'x.bin', size: 1000, sha1: SHA1, tigerRoot: null, modifiedAt: 0 },
    ...{ range: { start: 100, end: 300 }, sent: 10, bytesPerSecond: 0, since: 0 },
  };
  t.match(uploadView(upload), { address: '192.0.2.7:6346', urn: URN, size: 1000, start: 100, end: 299, position: 2 });
  t.match(uploadView(upload).queue, { length: 3, eta: 40, why: 'slots_taken', active: false });
  t.match(uploadView({ ...upload, range: { start: 0, end: 0 } }), { start: 0, end: 0 });
  t.end();
});

t.test('a download without a source says how the network is asked', t => {
  const hunted = (error: string, asked: number, nextAt: number | null) =>
    downloadView({ ...download, error, hunt: { asked, nextAt } });
  t.match(hunted('no source is known yet', 2, 3_661_000), {
    error: 'no source yet: asked the network 2 times, again at 01:01:01 UTC',
    search: { asked: 2, next: '1970-01-01T01:01:01.000Z' },
  });
  t.match(hunted('no source is known yet', 1, null), {
    error: 'no source yet: asked the network once',
    search: { asked: 1, next: null },
  });
  t.equal(
    hunted('no source is left (x): resume', 0, 0).error?.startsWith('no source is left (x): resume; the net'),
    true,
  );
  t.equal(hunted('the disk is full', 2, 0).error, 'the disk is full');
  t.end();
});
