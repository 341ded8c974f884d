// Twelve servents that are told of a cache and of nobody else: they find one another, elect who routes, and mend what breaks.
import { join } from 'node:path';
import type { StatusView } from '../api/control.ts';
import { CacheProcess } from './cache-process.ts';
import { ServentProcess } from './servent-process.ts';
import {
  detail,
  fetchRecording,
  poet,
  printCounts,
  program,
  recordist,
  type Stage,
  say,
  searchFor,
  serventOf,
  shareFolder,
  step,
  swarmSources,
  until,
} from './stage.ts';
import { swarm } from './swarm.ts';

const names = ['alpha', 'bravo', 'charlie', 'delta', 'echo', 'foxtrot'].concat([
  'golf',
  'hotel',
  'india',
  'juliett',
  'kilo',
  'lima',
]);
/** A leaf wants three ultrapeers, and eight leaves fill three of these: the twelfth servent makes four of them. */
const LEAVES_MAX = 8;
const ULTRAPEERS_WANTED = 3;
/** Others find the first ones through the cache, so these go first. */
const FIRST = 3;
const picture = `
  a cache ─ ─ ─ first addresses ─ ─ ─ twelve servents

  4 ultrapeers, each linked with the others; 8 leaves, each on 3 of them: who is what, they decide
`;

interface Standing {
  readonly name: string;
  readonly status: StatusView;
}

export async function playTwoTier(stage: Stage): Promise<void> {
  say(picture);
  const cache = await CacheProcess.start(program);
  try {
    step(`cache    ${cache.url}`);
    await startNetwork(stage, cache.url);
    const standings = await settled(stage);
    printStandings(standings);
    const seeker = serventOf(stage, leafAmong(standings));
    await everyPostcard(stage, seeker);
    await fetchRecording(stage, seeker);
    await swarm(stage, seeker);
    await loseAnUltrapeer(stage, seeker);
    await printCounts(stage);
  } finally {
    await cache.stop();
  }
}

async function startNetwork({ folder, servents }: Stage, cache: string): Promise<void> {
  const launch = async (name: string) => {
    const shared = await shareFolder(folder, name, { [`postcard from ${name}.txt`]: `${name} was here\n` });
    const servent = await ServentProcess.start({
      name,
      program,
      dataDir: join(folder, name),
      args: ['--cache', cache, '--max-leaves', String(LEAVES_MAX), '--log-level', 'warn', '--share', shared],
    });
    servents.set(name, servent);
    step(`${name.padEnd(8)} gnutella ${servent.gnutella}  admin ${servent.api}`);
  };
  for (const name of names.slice(0, FIRST)) await launch(name);
  await until(`the first ${FIRST} are connected`, async () => {
    const standings = await standingsOf(servents);
    return standings.every(({ status }) => status.peers.ultrapeers === FIRST - 1) ? true : null;
  });
  step(`the first ${FIRST} have found one another`);
  for (const name of names.slice(FIRST)) await launch(name);
}

async function standingsOf(servents: Stage['servents']): Promise<Standing[]> {
  return Promise.all([...servents].map(async ([name, { client }]) => ({ name, status: await client.status() })));
}

function ofMode(standings: readonly Standing[], mode: StatusView['mode']): Standing[] {
  return standings.filter(({ status }) => status.mode === mode);
}

function sum(standings: readonly Standing[], links: (peers: StatusView['peers']) => number): number {
  return standings.reduce((total, { status }) => total + links(status.peers), 0);
}

/** Nobody is short of ultrapeers, all of those know one another, and every file is hashed. */
async function settled({ servents }: Stage, waitMs = 30_000): Promise<Standing[]> {
  const standings = await until(
    'the network settles',
    async () => {
      const all = await standingsOf(servents);
      const [ultrapeers, leaves] = [ofMode(all, 'ultrapeer'), ofMode(all, 'leaf')];
      const wanted = Math.min(ULTRAPEERS_WANTED, ultrapeers.length);
      const whole =
        all.every(({ status }) => status.library.hashing === 0) &&
        leaves.every(({ status }) => status.peers.ultrapeers >= wanted) &&
        ultrapeers.every(({ status }) => status.peers.ultrapeers === ultrapeers.length - 1) &&
        // both ends agree: no link to one who is gone is counted
        sum(leaves, ({ ultrapeers: links }) => links) === sum(ultrapeers, ({ leaves: links }) => links);
      return whole ? all : null;
    },
    waitMs,
  );
  const leaves = ofMode(standings, 'leaf').length;
  step(`settled by themselves: ${standings.length - leaves} ultrapeers, ${leaves} leaves`);
  return standings;
}

function printStandings(standings: readonly Standing[]): void {
  for (const { name, status } of standings) {
    const { mode, peers, election } = status;
    const links =
      mode === 'leaf' ? `on ${peers.ultrapeers} ultrapeers` : `${peers.ultrapeers} ultrapeers, ${peers.leaves} leaves`;
    const why = election.criteria.find(({ met }) => !met);
    detail(
      `${name.padEnd(8)} ${mode.padEnd(9)} ${links.padEnd(22)}${why === undefined ? '' : `not needed: ${why.name} ${why.value} of ${why.wanted}`}`,
    );
  }
}

function leafAmong(standings: readonly Standing[]): string {
  const leaf = ofMode(standings, 'leaf').find(({ name }) => ![recordist, poet, ...swarmSources].includes(name));
  if (leaf === undefined) throw new Error('no leaf could search');
  return leaf.name;
}

/** Each servent shares one: who finds all of the others has found everybody. */
async function everyPostcard({ servents }: Stage, seeker: ServentProcess): Promise<void> {
  const wanted = servents.size - 1;
  const began = Date.now();
  const { search } = await searchFor(seeker, 'postcard', wanted);
  const took = ((Date.now() - began) / 1000).toFixed(2);
  step(`${seeker.name}, a leaf, searches for "postcard" and finds all ${wanted} others in ${took} s`);
  await seeker.client.removeSearch({ id: search });
}

async function loseAnUltrapeer(stage: Stage, seeker: ServentProcess): Promise<void> {
  const { servents } = stage;
  const ultrapeers = ofMode(await standingsOf(servents), 'ultrapeer').filter(({ name }) => name !== recordist);
  const [lost] = ultrapeers.sort((a, b) => b.status.peers.leaves - a.status.peers.leaves);
  if (lost === undefined) throw new Error('nobody to lose');
  const victim = serventOf(stage, lost.name);
  victim.child.kill('SIGKILL');
  servents.delete(lost.name);
  step(`${lost.name} is killed: an ultrapeer with ${lost.status.peers.leaves} leaves`);
  const began = Date.now();
  const standings = await settled(stage, 15_000);
  detail(`its leaves are on others after ${((Date.now() - began) / 1000).toFixed(1)} s`);
  printStandings(standings);
  await everyPostcard(stage, seeker);
}
