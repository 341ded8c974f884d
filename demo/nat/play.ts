// The scene for people: two servents behind routers that let nobody in exchange a file, and say which way it took.
import { counted } from '../../api/format.ts';
import { detail, say, step } from '../stage.ts';
import { wayText } from './matrix.ts';
import { NatNetwork } from './nat-network.ts';
import { exchange, type Pair, prepare } from './pair.ts';
import { KINDS, type PlaceKind } from './place-kind.ts';
import { PlaceProbe } from './place-probe.ts';

const BYTES = 5_000_000;
const WAIT_MS = 60_000;
const PLACES: Readonly<Record<string, PlaceKind>> = {
  alice: 'port-restricted',
  bob: 'port-restricted',
  carol: 'open',
};
const SCENES: readonly (Pair & { readonly words: string })[] = [
  {
    seeker: 'carol',
    source: 'alice',
    words: 'carol cannot connect to alice: she has her told to connect back, which is called a push',
  },
  {
    seeker: 'bob',
    source: 'alice',
    words:
      'neither can connect to the other: an ultrapeer tells alice, and both send datagrams until the routers let them in',
  },
];
const picture = `
  alice ── her router ──╮            ╭── bob's router ── bob
                        internet
              carol ────╯            ╰──── three ultrapeers
`;

export async function playNat(folder: string): Promise<void> {
  say(picture);
  for (const scene of SCENES) await prepare(folder, scene, BYTES);
  const network = await NatNetwork.start({ folder, places: PLACES });
  try {
    step(`${counted(network.servents.size, 'servent')} run, each in a network namespace of its own`);
    await printPlaces(network);
    await network.settled();
    step('each has two of the ultrapeers and no link to the others; searches go through the ultrapeers');
    for (const scene of SCENES) await play(network, folder, scene);
  } finally {
    await network.stop();
  }
}

/** What routers let through, measured with plain sockets. */
async function printPlaces({ laboratory }: NatNetwork): Promise<void> {
  const probe = new PlaceProbe(laboratory, laboratory.place('carol'));
  try {
    const places = [...laboratory.places.values()];
    const measured = await Promise.all(places.map(place => probe.measure(place)));
    for (const [i, { name, kind, inner, outer }] of places.entries()) {
      const behaviour = measured[i];
      if (behaviour === undefined) continue;
      const at = inner === outer ? outer : `${inner}, seen by others as ${outer}`;
      detail(`${name.padEnd(6)} ${at}: ${KINDS[kind].words}`);
      detail(
        `       measured: TCP from others ${behaviour.incomingTcp ? 'comes in' : 'does not come in'}; UDP filtering ${behaviour.filtering}${behaviour.mapping === null ? '' : `, mapping ${behaviour.mapping}`}`,
      );
    }
  } finally {
    await probe.stop();
  }
}

async function play(network: NatNetwork, folder: string, scene: (typeof SCENES)[number]): Promise<void> {
  step(`${scene.seeker} searches for a file of ${scene.source}'s and fetches it`);
  detail(scene.words);
  const { foundMs, fetchedMs, way, error } = await exchange(network, folder, scene, WAIT_MS);
  if (foundMs === null || fetchedMs === null) throw new Error(`${scene.seeker} did not get the file: ${error}`);
  detail(
    `found in ${seconds(foundMs)} s; ${BYTES} bytes in ${seconds(fetchedMs)} s, SHA-1 verified; the way: ${wayText(way)}`,
  );
}

const seconds = (ms: number) => (ms / 1000).toFixed(1);
