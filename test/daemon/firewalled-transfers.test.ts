// Whole daemons of which neither can be connected to: a file goes from one to the other by reliable UDP.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { fetched, found } from '../support/found-download.ts';
import { hashed, startServent, until } from '../support/running-servent.ts';

t.test('a firewalled servent fetches a file of another one by a stream over UDP', async t => {
  const dataDir = t.testdir({});
  // two, as peers of one network alone are not believed about our port
  const hubs = await Promise.all(
    ['hub', 'other hub'].map(name => startServent(t, join(dataDir, name), { 'bootstrap.enabled': false })),
  );
  const folder = join(dataDir, 'files');
  await mkdir(folder);
  const content = 'between two walls '.repeat(40_000);
  await writeFile(join(folder, 'walled garden.txt'), content);
  const walled = {
    'gnutella.mode': 'leaf',
    'gnutella.connect': hubs.map(({ address }) => address),
    'gnutella.reachable': 'no',
    'bootstrap.enabled': false,
  } as const;
  const server = await startServent(t, join(dataDir, 'server'), { ...walled, 'library.folders': [folder] });
  const seeker = await startServent(t, join(dataDir, 'seeker'), walled);
  await hashed(server.client, 1);
  for (const hub of hubs)
    await until('both are linked', async () => ((await hub.client.status()).peers.leaves === 2 ? true : null));
  // they answer each other once they know at which port others see them
  const file = await found(seeker, 'walled garden');
  t.equal(file.result.sources[0]?.push, true);
  const done = await fetched(seeker, file);
  t.equal(done.sources[0]?.way, 'rudp');
  t.equal(await readFile(done.path ?? '', 'utf8'), content);
  const text = async ({ api, token }: typeof seeker) =>
    (await fetch(`${api}/metrics`, { headers: { Authorization: `Bearer ${token}` } })).text();
  t.match(await text(seeker), /gnutella_rudp_connections_total\{result="extended"\} 1/);
  t.match(await text(server), /gnutella_pushes_answered_total\{result="served"\} 1/);
});
