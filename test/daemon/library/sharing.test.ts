// A whole daemon that shares: what strangers get of secrets, excludes and labels over HTTP, and what command line and API say.
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t, { type Test } from 'tap';
import { parseQueryHit } from '../../../protocol/wire/query-hit.ts';
import { formatBase32 } from '../../../protocol/wire/urn.ts';
import { neverShared } from '../../../settings/never-shared.ts';
import { command } from '../../support/command.ts';
import { HttpClient } from '../../support/http-client.ts';
import { sha1 } from '../../support/library.ts';
import { hashed, startServent, until } from '../../support/running-servent.ts';
import { secretSamples, writeSamples } from '../../support/secret-samples.ts';

const browse = async (t: Test, port: number, accept = 'application/x-gnutella-packets') =>
  (await HttpClient.open(t, port)).ask('GET / HTTP/1.1', `Accept: ${accept}`, 'Connection: close');

t.test('one of each secret: strangers get none by browsing, by index, by name or by hash', async t => {
  const root = t.testdir({ share: { 'song.ogg': 'la' }, data: { shared: {} } });
  const samples = secretSamples(neverShared().list);
  writeSamples(join(root, 'share'), samples);
  const { client, gnutella } = await startServent(t, join(root, 'data'));
  await client.shareFolder({ path: join(root, 'share') });
  await until('all are judged', async () => {
    const { files, hashing } = (await client.status()).library;
    return files === 1 && hashing === 0 ? true : null;
  });
  const { body } = await browse(t, gnutella.port);
  t.ok(body.includes('song.ogg'));
  const page = await browse(t, gnutella.port, 'text/html');
  t.match(page.head.headers.get('Content-Type'), 'text/html');
  t.ok(page.body.includes('song.ogg'));
  for (const list of [body, page.body]) t.notOk(list.includes(root), 'nor a path of this machine');
  const ask = async (target: string) =>
    await (await HttpClient.open(t, gnutella.port)).ask(`GET ${target} HTTP/1.1`, 'Connection: close');
  for (const { path } of samples) {
    t.notOk(body.includes(basename(path)), path);
    t.notOk(page.body.includes(basename(path)), path);
  }
  const oneOfEachRule = new Map(samples.map(sample => [sample.rule, sample]));
  for (const { path, bytes } of oneOfEachRule.values()) {
    const { status } = await ask(`/uri-res/N2R?urn:sha1:${formatBase32(sha1(bytes))}`);
    t.equal(status, 404, path);
  }
  for (let index = 0; index < 20; index++) {
    const { status } = await ask(`/get/${index}/id_rsa`);
    t.ok(status >= 400, `${index}: ${status}`);
  }
});

t.test(
  'a changed exclusion reaches strangers at once, a label takes the place of the path, and a bad pattern is refused',
  async t => {
    const root = t.testdir({
      share: { 'disk.iso': 'iso', albums: { 'song.flac': 'not a flac' }, id_rsa: 'x' },
      data: { shared: {} },
    });
    const { client, gnutella } = await startServent(t, join(root, 'data'));
    const env = { SERVENT_DATA_DIR: join(root, 'data') };
    const cli = async (...words: string[]) => await command(words, { env, cwd: root });

    const dry = await cli('share', 'share', '--dry-run', '--exclude', 'albums/');
    t.match(dry, { code: 0, out: /would see 1 file.*disk\.iso.*left out: .*id_rsa +private-key +a private key/s });
    t.match(dry.out, /albums\/ +exclude: albums\/ +excluded by albums\//);
    t.match(dry.err, /nothing was shared/);
    t.equal((await client.folders()).items.length, 1);

    t.match(await cli('share', 'share'), { code: 0, out: /^sharing / });
    await hashed(client, 2);
    t.match(await cli('library', '--as-seen'), { code: 0, out: /disk\.iso/ });
    await client.changeConfig({ library: { exclude: ['*.iso'] } });
    t.notOk((await browse(t, gnutella.port)).body.includes('disk.iso'), 'gone when the change is answered');
    const iso = `urn:sha1:${formatBase32(sha1('iso'))}`;
    t.equal((await (await HttpClient.open(t, gnutella.port)).ask(`GET /uri-res/N2R?${iso} HTTP/1.1`)).status, 404);
    await until('the scan has counted it', async () => {
      const { err } = await cli('library');
      return /left out of .*1 file \(excluded by \*\.iso\)/.test(err) ? true : null;
    });

    t.match(await cli('share', 'share', '--label', 'Müsic'), { code: 0 });
    const { body } = await browse(t, gnutella.port);
    const { hits } = parseQueryHit(body.subarray(23));
    t.strictSame(
      hits.map(({ name, ggep }) => [name, ...ggep.map(({ id, payload }) => `${id} ${payload}`)]),
      [['song.flac', 'PATH Müsic/albums']],
    );
    t.notOk(body.includes(root));
    const seen = await cli('library', '--as-seen');
    t.match(seen.out, /song\.flac.*Müsic\/albums/);
    t.notMatch(seen.out, root);

    await t.rejects(
      client.changeConfig({ library: { exclude: ['*.mp3', '[abc'] } }),
      /library\.exclude.*gitignore pattern.*"\[abc"/,
    );
    t.match(await cli('share', 'share', '--exclude', '[abc'), { code: 1, err: /exclude\.0: .*"\[abc"/ });
    t.match((await client.config()).settings.find(({ key }) => key === 'library.exclude')?.value, ['*.iso']);
    t.match(await cli('share', 'share', '--exclude', 'albums'), { code: 0, err: /leaving out albums/ });
    t.equal((await client.status()).library.files, 0);
    t.match(await cli('share', 'share', '--exclude', ''), { code: 0 });
    await hashed(client, 1);

    await until('its metadata was looked for', async () =>
      (await client.status()).library.media.failed === 1 ? true : null,
    );
    t.match((await cli('status')).out, /metadata of 1 file unreadable/);
    t.match((await cli('doctor')).out, /metadata: 1 of 1 media file could not be read: shared without/);
  },
);

t.test(
  'system folders are refused with what to do, and forced when a person means it, but for those that are closed',
  async t => {
    const root = t.testdir({ home: { '.bashrc': '', 'song.ogg': 'la' }, data: { shared: {} } });
    writeFileSync(join(root, 'home', 'secret.kdbx'), 'x');
    const { client } = await startServent(t, join(root, 'data'));
    const env = { SERVENT_DATA_DIR: join(root, 'data') };
    for (const path of ['/', '/etc', '/proc', '/sys', '/dev']) {
      const isClosed = ['/proc', '/sys', '/dev'].includes(path);
      await t.rejects(client.previewFolder({ path }), /Share a folder that holds only/, path);
      const { code, err } = await command(['share', path], { env });
      t.match([code, err], [1, isClosed ? / is never shared: (?!.*--force)/ : / is not shared: .*--force/], path);
      if (isClosed)
        t.match(await command(['share', path, '--force'], { env }), { code: 1, err: /is never shared/ }, path);
    }
    t.match(await command(['share', join(root, 'data'), '--force'], { env }), {
      code: 1,
      err: /token, keys and state/,
    });
    t.match(await command(['share', join(root, 'home'), '--force'], { env }), { code: 0, out: /^sharing / });
    await hashed(client, 1);
    const forced = (await client.folders()).items.find(({ path }) => path === join(root, 'home'));
    t.match(forced, { force: true, error: null });
    t.strictSame(forced?.leftOut.map(({ rule }) => rule).sort(), ['hidden', 'password-store']);
  },
);
