// What downloads are called: by the user, or by their sources.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { FinishedFile } from '../../../daemon/transfer/finished-file.ts';
import { formatSha1Urn } from '../../../protocol/wire/urn.ts';
import { DownloadRig, sha1 } from '../../support/download-rig.ts';
import { honest, partial, rangeOf, ScriptedSource } from '../../support/scripted-source.ts';
import { testBytes } from '../../support/shared-files.ts';

t.test('a download without a name takes it from its source; one with a name keeps it', async t => {
  const content = testBytes(5000);
  const named = "Content-Disposition: attachment; filename*=UTF-8''..%2Fn%C3%A4me.txt\r\n";
  const source = await ScriptedSource.open(
    t,
    asked => asked.socket.write(partial(content, rangeOf(asked, content.length), named)) || true,
  );
  const rig = await DownloadRig.open(t, t.testdir());
  const request = { sha1: sha1(content), size: null, sources: [source.source], again: true };
  const unnamed = await rig.downloads.add({ ...request, name: formatSha1Urn(request.sha1) });
  t.match(await rig.ended(unnamed.id), { state: 'completed', name: 'näme.txt', path: join(rig.folder, 'näme.txt') });
  const given = await rig.downloads.add({ ...request, name: 'given.txt' });
  t.match(await rig.ended(given.id), { state: 'completed', name: 'given.txt', path: join(rig.folder, 'given.txt') });
});

t.test(
  'a download is renamed: a finished one at once, never over another file, one under way when it is finished',
  async t => {
    const content = testBytes(5000);
    let letsGo: () => void = () => undefined;
    const gate = new Promise<void>(resolve => {
      letsGo = resolve;
    });
    const source = await ScriptedSource.open(t, async asked => {
      await gate;
      return honest(content)(asked);
    });
    const home = t.testdir();
    const rig = await DownloadRig.open(t, home);
    const { downloads, folder } = rig;
    const { id } = await downloads.add({ sha1: sha1(content), size: null, name: 'a.txt', sources: [source.source] });
    t.match(await downloads.rename(id, 'b/../c.txt'), { name: 'c.txt' });
    t.match(downloads.get(id), { words: 'a.txt' }, 'sources are searched for by the name that others know');
    await downloads.rename(id, 'c.txt');
    t.match(downloads.get(id), { words: 'a.txt' });
    letsGo();
    t.match(await rig.ended(id), { state: 'completed', path: join(folder, 'c.txt') });
    writeFileSync(join(folder, 'other.txt'), 'other');
    await t.rejects(downloads.rename(id, 'other.txt'), { code: 'NAME_TAKEN', message: /other\.txt exists already/ });
    t.equal(readFileSync(join(folder, 'other.txt'), 'utf8'), 'other');
    t.match(downloads.get(id), { name: 'c.txt', path: join(folder, 'c.txt') });
    t.match(await downloads.rename(id, 'd.txt'), { name: 'd.txt', path: join(folder, 'd.txt') });
    t.match(await downloads.rename(id, 'd.txt'), { path: join(folder, 'd.txt') }, 'the same name again');
    t.ok(readFileSync(join(folder, 'd.txt')).equals(content));
    t.notOk(existsSync(join(folder, 'c.txt')));
    rmSync(join(folder, 'd.txt'));
    await t.rejects(downloads.rename(id, 'e.txt'), { code: 'FILE_GONE' });
    t.equal(await downloads.rename('nobody', 'e.txt'), null);
    await rig.stop();
    const next = await DownloadRig.open(t, home);
    t.match(next.downloads.get(id), { name: 'd.txt', words: 'a.txt', path: join(folder, 'd.txt') });
  },
);

