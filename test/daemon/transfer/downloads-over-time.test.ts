import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { Store } from '../../../daemon/store/store.ts';
import { PLAIN_SOURCE, type Source } from '../../../protocol/transfer/downloads/source.ts';
import { DownloadRig, FAST, sha1 } from '../../support/download-rig.ts';
import { eventually } from '../../support/loopback.ts';
import { drip, honest, partial, rangeOf, ScriptedSource } from '../../support/scripted-source.ts';
import { testBytes } from '../../support/shared-files.ts';

const MIB = 1 << 20;
/** Nobody listens on the discard port of a test machine. */
const NOBODY: Source = { ...PLAIN_SOURCE, endpoint: { host: '127.0.0.1', port: 9 } };

t.test('pause keeps what came, resume goes on from there, cancel leaves nothing', async t => {
  const content = testBytes(8 * MIB);
  let slow = true;
  const source = await ScriptedSource.open(t, asked => {
    const bytes = partial(content, rangeOf(asked, content.length));
    asked.socket.write(slow ? bytes.subarray(0, 600_000) : bytes);
    return true;
  });
  const rig = await DownloadRig.open(t, t.testdir(), { times: { ...FAST, stallMs: 30_000 } });
  const { id } = await rig.downloads.add({
    sha1: sha1(content),
    size: content.length,
    name: 'x',
    sources: [source.source],
  });
  await eventually('some has come', () => (rig.downloads.get(id)?.done ?? 0) > 500_000);
  const paused = await rig.downloads.pause(id);
  t.match(paused, { state: 'paused', bytesPerSecond: 0, error: null });
  t.ok((paused?.done ?? 0) > 500_000);
  t.match(await rig.downloads.pause(id), { state: 'paused' }, 'twice does no harm');
  slow = false;
  const asked = source.requests.length;
  t.match(await rig.downloads.resume(id), { state: /queued|active/ });
  t.match(await rig.ended(id), { state: 'completed' });
  const start = Number(/=(\d+)-/.exec(source.requests[asked]?.headers.get('Range') ?? '')?.[1]);
  t.ok(start >= 500_000 && start === paused?.done, `${start}`);
  t.match(await rig.downloads.pause(id), { state: 'completed' }, 'what is finished stays so');

  slow = true;
  const second = await rig.downloads.add({
    sha1: sha1(content),
    size: content.length,
    name: 'y',
    sources: [source.source],
  });
  await eventually('some has come', () => (rig.downloads.get(second.id)?.done ?? 0) > 0);
  t.ok(await rig.downloads.cancel(second.id));
  t.equal(rig.downloads.get(second.id), null);
  t.strictSame(readdirSync(join(rig.folder, '.incomplete')), []);
  t.ok(await rig.downloads.cancel(id));
  t.ok(existsSync(join(rig.folder, 'x')), 'a finished file stays');
  t.notOk(await rig.downloads.cancel(id));
  t.strictSame(rig.downloads.list(), []);
  for (const none of [rig.downloads.pause(id), rig.downloads.resume(id), rig.downloads.setPriority(id, 1)]) {
    t.equal(await none, null);
  }
});

t.test('a few at a time, by priority and age; the same hash is fetched once', async t => {
  const gate: (() => void)[] = [];
  const contents = [1, 2, 3, 4].map(seed => testBytes(1000, seed));
  const sources = await Promise.all(
    contents.map(content =>
      ScriptedSource.open(t, async asked => {
        await new Promise<void>(go => gate.push(go));
        return honest(content)(asked);
      }),
    ),
  );
  const rig = await DownloadRig.open(t, t.testdir(), { activeMax: 1, times: { ...FAST, stallMs: 30_000 } });
  const views = [];
  for (const [i, content] of contents.entries()) {
    const source = sources[i]?.source ?? NOBODY;
    views.push(await rig.downloads.add({ sha1: sha1(content), size: 1000, name: `f${i}`, sources: [source] }));
  }
  const [a, b, c, d] = views.map(({ id }) => id);
  if (!a || !b || !c || !d) throw new Error('four');
  await rig.downloads.setPriority(d, 5);
  await rig.until(a, ({ state }) => state === 'active');
  t.match(rig.downloads.load, { active: 1, queued: 3 });
  const again = await rig.downloads.add({
    sha1: sha1(testBytes(1000, 2)),
    size: 1000,
    name: 'same',
    sources: [NOBODY],
  });
  t.equal(again.id, b);
  t.equal(again.sources.length, 2);
  const order: string[] = [];
  for (const id of [a, b, c, d]) void rig.ended(id).then(() => order.push(id));
  for (const id of [a, d, b, c]) {
    await rig.until(id, ({ state }) => state === 'active');
    while (gate.length === 0) await new Promise(turn => setImmediate(turn));
    gate.shift()?.();
    await rig.ended(id);
  }
  t.strictSame(order, [a, d, b, c]);
});

