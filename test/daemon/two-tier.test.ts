// Whole daemons that find one another through a cache and decide among themselves who routes.
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Client, createClient } from '../../api/client.ts';
import { readApiToken } from '../../api/runtime-files.ts';
import { CacheServer } from '../../daemon/bootstrap/cache-server.ts';
import { type RunningDaemon, startDaemon } from '../../daemon/daemon.ts';
import { silentLog } from '../../daemon/log.ts';
import { SystemClock, SystemRandom } from '../../daemon/system.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { resolveSettings } from '../../settings/resolve.ts';

interface Servent {
  daemon: RunningDaemon;
  client: Client;
}

async function startCache(t: Test): Promise<string> {
  const parts = { clock: new SystemClock(), random: new SystemRandom(), log: silentLog };
  const cache = new CacheServer({ host: '127.0.0.1', port: 0, lab: true, ...parts });
  const at = await cache.start();
  t.teardown(() => cache.stop());
  return `http://${formatEndpoint(at)}/gwc/`;
}

async function start(t: Test, dataDir: string, cache: string): Promise<Servent> {
  const resolved = await resolveSettings({
    flags: { profile: 'local', dataDir, 'gnutella.port': 0, 'api.port': 0, 'bootstrap.caches': [cache] },
    env: {},
  });
  const daemon = await startDaemon(resolved, silentLog);
  t.teardown(() => daemon.stop());
  return { daemon, client: createClient({ url: daemon.api, token: (await readApiToken(dataDir)) ?? '' }) };
}

async function until<T>(what: string, ask: () => Promise<T | null>): Promise<T> {
  for (let tries = 0; tries < 2400; tries++) {
    const found = await ask();
    if (found !== null) return found;
    await new Promise(resolve => setTimeout(resolve, 25));
  }
  throw new Error(`${what}: not in time`);
}

t.test('the first three stay ultrapeers, the others hang on all of them, and say why', async t => {
  const dataDir = t.testdir({});
  const cache = await startCache(t);
  const servents: Servent[] = [];
  const statuses = () => Promise.all(servents.map(({ client }) => client.status()));
  for (let i = 0; i < 3; i++) servents.push(await start(t, join(dataDir, `${i}`), cache));
  await until('the first three are connected', async () =>
    (await statuses()).every(({ peers }) => peers.ultrapeers === 2) ? true : null,
  );
  for (let i = 3; i < 5; i++) servents.push(await start(t, join(dataDir, `${i}`), cache));

  const settled = await until('three ultrapeers and two leaves of each', async () => {
    const all = await statuses();
    const ultrapeers = all.filter(({ mode }) => mode === 'ultrapeer');
    const leaves = all.filter(({ mode }) => mode === 'leaf');
    const whole =
      ultrapeers.length === 3 &&
      ultrapeers.every(({ peers }) => peers.ultrapeers === 2 && peers.leaves === 2) &&
      leaves.every(({ peers }) => peers.ultrapeers === 3 && peers.leaves === 0);
    return whole ? all : null;
  });
  const leaf = settled.find(({ mode }) => mode === 'leaf');
  t.match(leaf?.election, { mode: 'auto', active: true, role: 'leaf', fit: true, needed: false, changesIn: null });
  t.match(
    leaf?.election.criteria.find(({ met }) => !met),
    { name: 'need', value: 3, wanted: 3 },
  );

  const [gone] = servents.splice(
    settled.findIndex(({ mode }) => mode === 'ultrapeer'),
    1,
  );
  await gone?.daemon.stop();
  await until('the leaves are on the other two', async () => {
    const leaves = (await statuses()).filter(({ mode }) => mode === 'leaf');
    return leaves.length > 0 && leaves.every(({ peers }) => peers.ultrapeers >= 2) ? true : null;
  });
});

t.test('an ultrapeer without bootstrap holds no election, and asks no neighbour to be its leaf', async t => {
  const dataDir = t.testdir({});
  const cache = await startCache(t);
  const byHand = await resolveSettings({
    flags: { profile: 'local', dataDir: join(dataDir, 'hand'), 'gnutella.port': 0, 'api.port': 0 },
    env: {},
  });
  const hand = await startDaemon(byHand, silentLog);
  t.teardown(() => hand.stop());
  const seeker = await start(t, join(dataDir, 'seeker'), cache);
  const peer = await seeker.client.connect({ address: formatEndpoint(hand.gnutella) });
  t.match(peer, { role: 'ultrapeer', direction: 'outgoing' });
  const { mode, election } = await seeker.client.status();
  t.equal(mode, 'ultrapeer', 'nobody asked it to be a leaf');
  t.match(election, { active: true });
  const client = createClient({ url: hand.api, token: (await readApiToken(join(dataDir, 'hand'))) ?? '' });
  t.match(await client.status(), { mode: 'ultrapeer', election: { mode: 'auto', active: false } });
});