t.test(
  'a download is renamed while its file is placed, renamed and looked through: one file, of the last name',
  async t => {
    const content = testBytes(5000);
    const source = await ScriptedSource.open(t, honest(content));
    const rig = await DownloadRig.open(t, t.testdir());
    const { downloads, folder } = rig;
    const { id } = await downloads.add({ sha1: sha1(content), size: null, name: 'a', sources: [source.source] });
    await rig.until(id, ({ state }) => state === 'verifying');
    let name = 'a';
    for (let i = 0; downloads.get(id)?.state !== 'completed'; i++) {
      name = `b${i}`;
      await downloads.rename(id, name);
    }
    t.match(downloads.get(id), { name, path: join(folder, name) });
    await Promise.all(['c', 'd', 'e'].map(name => downloads.rename(id, name)));
    t.match(downloads.get(id), { name: 'e', path: join(folder, 'e') });
    const last = downloads.rename(id, 'f');
    downloads.verify(id);
    await t.rejects(downloads.rename(id, 'g'), { code: 'FILE_IN_USE' });
    await last;
    t.match(await rig.until(id, ({ state }) => state === 'completed'), { name: 'f', path: join(folder, 'f') });
    t.strictSame(readdirSync(folder), ['.incomplete', 'f']);
  },
);

t.test('a rename that comes when the file has its place, and the download is not completed yet, is taken', async t => {
  const content = testBytes(5000);
  const source = await ScriptedSource.open(t, honest(content));
  const rig = await DownloadRig.open(t, t.testdir());
  const { note } = FinishedFile.prototype;
  t.teardown(() => {
    FinishedFile.prototype.note = note;
  });
  let renamed: Promise<unknown> = Promise.reject(new Error('it was not placed'));
  renamed.catch(() => 'looked at below');
  FinishedFile.prototype.note = async function (this: FinishedFile, path?: string | null) {
    FinishedFile.prototype.note = note;
    renamed = rig.downloads.rename(id, 'b');
    await note.call(this, path);
  };
  const { id } = await rig.downloads.add({ sha1: sha1(content), size: null, name: 'a', sources: [source.source] });
  await rig.ended(id);
  t.match(await renamed, { name: 'b', path: join(rig.folder, 'b') });
});

t.test('nothing is told of a finished download that is cancelled while it is renamed', async t => {
  const content = testBytes(5000);
  const told: string[] = [];
  const one = await ScriptedSource.open(t, honest(content));
  const rig = await DownloadRig.open(t, t.testdir(), { onRemoved: ({ id }) => told.push(`removed ${id}`) });
  const { downloads, folder } = rig;
  const request = { sha1: sha1(content), size: null, name: 'a', sources: [one.source] };
  const { id } = await downloads.add(request);
  await rig.ended(id);
  void rig.until(id, () => told.push(`changed ${id}`) === 0);
  told.length = 0; // the view of now
  const [renamed, cancelled] = await Promise.all([downloads.rename(id, 'b'), downloads.cancel(id)]);
  t.equal(renamed, null);
  t.ok(cancelled);
  t.strictSame(told, [`removed ${id}`]);
  t.strictSame(readdirSync(folder), ['.incomplete', 'b'], 'the file stays, under its new name');
});

t.test('a finished file that is fetched again is not put over that of another download', async t => {
  const [content, other] = [testBytes(5000), testBytes(6000, 9)];
  const rig = await DownloadRig.open(t, t.testdir());
  const { downloads, folder } = rig;
  const request = { size: null, name: 'a.txt' };
  const one = await ScriptedSource.open(t, honest(content));
  const { id } = await downloads.add({ ...request, sha1: sha1(content), sources: [one.source] });
  await rig.ended(id);
  rmSync(join(folder, 'a.txt'));
  const two = await ScriptedSource.open(t, honest(other));
  const second = await downloads.add({ ...request, sha1: sha1(other), sources: [two.source] });
  t.match(await rig.ended(second.id), { path: join(folder, 'a.txt') });
  downloads.verify(id);
  await rig.until(id, ({ state }) => state === 'active');
  t.match(await rig.ended(id), { state: 'completed', path: join(folder, 'a (1).txt') });
  t.ok(readFileSync(join(folder, 'a.txt')).equals(other));
});