t.test('a restart goes on with what is there, as far as the disk really holds it', async t => {
  const content = testBytes(6 * MIB);
  const slow = await ScriptedSource.open(t, async asked => {
    await drip(asked.socket, partial(content, rangeOf(asked, content.length)), () => 30_000);
    return true;
  });
  const home = t.testdir({ home: {} });
  const first = await DownloadRig.open(t, home, { checkpoint: { bytes: 1, ms: 0 } });
  const { id } = await first.downloads.add({
    sha1: sha1(content),
    size: content.length,
    name: 'x',
    sources: [slow.source],
  });
  await first.until(id, ({ done }) => done > 2 * MIB);
  await first.stop();
  const part = join(first.folder, '.incomplete', `${id}.part`);
  truncateSync(part, MIB);

  const second = await DownloadRig.open(t, home, { activeMax: 0 });
  t.match(second.downloads.get(id), {
    state: 'queued',
    name: 'x',
    sources: [{ source: { endpoint: slow.source.endpoint } }],
  });
  const asked = slow.requests.length;
  second.downloads.activeMax = 1;
  await second.until(id, ({ done, state }) => state === 'active' && done > 0);
  while (slow.requests.length === asked) await new Promise(turn => setImmediate(turn));
  t.match(slow.requests[asked]?.headers.get('Range'), /^bytes=1048576-/);
  await second.stop();

  rmSync(part);
  const third = await DownloadRig.open(t, home);
  t.match(await third.ended(id), { state: 'completed' });
  await third.stop();

  const fourth = await DownloadRig.open(t, home);
  t.match(fourth.downloads.get(id), { state: 'completed', done: content.length, path: join(first.folder, 'x') });
  await fourth.downloads.pause(id);
  t.match(fourth.downloads.get(id), { state: 'completed' });
});

t.test('a paused download stays paused over a restart', async t => {
  const home = t.testdir({ home: {} });
  const first = await DownloadRig.open(t, home);
  const { id } = await first.downloads.add({ sha1: Buffer.alloc(20), size: 5, name: 'x', sources: [NOBODY] });
  await first.downloads.pause(id);
  await first.stop();
  const second = await DownloadRig.open(t, home);
  t.match(second.downloads.get(id), { state: 'paused' });
  t.equal(second.downloads.load.active, 0);
});

t.test('a crash between the link and the record gives the file one name, not two', async t => {
  const content = testBytes(1000);
  const source = await ScriptedSource.open(t, honest(content));
  const home = t.testdir({ home: {} });
  const first = await DownloadRig.open(t, home);
  const table = first.store.table<Record<string, unknown>>('downloads');
  const { id } = await first.downloads.add({ sha1: sha1(content), size: 1000, name: 'x', sources: [source.source] });
  const view = await first.ended(id);
  const before = await table.get(id);
  await first.stop();
  // as if the last save and the unlink had not happened
  linkSync(view.path ?? '', join(first.folder, '.incomplete', `${id}.part`));
  const store = await Store.open(join(home, 'store'), silentLog);
  await store
    .table('downloads')
    .put(id, { ...before, state: 'queued', ranges: [[0, 1000]], path: null, finishedAt: null });
  await store.close();

  const second = await DownloadRig.open(t, home);
  t.match(await second.ended(id), { state: 'completed', path: view.path });
  t.strictSame(readdirSync(first.folder).sort(), ['.incomplete', 'x']);
  t.strictSame(readdirSync(join(first.folder, '.incomplete')), []);
});

t.test('a record that makes no sense is left out, the others live', async t => {
  const home = t.testdir({ home: {} });
  const first = await DownloadRig.open(t, home);
  const { id } = await first.downloads.add({ sha1: Buffer.alloc(20), size: 5, name: 'x', sources: [] });
  const table = first.store.table<unknown>('downloads');
  const good = (await table.get(id)) as object;
  await table.put('a', { ...good, ranges: [[5, 1]] });
  await table.put('b', { ...good, sha1: 'AAAA' });
  await table.put('c', { ...good, state: 'nonsense' });
  await table.put('d', 7);
  await first.stop();
  const second = await DownloadRig.open(t, home);
  t.strictSame(
    second.downloads.list().map(each => each.id),
    [id],
  );
});

t.test(
  'a full disk pauses with what to do, and goes on by itself',
  { skip: existsSync('/dev/full') ? false : 'no /dev/full here' },
  async t => {
    const content = testBytes(100_000);
    const source = await ScriptedSource.open(t, honest(content));
    const rig = await DownloadRig.open(t, t.testdir(), { activeMax: 0 });
    const { id } = await rig.downloads.add({
      sha1: sha1(content),
      size: content.length,
      name: 'x',
      sources: [source.source],
    });
    const part = join(rig.folder, '.incomplete', `${id}.part`);
    mkdirSync(join(rig.folder, '.incomplete'), { recursive: true });
    symlinkSync('/dev/full', part);
    rig.downloads.activeMax = 1;
    const paused = await rig.until(id, ({ state }) => state === 'paused');
    t.match(paused, { error: /^no space left for .*downloads.*: free some, and it goes on by itself$/, done: 0 });
    rmSync(part);
    t.match(await rig.ended(id), { state: 'completed', error: null });
  },
);

t.test('a folder that cannot be written to is said, and used once it can', async t => {
  const content = testBytes(1000);
  const source = await ScriptedSource.open(t, honest(content));
  const home = t.testdir({ home: {} });
  writeFileSync(join(home, 'downloads'), 'a file where the folder should be');
  const rig = await DownloadRig.open(t, home);
  const { id } = await rig.downloads.add({ sha1: sha1(content), size: 1000, name: 'x', sources: [source.source] });
  const paused = await rig.until(id, ({ state }) => state === 'paused');
  t.match(paused.error, /cannot write to .*downloads.*: make it a writable folder/);
  rmSync(join(home, 'downloads'));
  t.equal(basename((await rig.ended(id)).path ?? ''), 'x');
});
