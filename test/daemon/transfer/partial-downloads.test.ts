import { linkSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { FinishedFile } from '../../../daemon/transfer/finished-file.ts';
import { PartialDownloads, type SharedDownload } from '../../../daemon/transfer/partial-downloads.ts';
import { parseThex } from '../../../protocol/digest/thex.ts';
import { TigerTreeHasher } from '../../../protocol/digest/tiger-tree-hasher.ts';
import { ChunkMap } from '../../../protocol/transfer/downloads/chunk-map.ts';
import { thexTarget } from '../../../protocol/transfer/downloads/thex-uri.ts';
import { RangeSet } from '../../../protocol/transfer/range-set.ts';
import { formatSha1Urn } from '../../../protocol/wire/urn.ts';
import { HttpClient } from '../../support/http-client.ts';
import { SharedFiles, serve, testBytes } from '../../support/shared-files.ts';

const SHA1 = Buffer.alloc(20, 9);
type Quest = SharedDownload['swarm']['verification']['quest'];
const HOUR_MS = 3_600_000;
const download = (
  of: Partial<SharedDownload> & { partPath: string; map: ChunkMap; quest?: Quest },
): SharedDownload => ({
  ...{ name: 'x.bin', state: 'active', file: new FinishedFile(null, null), addedAt: 5, finishedAt: null },
  ...of,
  swarm: { map: of.map, verification: { quest: of.quest ?? { tree: null, isFirm: false } } },
});
const ranges = (...pairs: [number, number][]) => RangeSet.fromPairs(pairs);

t.test('others get the verified bytes of a download that runs, and no others', async t => {
  const folder = t.testdir({ shared: {} });
  const content = testBytes(100_000);
  const partPath = join(folder, 'x.part');
  writeFileSync(partPath, content.subarray(0, 60_000));
  const map = ChunkMap.restore(content.length, ranges([40_000, 60_000]), ranges([1000, 40_000]));
  let state: SharedDownload['state'] = 'active';
  const partials = new PartialDownloads(
    sha1 => (sha1.equals(SHA1) ? [download({ partPath, map, state })] : []),
    () => 5,
  );
  const { port } = await serve(t, new SharedFiles(join(folder, 'shared')), { partials });
  const client = await HttpClient.open(t, port);
  const request = `GET /uri-res/N2R?${formatSha1Urn(SHA1)} HTTP/1.1`;

  const part = await client.ask(request, 'Range: bytes=2000-99999');
  t.equal(part.status, 206);
  t.equal(part.head.headers.get('Content-Range'), 'bytes 2000-39999/100000');
  t.equal(part.head.headers.get('X-Available-Ranges'), 'bytes 1000-39999');
  t.ok(part.body.equals(content.subarray(2000, 40_000)));
  t.equal((await client.ask(request, 'Range: bytes=40000-49999')).status, 416, 'received, and not verified');

  map.verify(40_000, 60_000);
  const more = await client.ask(request, 'Range: bytes=50000-59999');
  t.ok(more.body.equals(content.subarray(50_000, 60_000)), 'more is verified by now');
  state = 'queued';
  t.equal((await client.ask(request, 'Range: bytes=2000-2999')).status, 206, 'it goes on later');
  state = 'paused';
  t.equal((await client.ask(request, 'Range: bytes=2000-2999')).status, 206, 'what is verified stays so');
  state = 'failed';
  t.equal((await client.ask(request, 'Range: bytes=2000-2999')).status, 404);
});

t.test(
  'who fetches from a download gets the rest of the finished file for an hour, as long as nobody changes it',
  async t => {
    const folder = t.testdir({ shared: {} });
    const content = testBytes(100_000);
    const path = join(folder, 'x.bin');
    writeFileSync(path, content);
    utimesSync(path, 100, 100);
    const finishedAt = 100_000;
    let now = finishedAt + HOUR_MS - 1;
    const map = ChunkMap.restore(content.length, ranges(), ranges([0, content.length]));
    const partPath = join(folder, 'x.part');
    linkSync(path, partPath);
    const file = new FinishedFile(path, null);
    await file.note();
    await file.settle(partPath);
    const finished = download({ partPath, map, state: 'completed', file, finishedAt });
    const partials = new PartialDownloads(
      () => [finished],
      () => now,
    );
    const { port } = await serve(t, new SharedFiles(join(folder, 'shared')), { partials });
    const client = await HttpClient.open(t, port);
    const ask = () => client.ask(`GET /uri-res/N2R?${formatSha1Urn(SHA1)} HTTP/1.1`, 'Range: bytes=60000-99999');

    const rest = await ask();
    t.equal(rest.head.headers.get('X-Available-Ranges'), 'bytes 0-99999');
    t.ok(rest.body.equals(content.subarray(60_000)));
    now++;
    t.equal((await ask()).status, 404);
    now--;
    await file.rename(
      'y.bin',
      () => false,
      () => undefined,
    );
    t.equal((await ask()).status, 206, 'a rename of ours is no change of the content');
    const renamed = join(folder, 'y.bin');
    const { ctimeMs } = statSync(renamed);
    writeFileSync(renamed, 'tag', { flag: 'r+' });
    do utimesSync(renamed, 100, 100);
    while (statSync(renamed).ctimeMs === ctimeMs); // the clock of the file system has ticks
    t.equal((await ask()).status, 404, 'changed since, and of the same size and date');
    await file.rename(
      'z.bin',
      () => false,
      () => undefined,
    );
    t.equal((await ask()).status, 404, 'a rename does not make it right');
  },
);

t.test('the hash tree of a download is passed on once it is certain', async t => {
  const folder = t.testdir({ shared: {} });
  const content = testBytes(300_000);
  const partPath = join(folder, 'x.part');
  writeFileSync(partPath, content);
  const tree = new TigerTreeHasher().update(content).finish();
  let isFirm = false;
  const map = ChunkMap.restore(content.length, ranges(), ranges([0, 100_000]));
  const partials = new PartialDownloads(
    () => [download({ partPath, map, quest: { tree, isFirm } })],
    () => 5,
  );
  const { port } = await serve(t, new SharedFiles(join(folder, 'shared')), { partials });
  const client = await HttpClient.open(t, port);
  const part = () => client.ask(`GET /uri-res/N2R?${formatSha1Urn(SHA1)} HTTP/1.1`, 'Range: bytes=0-9');
  const target = thexTarget(SHA1, tree.root);
  t.equal((await part()).head.headers.get('X-Thex-URI'), null);
  t.equal((await client.ask(`GET ${target} HTTP/1.1`)).status, 404);
  isFirm = true;
  t.equal((await part()).head.headers.get('X-Thex-URI'), target);
  const told = await client.ask(`GET ${target} HTTP/1.1`);
  t.equal(told.status, 200);
  t.ok(parseThex(told.body, { size: content.length, root: tree.root }).root.equals(tree.root));
});

t.test(
  'nothing is shared of a download without verified bytes, without a size, or whose part file is gone',
  async t => {
    const partPath = join(t.testdir(), 'gone.part');
    const of = (map: ChunkMap) =>
      new PartialDownloads(
        () => [download({ partPath, map })],
        () => 5,
      );
    t.equal(of(ChunkMap.restore(10, ranges([0, 10]), ranges())).partialOf(SHA1), null);
    t.equal(of(new ChunkMap(null)).partialOf(SHA1), null);
    const partials = of(ChunkMap.restore(10, ranges(), ranges([0, 5])));
    const file = partials.partialOf(SHA1);
    t.match(file, { size: 10, growing: true });
    t.equal(file === null ? 'none' : await partials.openPartial(file), null);
  },
);
