// Whole servents behind routers of the laboratory find and fetch files of each other, and know how they can be reached.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { missingHere } from '../../demo/nat/namespaces.ts';
import { NatNetwork } from '../../demo/nat/nat-network.ts';
import { exchange, type Pair, prepare } from '../../demo/nat/pair.ts';
import type { PlaceKind } from '../../demo/nat/place-kind.ts';
import { until } from '../support/running-servent.ts';

const missing = await missingHere();
t.setTimeout(220_000);
const BYTES = 300_000;
const WAIT_MS = 40_000;
const PLACES: Readonly<Record<string, PlaceKind>> = {
  open: 'open',
  restricted: 'port-restricted',
  other: 'port-restricted',
  symmetric: 'symmetric',
  blocked: 'tcp-blocked',
};
/** A relay goes where ports are not known yet, as on a busy machine. */
const PAIRS: readonly (Pair & { readonly ways: readonly string[] })[] = [
  { seeker: 'symmetric', source: 'open', ways: ['direct'] },
  { seeker: 'open', source: 'restricted', ways: ['datagram', 'proxy'] },
  { seeker: 'restricted', source: 'other', ways: ['rudp', 'relay'] },
  { seeker: 'blocked', source: 'open', ways: ['rudp', 'relay'] },
  { seeker: 'symmetric', source: 'restricted', ways: ['relay'] },
];

t.test('servents in places of several kinds', { skip: missing ?? false }, async t => {
  const folder = await mkdtemp(join(tmpdir(), 'servent-lab-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  for (const pair of PAIRS) await prepare(folder, pair, BYTES);
  const network = await NatNetwork.start({ folder, places: PLACES });
  t.teardown(() => network.stop());
  await network.settled();
  for (const { ways, ...pair } of PAIRS) {
    const outcome = await exchange(network, folder, pair, WAIT_MS);
    const title = `${pair.seeker} fetches from ${pair.source}`;
    t.equal(outcome.error, null, title);
    t.match(outcome.way, new RegExp(`^(${ways.join('|')})$`), `${title} by the way that leads there`);
  }
  const reached = await until('the reachable ones have proof', async () => {
    const { reachability: reach } = await network.servent('open').client.status();
    const { reachability: blocked } = await network.servent('blocked').client.status();
    return reach.tcp.state === 'open' && reach.udp.state === 'open' && blocked.udp.state === 'open' ? true : null;
  });
  t.ok(reached, 'an open place has proof of TCP and UDP, one that passes only UDP has it of UDP');
  for (const name of ['restricted', 'symmetric', 'blocked']) {
    const { reachability: reach } = await network.servent(name).client.status();
    t.not(reach.tcp.state, 'open', `nobody connects to ${name}`);
    if (name !== 'blocked') t.not(reach.udp.state, 'open', `no datagram comes to ${name} that was not asked for`);
  }
});
