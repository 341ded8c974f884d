// The old network: a line of ultrapeers by given addresses, where a search can be followed hop by hop.
import { join } from 'node:path';
import { ServentProcess } from './servent-process.ts';
import {
  detail,
  fetchRecording,
  printCounts,
  program,
  type Stage,
  say,
  searched,
  serventOf,
  shareFolder,
  step,
  until,
} from './stage.ts';

/** Whom each servent dials. A line from alpha to delta, and a mesh of delta, echo and foxtrot behind it. */
const network: Readonly<Record<string, readonly string[]>> = {
  alpha: [],
  bravo: ['alpha'],
  charlie: ['bravo'],
  delta: ['charlie'],
  echo: ['delta'],
  foxtrot: ['delta', 'echo'],
};
const picture = `
  alpha ── bravo ── charlie ── delta ── echo
                                  ╲     ╱
                                  foxtrot
`;

export async function playLine(stage: Stage): Promise<void> {
  say(picture);
  await startNetwork(stage);
  await settled(stage);
  step('connected, every file hashed');
  await fetchRecording(stage, serventOf(stage, 'alpha'));
  await printRoute(stage);
  await printCounts(stage);
}

async function startNetwork({ folder, servents }: Stage): Promise<void> {
  for (const [name, neighbours] of Object.entries(network)) {
    const connect = neighbours.flatMap(other => ['--connect', servents.get(other)?.gnutella ?? '']);
    const servent = await ServentProcess.start({
      name,
      program,
      dataDir: join(folder, name),
      args: ['--mode', 'ultrapeer', '--log-level', 'warn', '--share', await shareFolder(folder, name), ...connect],
    });
    servents.set(name, servent);
    step(`${name.padEnd(8)} gnutella ${servent.gnutella}  admin ${servent.api}`);
  }
}

async function settled({ servents }: Stage): Promise<void> {
  const links = 2 * Object.values(network).flat().length; // each has two ends
  await until('the servents are connected and their files hashed', async () => {
    let peers = 0;
    let hashing = 0;
    let files = 0;
    for (const { client } of servents.values()) {
      const status = await client.status();
      peers += status.peers.ultrapeers;
      hashing += status.library.hashing;
      files += status.library.files;
    }
    return peers === links && hashing === 0 && files === 7 ? true : null;
  });
}

/** Who saw the query, and from whom it came first. */
async function printRoute({ servents }: Stage): Promise<void> {
  step('the route of the query: the first copy of it that each servent got');
  for (const [name, { client }] of servents) {
    if (name === 'alpha') continue;
    const { items } = await client.queries();
    const query = items.find(({ text }) => text === searched);
    detail(
      query === undefined
        ? `${name.padEnd(8)} did not see it`
        : `${name.padEnd(8)} hops ${query.hops}  ttl ${query.ttl}  sent by alpha with TTL ${query.hops + query.ttl}  from ${query.from}  hits sent back ${query.hits}`,
    );
  }
  detail(
    'On each link the TTL falls by 1 and the hops rise by 1. alpha asks step by step (a dynamic query): first with a',
  );
  detail(
    'small TTL, then, while little is found, with a larger one. Servents further away get only such a later copy.',
  );
}
