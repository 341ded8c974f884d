// Downloads whose sources lie: about bytes, about trees, or about both.
import { readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { DownloadSnapshot } from '../../../daemon/transfer/download-snapshot.ts';
import { encodeThex } from '../../../protocol/digest/thex.ts';
import type { TigerTree } from '../../../protocol/digest/tiger-tree.ts';
import { TigerTreeHasher } from '../../../protocol/digest/tiger-tree-hasher.ts';
import { formatBase32, formatSha1Urn } from '../../../protocol/wire/urn.ts';
import { DownloadRig, FAST, sha1 } from '../../support/download-rig.ts';
import { partial, rangeOf, type Script, ScriptedSource } from '../../support/scripted-source.ts';
import { testBytes } from '../../support/shared-files.ts';

const MIB = 1 << 20;
const content = testBytes(24 * MIB + 77);
const treeOf = (bytes: Buffer): TigerTree => new TigerTreeHasher().update(bytes).finish();
const tree = treeOf(content);
/** Every 10,000th byte is another. */
const spoilt = Buffer.from(content.map((byte, i) => (i % 10_000 === 0 ? byte ^ 1 : byte)));

const PIECE_BYTES = 128 << 10;
const PIECE_MS = 10;

/** Serves bytes in pieces, a piece in some milliseconds, and a tree if there is one. */
function source(bytes: Buffer, told: TigerTree | null = null): Script {
  return async asked => {
    const { head, socket } = asked;
    if (told !== null && head.target.startsWith('/tree')) {
      const thex = encodeThex(told);
      socket.write(`HTTP/1.1 200 OK\r\nContent-Type: application/dime\r\nContent-Length: ${thex.length}\r\n\r\n`);
      return socket.write(thex) || true;
    }
    const offer = told === null ? '' : `X-Thex-URI: /tree;${formatBase32(told.root)}\r\n`;
    const answer = partial(bytes, rangeOf(asked, bytes.length), offer);
    for (let at = 0; at < answer.length && !socket.destroyed; at += PIECE_BYTES) {
      socket.write(answer.subarray(at, at + PIECE_BYTES));
      await new Promise(resolve => setTimeout(resolve, PIECE_MS));
    }
    return true;
  };
}

interface Done {
  view: DownloadSnapshot;
  sources: ScriptedSource[];
  rig: DownloadRig;
}

async function download(t: Test, scripts: readonly Script[], root: Buffer | null = null): Promise<Done> {
  const sources = await Promise.all(scripts.map(script => ScriptedSource.open(t, script)));
  const rig = await DownloadRig.open(t, t.testdir());
  const request = {
    sha1: sha1(content),
    root,
    size: content.length,
    name: 'f',
    sources: sources.map(each => each.source),
  };
  const { id } = await rig.downloads.add(request);
  return { view: await rig.ended(id), sources, rig };
}

/** The source as the download shows it. */
function shown({ view, sources }: Done, i: number): DownloadSnapshot['sources'][number] | undefined {
  const port = sources[i]?.source.endpoint.port;
  return view.sources.find(({ source }) => source.endpoint.port === port);
}

/** Has it looked through; resolves when that has begun. */
async function look(rig: DownloadRig, id: string): Promise<void> {
  let isBegun = false;
  void rig.until(id, ({ state }) => state === 'verifying').then(() => (isBegun = true));
  while (!isBegun) {
    rig.downloads.verify(id); // does nothing while the last look ends
    await new Promise(turn => setImmediate(turn));
  }
}

const wasted = ({ view }: Done): number => view.sources.reduce((sum, each) => sum + each.wasted, 0);

t.test('with a tree a liar among three is named and dropped, and little is fetched twice', async t => {
  const done = await download(t, [source(content, tree), source(spoilt, tree), source(content, tree)]);
  t.match(done.view, { state: 'completed', error: null });
  t.ok(readFileSync(done.view.path ?? '').equals(content));
  t.match(shown(done, 1), { state: 'dropped', error: /^corrupt: sent wrong bytes/ });
  for (const honest of [0, 2]) t.notMatch(shown(done, honest)?.error ?? '', /corrupt/);
  t.ok(wasted(done) < content.length / 20, `${wasted(done)} bytes were fetched twice`);
});

t.test('the root in a hit is enough to fetch the tree from its servent, and to find a liar by it', async t => {
  const quiet = source(content);
  const silent = await ScriptedSource.open(t, asked => {
    const isTree = asked.head.target === `/uri-res/N2X?${formatSha1Urn(sha1(content))};${formatBase32(tree.root)}`;
    if (!isTree) return quiet(asked);
    const thex = encodeThex(tree);
    asked.socket.write(`HTTP/1.1 200 OK\r\nContent-Type: application/dime\r\nContent-Length: ${thex.length}\r\n\r\n`);
    return asked.socket.write(thex) || true;
  });
  const liar = await ScriptedSource.open(t, source(spoilt));
  const rig = await DownloadRig.open(t, t.testdir(), { times: { ...FAST, stallMs: 20_000 } });
  const request = { sha1: sha1(content), size: content.length, name: 'f', sources: [liar.source] };
  const { id } = await rig.downloads.add(request);
  const said = { name: null, size: content.length, hearsay: [], tigerRoot: tree.root };
  await rig.downloads.offer(id, { ...said, sha1: sha1(content), sources: [silent.source] });
  const view = await rig.ended(id);
  t.match(view, { state: 'completed', error: null });
  t.ok(readFileSync(view.path ?? '').equals(content));
  const asked = silent.requests.filter(({ target }) => target.startsWith('/uri-res/N2X')).length;
  t.equal(asked, 1, 'the tree is asked for once');
  const named = view.sources.find(each => each.source.endpoint.port === liar.source.endpoint.port);
  t.match(named, { state: 'dropped', error: /^corrupt: sent wrong bytes/ });
});

t.test('without a tree the file is repaired too, and the liar is named', async t => {
  const done = await download(t, [source(content), source(spoilt), source(content)]);
  t.match(done.view, { state: 'completed', error: null });
  t.ok(readFileSync(done.view.path ?? '').equals(content));
  t.match(shown(done, 1), { state: 'dropped', error: /^corrupt/ });
});

t.test('a false tree is given up, and the file comes', async t => {
  const done = await download(t, [source(content, treeOf(spoilt)), source(content), source(content)]);
  t.match(done.view, { state: 'completed', error: null });
  t.ok(readFileSync(done.view.path ?? '').equals(content));
});

t.test('a file whose hashes contradict each other goes to quarantine', async t => {
  const done = await download(t, [source(content)], treeOf(spoilt).root);
  t.match(done.view, { state: 'failed', path: null, error: /kept as .*quarantine/ });
  const quarantine = join(done.rig.folder, '.incomplete', 'quarantine');
  t.strictSame(readdirSync(quarantine), ['f']);
  t.ok(readFileSync(join(quarantine, 'f')).equals(content));
  t.strictSame(readdirSync(join(done.rig.folder, '.incomplete')), ['quarantine'], 'and no part file stays');
});

t.test(
  'a finished file that changed is looked through: what is wrong is fetched again, and put where it was',
  async t => {
    const done = await download(t, [source(content, tree), source(content, tree)]);
    const { rig, view } = done;
    const path = view.path ?? '';
    await look(rig, view.id);
    const same = await rig.until(view.id, ({ state }) => state === 'completed');
    t.equal(same.path, path, 'nothing is wrong, and nothing happens');
    const asked = done.sources.reduce((sum, { requests }) => sum + requests.length, 0);
    for (const [what, change] of [
      ['bytes', () => writeFileSync(path, spoilt.subarray(0, 300_000), { flag: 'r+' })],
      ['its end', () => truncateSync(path, content.length - 10)],
      ['all of it', () => rmSync(path)],
    ] as const) {
      change();
      await look(rig, view.id);
      const bytesBefore = rig.downloads.get(view.id)?.sources.reduce((sum, { bytes }) => sum + bytes, 0) ?? 0;
      await rig.until(view.id, ({ state }) => state !== 'verifying');
      const again = await rig.ended(view.id);
      t.match(again, { state: 'completed', path, error: null }, what);
      t.ok(readFileSync(path).equals(content), what);
      const fetched = again.sources.reduce((sum, { bytes }) => sum + bytes, 0) - bytesBefore;
      if (what !== 'all of it') t.ok(fetched <= MIB, `${fetched} bytes were fetched for ${what}`);
      t.strictSame(readdirSync(join(rig.folder, '.incomplete')), []);
    }
    t.ok(done.sources.reduce((sum, { requests }) => sum + requests.length, 0) > asked);
  },
);

t.test('a file that the user put in the place of a finished one is not overwritten', async t => {
  const small = content.subarray(0, 5000);
  const one = await ScriptedSource.open(t, source(small));
  const rig = await DownloadRig.open(t, t.testdir());
  const request = { sha1: sha1(small), size: small.length, name: 'f.txt', sources: [one.source] };
  const { id } = await rig.downloads.add(request);
  const { path } = await rig.ended(id);
  const [first, second] = ['f.txt', 'f (1).txt'].map(name => join(rig.folder, name));
  t.equal(path, first);
  const other = join(rig.folder, 'other');
  writeFileSync(other, 'of the user'); // has an inode of its own, as the first file is still there
  renameSync(other, first ?? '');
  const again = async (): Promise<DownloadSnapshot> => {
    await look(rig, id);
    await rig.until(id, ({ state }) => state !== 'verifying');
    return rig.ended(id);
  };
  t.match(await again(), { state: 'completed', path: second });
  t.equal(readFileSync(first ?? '', 'utf8'), 'of the user');
  t.ok(readFileSync(second ?? '').equals(small));
  truncateSync(second ?? '', 10);
  t.match(await again(), { state: 'completed', path: second }, 'its own is put right');
  t.ok(readFileSync(second ?? '').equals(small));
});

t.test('a paused download is looked through too, and stays paused', async t => {
  const one = await ScriptedSource.open(t, source(content, tree));
  const rig = await DownloadRig.open(t, t.testdir());
  const request = { sha1: sha1(content), size: content.length, name: 'f', sources: [one.source] };
  const { id } = await rig.downloads.add(request);
  await rig.until(id, ({ verified }) => verified > 4 * MIB);
  const paused = await rig.downloads.pause(id);
  const part = join(rig.folder, '.incomplete', `${id}.part`);
  writeFileSync(part, spoilt.subarray(0, 1000), { flag: 'r+' });
  rig.downloads.verify(id);
  await rig.until(id, ({ state }) => state === 'verifying');
  const view = await rig.until(id, ({ state }) => state === 'paused');
  const { done: before = 0 } = paused ?? {};
  t.equal(before - view.done, tree.sliceBytes, 'the slice that was changed is missing');
  await rig.downloads.resume(id);
  t.match(await rig.ended(id), { state: 'completed' });
});

t.test('the store is lost: part files are recovered from their descriptions, and go on', async t => {
  const one = await ScriptedSource.open(t, source(content, tree));
  const home = t.testdir();
  const first = await DownloadRig.open(t, home);
  const request = { sha1: sha1(content), size: content.length, name: 'f', sources: [one.source] };
  const { id } = await first.downloads.add(request);
  await first.until(id, ({ verified }) => verified > 2 * MIB);
  await first.stop();
  const { done = 0 } = first.downloads.get(id) ?? {};
  rmSync(join(home, 'store'), { recursive: true });
  const rig = await DownloadRig.open(t, home);
  t.strictSame(rig.downloads.list(), []);
  t.equal(rig.downloads.lost.parts.count, 1);
  t.match(await rig.downloads.lost.recover(), [{ outcome: 'recovered', id, name: 'f', done }]);
  t.equal(rig.downloads.lost.parts.count, 0);
  const view = await rig.ended(id);
  t.match(view, { state: 'completed' });
  t.ok(readFileSync(view.path ?? '').equals(content));
  t.strictSame(await rig.downloads.lost.recover(), []);
});

t.test('the last slice is judged by the tree before the file is', async t => {
  const short = content.subarray(0, 2 * MIB);
  const told = treeOf(short);
  const wrongEnd = Buffer.from(short);
  wrongEnd.writeUInt8(wrongEnd.readUInt8(short.length - 1) ^ 1, short.length - 1);
  const liar = await ScriptedSource.open(t, source(wrongEnd, told));
  const rig = await DownloadRig.open(t, t.testdir());
  const request = { sha1: sha1(short), root: told.root, size: short.length, name: 'f', sources: [liar.source] };
  const { id } = await rig.downloads.add(request);
  await rig.until(id, ({ state }) => state === 'failed' || state === 'completed');
  t.match(rig.downloads.get(id), {
    state: 'failed',
    error: /no source is left/,
    done: short.length - told.sliceBytes,
    sources: [{ state: 'dropped', error: /^corrupt: sent wrong bytes/ }],
  });
  await rig.downloads.addSource(id, (await ScriptedSource.open(t, source(short))).source);
  t.match(await rig.ended(id), { state: 'completed', error: null });
});

t.test('one that is paused while it is looked through goes on when it is resumed', async t => {
  const one = await ScriptedSource.open(t, source(content, tree));
  const rig = await DownloadRig.open(t, t.testdir());
  const request = { sha1: sha1(content), size: content.length, name: 'f', sources: [one.source] };
  const { id } = await rig.downloads.add(request);
  await rig.until(id, ({ verified }) => verified > 8 * MIB);
  const { verified = 0 } = (await rig.downloads.pause(id)) ?? {};
  rig.downloads.verify(id);
  while (rig.downloads.get(id)?.verified === verified) await new Promise(resolve => setImmediate(resolve));
  await rig.downloads.pause(id);
  await rig.downloads.resume(id);
  t.match(await rig.ended(id), { state: 'completed' });
});

t.test('one that is cancelled while it is looked through takes nobody a turn', async t => {
  const one = await ScriptedSource.open(t, source(content, tree));
  const rig = await DownloadRig.open(t, t.testdir(), { activeMax: 1 });
  const request = { sha1: sha1(content), size: content.length, name: 'f', sources: [] };
  const { id } = await rig.downloads.add(request);
  await rig.until(id, ({ state }) => state === 'queued');
  rig.downloads.verify(id);
  await rig.downloads.cancel(id);
  const next = await rig.downloads.add({ ...request, sources: [one.source] });
  t.equal(next.position, 1);
  t.match(await rig.ended(next.id), { state: 'completed' });
});
