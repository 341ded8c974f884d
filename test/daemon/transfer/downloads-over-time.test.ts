import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { DownloadStore } from '../../../daemon/store/downloads.ts';
import { Store } from '../../../daemon/store/store.ts';
import { PLAIN_SOURCE, type Source } from '../../../protocol/transfer/downloads/source.ts';
import { DownloadRig, FAST, sha1 } from '../../support/download-rig.ts';
import { closed, eventually } from '../../support/loopback.ts';
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
    again: true,
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
  await rig.until(a, ({ state }) => state === 'active');
  await rig.downloads.setPriority(d, 5);
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

t.test(
  'the same content asked for again is not fetched again while it is here, unless another copy is wanted',
  async t => {
    const content = testBytes(1000);
    const source = await ScriptedSource.open(t, honest(content));
    const home = t.testdir({ shared: 'as the library has it' });
    const shared = { path: join(home, 'shared'), size: 21 };
    const known = sha1(testBytes(7));
    const rig = await DownloadRig.open(t, home, { sharedAt: hash => (hash.equals(known) ? shared : null) });
    const wanted = { sha1: sha1(content), size: 1000, name: 'x', sources: [source.source] };
    const both = await Promise.all([rig.downloads.add(wanted), rig.downloads.add(wanted)]);
    t.match(both, [{ joined: null }, { joined: 'download', id: both[0].id }], 'also when both come at once');
    const { id, path } = await rig.ended(both[0].id);
    t.match(await rig.downloads.add(wanted), { id, joined: 'file', state: 'completed', path });
    const copy = await rig.downloads.add({ ...wanted, again: true });
    t.equal(copy.joined, null);
    t.match(await rig.ended(copy.id), { state: 'completed', path: join(rig.folder, 'x (1)') });
    rmSync(path ?? '');
    rmSync(join(rig.folder, 'x (1)'));
    const anew = await rig.downloads.add(wanted);
    t.equal(anew.joined, null, 'its file is gone: it is fetched');
    await rig.ended(anew.id);

    const asked = source.requests.length;
    const ofLibrary = await rig.downloads.add({ ...wanted, sha1: known, size: null, name: 'y' });
    t.match(ofLibrary, {
      joined: 'library',
      state: 'completed',
      size: 21,
      done: 21,
      path: shared.path,
      position: null,
      error: null,
    });
    t.equal(source.requests.length, asked);
    t.match(await rig.downloads.add({ ...wanted, sha1: known }), { id: ofLibrary.id, joined: 'file' });
    t.ok(await rig.downloads.cancel(ofLibrary.id));
    t.ok(existsSync(shared.path), 'forgetting it leaves the file of the library');
  },
);

t.test(
  'a file of the library that its owner changed is left as it is, and a right one is fetched beside it',
  async t => {
    const content = testBytes(7);
    const source = await ScriptedSource.open(t, honest(content));
    const home = t.testdir({ shared: 'changed' });
    const path = join(home, 'shared');
    const rig = await DownloadRig.open(t, home, { sharedAt: () => ({ path, size: 7 }) });
    const request = { sha1: sha1(content), size: 7, name: 'y', sources: [source.source] };
    const { id, joined } = await rig.downloads.add(request);
    t.equal(joined, 'library');
    rig.downloads.verify(id);
    const fetched = await rig.until(id, view => view.state === 'completed' && view.path !== path);
    t.equal(fetched.path, join(rig.folder, 'y'));
    t.ok(readFileSync(join(rig.folder, 'y')).equals(content));
    t.equal(readFileSync(path, 'utf8'), 'changed');
  },
);

