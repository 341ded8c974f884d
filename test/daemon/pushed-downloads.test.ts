// Whole daemons of which the one that shares cannot be connected to: downloads get their file by push.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { fetched, found } from '../support/found-download.ts';
import { hashed, startServent, until } from '../support/running-servent.ts';

t.test('a file of a firewalled leaf is fetched by push, and its source says which way', async t => {
  const dataDir = t.testdir({});
  const hub = await startServent(t, join(dataDir, 'hub'), { 'bootstrap.enabled': false });
  const folder = join(dataDir, 'files');
  await mkdir(folder);
  await writeFile(join(folder, 'walled garden.txt'), 'behind a firewall '.repeat(1000));
  const leaf = { 'gnutella.mode': 'leaf', 'gnutella.connect': [hub.address], 'bootstrap.enabled': false } as const;
  const walled = await startServent(t, join(dataDir, 'walled'), {
    ...leaf,
    'gnutella.reachable': 'no',
    'library.folders': [folder],
  });
  const seeker = await startServent(t, join(dataDir, 'seeker'), { ...leaf, 'gnutella.reachable': 'yes' });
  await hashed(walled.client, 1);
  await until('both are linked', async () => ((await hub.client.status()).peers.leaves === 2 ? true : null));
  // the hub asks a leaf when it has its table, and not before
  const file = await found(seeker, 'walled garden');
  t.equal(file.result.sources[0]?.push, true);
  const done = await fetched(seeker, file);
  t.match(done.sources[0]?.way, /^(datagram|overlay|proxy)$/);
  const metrics = await (
    await fetch(`${seeker.api}/metrics`, { headers: { Authorization: `Bearer ${seeker.token}` } })
  ).text();
  t.match(metrics, /gnutella_sources_reached_total\{way="(datagram|overlay|proxy)"\} 1/);
});
