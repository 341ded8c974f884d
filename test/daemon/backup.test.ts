import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { command } from '../support/command.ts';
import { startServent, until } from '../support/running-servent.ts';
import { SHA1 } from '../support/sample-views.ts';

/** A data folder with a bit of everything, and nobody running on it. */
async function lived(t: Test, dir: string): Promise<{ dataDir: string; key: string; kuid: string }> {
  const dataDir = join(dir, 'old');
  await mkdir(join(dataDir, 'shared'), { recursive: true });
  await writeFile(join(dataDir, 'shared/blue song.txt'), 'la la la');
  await writeFile(join(dataDir, 'servent.yaml'), '# mine\nuploads:\n  slots: 3\n');
  let [key, kuid] = ['', ''];
  await t.test('a servent lives for a while', async t => {
    const { client } = await startServent(t, dataDir);
    await client.addHost({ address: '127.0.0.9:6346' });
    key = (await client.createKey({ name: 'monitor' })).secret;
    kuid = (await client.dht()).kuid;
    const download = await client.startDownload({ urn: SHA1, sources: [], name: 'wanted.bin', size: 1000 });
    await client.changeDownload({ id: download.id, state: 'paused' });
    await until('the file is hashed', async () => ((await client.status()).library.files === 1 ? true : null));
    await mkdir(join(dataDir, 'downloads/.incomplete'), { recursive: true });
    await writeFile(join(dataDir, 'downloads/.incomplete', `${download.id}.part`), Buffer.alloc(600_000, 'p'));
  });
  return { dataDir, key, kuid };
}

t.test('everything comes back in another folder: configuration, hosts, library, downloads, keys', async t => {
  const dir = t.testdir({});
  const { dataDir, key, kuid } = await lived(t, dir);
  const file = join(dir, 'all.backup');
  const made = await command(['backup', file, '--data-dir', dataDir, '--parts', '--json']);
  t.equal(made.code, 0, made.err);
  t.match(made.json(), {
    file,
    files: ['servent.yaml'],
    parts: 1,
    records: { keys: 1, downloads: 1, files: 1, identity: 1 },
  });
  t.equal((await stat(file)).mode & 0o777, 0o600);
  const text = gunzipSync(await readFile(file)).toString();
  const token = (await readFile(join(dataDir, 'api-token'), 'utf8')).trim();
  t.notMatch(text, token, 'no token without --secrets');
  t.notMatch(text, key, 'keys as hashes');
  t.notMatch(text, kuid, 'no KUID: the original may still run, and two nodes of the DHT must not have one');

  const fresh = join(dir, 'new');
  const back = await command(['restore', file, '--data-dir', fresh]);
  t.equal(back.code, 0, back.err);
  t.match(back.err, /the backup has no API token/);
  const names = Array.from(back.out.matchAll(/^([a-z ]+): {2}/gm), ([, name]) => name);
  t.ok(names.length > 3 && new Set(names).size === names.length, `one row for each: ${names.join(', ')}`);
  t.equal(await readFile(join(fresh, 'servent.yaml'), 'utf8'), '# mine\nuploads:\n  slots: 3\n');
  t.strictSame((await readdir(fresh)).sort(), ['downloads', 'servent.yaml', 'store']);
  const [part = ''] = await readdir(join(fresh, 'downloads/.incomplete'));
  t.ok(
    (await readFile(join(fresh, 'downloads/.incomplete', part))).equals(Buffer.alloc(600_000, 'p')),
    'in pieces, and whole',
  );
  await mkdir(join(fresh, 'shared'));
  const { client } = await startServent(t, fresh);
  t.match(await client.hosts(), { items: [{ address: '127.0.0.9:6346' }] });
  t.not((await client.dht()).kuid, kuid);
  t.match(await client.keys(), { items: [{ name: 'monitor' }] });
  t.match(await client.downloads(), { items: [{ name: 'wanted.bin', state: 'paused', urn: SHA1 }] });
  const old = text.split('\n').find(line => line.includes('"identity"')) ?? '';
  t.match(old, /"table":"identity"/);
});

t.test('it is all or nothing: cut, damaged, foreign and newer archives leave no trace', async t => {
  const dir = t.testdir({});
  const { dataDir } = await lived(t, dir);
  const file = join(dir, 'a');
  t.equal((await command(['backup', file, '--data-dir', dataDir, '--secrets'])).code, 0);
  const whole = await readFile(file);
  const lines = gunzipSync(whole).toString().split('\n');
  t.match(lines.join('\n'), (await readFile(join(dataDir, 'api-token'), 'utf8')).trim(), 'with --secrets');
  const bad: [name: string, bytes: Buffer, says: RegExp][] = [
    ['cut', whole.subarray(0, whole.length - 20), /cut short/],
    ['lines', gzipSync(lines.slice(0, -2).join('\n')), /cut short/],
    ['fewer', gzipSync(lines.filter((_, i) => i !== 3).join('\n')), /lines, but \d+ were written/],
    [
      'flipped',
      Buffer.concat([whole.subarray(0, 40), Buffer.from('????'), whole.subarray(44)]),
      /no backup|damaged|cut short/,
    ],
    ['text', Buffer.from('hello'), /not a backup of a servent/],
    ['other', gzipSync('{"kind":"x"}\n'), /not a backup of a servent/],
    [
      'newer',
      gzipSync(lines.join('\n').replace('"format":1', '"format":2')),
      /format 2, this one knows 1\): update first/,
    ],
    ['path', gzipSync(`${lines[0]}\n{"kind":"part","name":"../x.part","at":0,"bytes":""}\n`), /damaged in line 2/],
  ];
  for (const [name, bytes, says] of bad) {
    await writeFile(join(dir, name), bytes);
    const target = join(dir, `to-${name}`);
    t.match(await command(['restore', join(dir, name), '--data-dir', target]), { code: 1, err: says }, name);
    t.strictSame(existsSync(target) ? await readdir(target) : [], [], `${name} leaves nothing`);
  }
  t.match(await command(['restore', join(dir, 'none'), '--data-dir', join(dir, 'x')]), { code: 1, err: /none/ });
});

t.test('what is there is not overwritten, and kept aside with --force', async t => {
  const dir = t.testdir({});
  const { dataDir } = await lived(t, dir);
  const file = join(dir, 'a');
  t.equal((await command(['backup', file, '--data-dir', dataDir])).code, 0);
  t.match(await command(['backup', file, '--data-dir', dataDir]), { code: 1, err: /exists.*--force/ });
  t.match(await command(['restore', file, '--data-dir', dataDir]), { code: 1, err: /has .*store.*--force/ });
  const { code, err } = await command(['restore', file, '--data-dir', dataDir, '--force']);
  t.equal(code, 0, err);
  const [aside = ''] = (await readdir(dataDir)).filter(name => name.startsWith('before-restore-'));
  t.strictSame((await readdir(join(dataDir, aside))).sort(), ['api-token', 'servent.yaml', 'store']);
  t.ok(existsSync(join(dataDir, 'shared/blue song.txt')), 'files of people are left alone');
  const { client } = await startServent(t, dataDir);
  const [download] = (await client.downloads()).items;
  t.match(download, { name: 'wanted.bin', done: 0 }, 'without --parts nothing of it is there');
  for (const words of [
    ['backup', join(dir, 'b')],
    ['restore', file, '--force'],
  ])
    t.match(await command([...words, '--data-dir', dataDir]), {
      code: 1,
      err: /the daemon is running on this data folder: stop it first/,
    });
});