t.test('a restart goes on with what is there, as far as the disk really holds it', async t => {
  const content = testBytes(6 * MIB);
  let isHeld = true;
  const slow = await ScriptedSource.open(t, async asked => {
    const range = rangeOf(asked, content.length);
    const held = isHeld ? Math.max(0, range.end - Math.max(range.start, 4 * MIB)) : 0; // it does not end before the restart
    const bytes = partial(content, range);
    await drip(asked.socket, bytes.subarray(0, bytes.length - held), () => 30_000);
    if (held > 0) await closed(asked.socket);
    return held === 0;
  });
  const home = t.testdir({ home: {} });
  const first = await DownloadRig.open(t, home, { checkpoint: { bytes: 1, ms: 0 } });
  const { id } = await first.downloads.add({
    sha1: sha1(content),
    size: content.length,
    name: 'x',
    sources: [slow.source],
  });
  await eventually('a part of it is on the disk', () => (first.downloads.get(id)?.done ?? 0) > 2 * MIB);
  await first.stop();
  isHeld = false;
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
  await second.stop();
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

t.test('below the reserve a download is paused with the reason, and goes on by itself when there is room', async t => {
  const content = testBytes(6 * MIB);
  const source = await ScriptedSource.open(t, async asked => {
    if (asked.connection > 0) return honest(content)(asked);
    asked.socket.write(partial(content, rangeOf(asked, content.length)).subarray(0, MIB / 2)); // and no more
    await new Promise(closed => asked.socket.once('close', closed));
    return false;
  });
  let free = 100 * MIB;
  const rig = await DownloadRig.open(t, t.testdir(), {
    reserve: 90 * MIB,
    roomOf: folder => Promise.resolve({ volume: folder.slice(0, 1), free }),
    times: { ...FAST, stallMs: 60_000 },
  });
  const wanted = { sha1: sha1(content), size: content.length, name: 'x', sources: [source.source] };
  const { id } = await rig.downloads.add(wanted);
  await eventually('some has come', () => (rig.downloads.get(id)?.done ?? 0) > 0);
  const large = await rig.downloads.add({ sha1: sha1(testBytes(5)), size: 11 * MIB, name: 'y', sources: [NOBODY] });
  t.match(await rig.until(large.id, ({ state }) => state === 'paused'), {
    error:
      /^no room on the volume of .*: 100 MiB are free, 90.0 MiB stay free .*it still needs 11.0 MiB; it goes on by itself/,
  });
  t.equal(rig.downloads.waitOf(large.id), 'room');
  t.match(rig.downloads.get(id), { state: 'active' }, 'the one that fits runs');
  t.match(await rig.downloads.resume(large.id), { state: 'paused' }, 'resuming does not help');

  free = 80 * MIB;
  rig.downloads.reserve = 90 * MIB; // looks again at once
  t.match(await rig.until(id, ({ state }) => state === 'paused'), { error: /80.0 MiB are free/ });
  t.equal(rig.downloads.load.active, 0);
  const goesOn = rig.until(large.id, ({ state }) => state !== 'paused');
  rig.downloads.reserve = 10 * MIB;
  t.match(await rig.ended(id), { state: 'completed', error: null });
  t.notMatch((await goesOn).error, 'no room');
});

t.test('a category has its folder, its name template and its turns', async t => {
  const content = testBytes(1000);
  const source = await ScriptedSource.open(t, honest(content));
  const home = t.testdir();
  const music = { name: 'music', folder: join(home, 'music'), rules: [{ types: ['audio' as const] }], maxActive: 1 };
  const categories = [{ ...music, nameTemplate: '{title} by {artist}.{ext}' }, { name: 'rest' }];
  const rig = await DownloadRig.open(t, home, { categories });
  const wanted = { sha1: sha1(content), size: 1000, name: '../A Band - A Song.mp3', sources: [source.source] };
  const { id, category } = await rig.downloads.add(wanted);
  t.equal(category, 'music');
  t.equal((await rig.ended(id)).path, join(home, 'music', 'A Song by A Band.mp3'));
  const other = await rig.downloads.add({ ...wanted, name: 'x.mp3', category: 'rest', again: true });
  t.match(await rig.ended(other.id), { category: 'rest', path: join(rig.folder, 'x.mp3') });
  t.ok(rig.downloads.hasCategory('rest'));
  t.notOk(rig.downloads.hasCategory('film'));
  const held = await rig.downloads.add({ sha1: sha1(testBytes(5)), size: 5, name: 'y', sources: [] });
  t.match(await rig.downloads.setCategory(held.id, 'music'), { category: 'music' });
  t.equal(await rig.downloads.setCategory('nobody', null), null);
});

t.test('the order that was made by hand is kept over a restart', async t => {
  const home = t.testdir();
  const first = await DownloadRig.open(t, home, { activeMax: 0 });
  const ids: string[] = [];
  for (const [i, name] of ['a', 'b', 'c', 'd'].entries()) {
    const { id } = await first.downloads.add({ sha1: sha1(testBytes(10, i)), size: 10, name, sources: [NOBODY] });
    ids.push(id);
  }
  const order = ({ downloads }: DownloadRig): string =>
    [...downloads.list()]
      .sort((a, b) => (a.position ?? 0) - (b.position ?? 0))
      .map(({ name }) => name)
      .join('');
  t.equal(order(first), 'abcd');
  t.match(await first.downloads.move(ids[3] ?? '', 'top'), { name: 'd', position: 1 });
  await first.downloads.move(ids[0] ?? '', 'down');
  t.equal(order(first), 'dbac');
  await first.downloads.setPriority(ids[2] ?? '', 1);
  t.equal(order(first), 'cdba');
  t.equal(await first.downloads.move('nobody', 'up'), null);
  await first.stop();
  t.equal(order(await DownloadRig.open(t, home, { activeMax: 0 })), 'cdba');
});

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

t.test('a download that waits for its turn does not go on saying that it has no source', async t => {
  const rig = await DownloadRig.open(t, t.testdir(), { activeMax: 0 });
  const wanted = { sha1: sha1(testBytes(10)), size: 10, name: 'x' };
  const { id, error } = await rig.downloads.add({ ...wanted, sources: [] });
  t.equal(error, 'no source is known yet');
  const source = await ScriptedSource.open(t, honest(testBytes(10)));
  t.match(await rig.downloads.add({ ...wanted, sources: [source.source] }), { id, state: 'queued', error: null });
});

t.test('a download whose disk has room again does not go on saying that it is full', async t => {
  const home = t.testdir();
  const first = await DownloadRig.open(t, home, { activeMax: 0 });
  const { id } = await first.downloads.add({ sha1: sha1(testBytes(10)), size: 10, name: 'x', sources: [] });
  const store = new DownloadStore(first.store.table('downloads'));
  for (const record of await store.all(silentLog)) await store.save({ ...record, error: 'the disk is full' }, true);
  await first.stop();
  const second = await DownloadRig.open(t, home);
  t.match(await second.until(id, ({ error }) => error !== 'the disk is full'), {
    state: 'queued',
    error: 'no source is known yet',
  });
});
