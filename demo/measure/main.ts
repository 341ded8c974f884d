// Measures a private network: servents that record, searches by Zipf's law, five questions with pictures, a crawl and a replay.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ServentProcess } from '../servent-process.ts';
import { detail, program, type Stage, say, serventOf, shareFolder, step, stopAll, until } from '../stage.ts';

/** Ultrapeers in a ring with a chord, so that floods meet themselves; leaves at some of them. Whom each dials. */
const network: Readonly<Record<string, readonly string[]>> = {
  alpha: [],
  bravo: ['alpha'],
  charlie: ['bravo'],
  delta: ['charlie', 'alpha', 'bravo'],
  echo: ['alpha'],
  foxtrot: ['charlie', 'delta'],
  golf: ['delta'],
};
const ULTRAPEERS = 4;
const picture = `
  alpha ── bravo ── charlie        echo on alpha, foxtrot on charlie and delta, golf on delta;
      ╲      │      ╱              every servent records what it sees
        ╲── delta ─╱
`;

/** What is searched for, most often first; the n-th as often as 1/n says. Nobody has the last ones. */
const TEXTS = ['mountain ballad', 'moths', 'bread', 'tide table', 'harbour', 'words', 'ballad of a whale', 'submarine'];
const SEARCHES = 60;
/** The first searches of servents whose tables are under way would go unanswered. */
const TABLES_MS = 1_500;
const PAUSE_MS = 60;
const SPEED = 20;

const QUESTIONS: Readonly<Record<string, string>> = {
  'top-words': 'What do people search for?',
  'hit-rate': 'Which share of queries is answered, by number of words?',
  hops: 'How far have queries come?',
  duplicates: 'What does flooding cost: which share was seen before?',
  rate: 'How many queries come in?',
};

const run = promisify(execFile);

/** Exit code. */
export async function demonstrateMeasuring(): Promise<number> {
  if (!(await hasDuckDb())) {
    say('Skipped: questions are answered by DuckDB, an optional dependency that is not installed.');
    say('Run "npm install" in this folder without --omit=optional, then "npm run demo -- --measure" again.');
    return 0;
  }
  const stage: Stage = { folder: await mkdtemp(join(tmpdir(), 'servent-demo-')), servents: new Map() };
  const pictures = await mkdtemp(join(tmpdir(), 'servent-measure-'));
  try {
    await play(stage, pictures);
    return 0;
  } catch (error) {
    process.stderr.write(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}\n`);
    for (const servent of stage.servents.values()) {
      if (servent.log() !== '') process.stderr.write(`--- ${servent.name} said:\n${servent.log()}`);
      await servent.stop();
    }
    return 1;
  } finally {
    await rm(stage.folder, { recursive: true, force: true });
  }
}

async function hasDuckDb(): Promise<boolean> {
  try {
    await import('@duckdb/node-api');
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return false;
    throw error;
  }
}

async function play(stage: Stage, pictures: string): Promise<void> {
  say(picture);
  await startNetwork(stage);
  await searchAlot(stage);
  const alpha = serventOf(stage, 'alpha');

  step('a crawl from alpha: who is there?');
  const crawl = [
    'crawl',
    alpha.gnutella,
    '--profile',
    'local',
    '--no-recording',
    '--data-dir',
    join(stage.folder, 'crawl'),
  ];
  show(await servent(stage, [...crawl, '--plot', '--svg', join(pictures, 'topology.svg')]));

  step(`a replay of what alpha recorded, ${SPEED} times as fast, at bravo`);
  const recorded = join(alpha.dataDir, 'recordings');
  const to = ['--to', serventOf(stage, 'bravo').gnutella, '--profile', 'local', '--wait', '1'];
  show(await servent(stage, ['replay', recorded, ...to, '--speed', String(SPEED)]));

  const recordings = [...stage.servents.values()].map(({ dataDir }) => join(dataDir, 'recordings'));
  await stopAll(stage);
  for (const [question, words] of Object.entries(QUESTIONS)) {
    step(`${words}  (servent analyse ${question})`);
    const asked = ['analyse', question, '--recording', ...recordings, '--top', '8'];
    show(await servent(stage, [...asked, '--plot', '--svg', join(pictures, `${question}.svg`)]));
  }
  say(`\nPictures: ${pictures}`);
  for (const name of ['topology', ...Object.keys(QUESTIONS)]) detail(join(pictures, `${name}.svg`));
}

/** Prints what a command of the program prints. */
async function servent({ folder }: Stage, words: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [program, ...words], { cwd: folder, maxBuffer: 8 << 20 });
  return stdout;
}

function show(text: string): void {
  for (const line of text.trimEnd().split('\n')) say(`         ${line}`);
}

async function startNetwork({ folder, servents }: Stage): Promise<void> {
  for (const [i, [name, neighbours]] of Object.entries(network).entries()) {
    const connect = neighbours.flatMap(other => ['--connect', servents.get(other)?.gnutella ?? '']);
    const mode = i < ULTRAPEERS ? 'ultrapeer' : 'leaf';
    const one = await ServentProcess.start({
      name,
      program,
      dataDir: join(folder, name),
      args: [
        ...['--mode', mode, '--log-level', 'warn', '--share', await shareFolder(folder, name), ...connect],
        ...['--recording-mode', 'files', '--query-privacy', 'full', '--seek', '0'],
      ],
    });
    servents.set(name, one);
    step(`${name.padEnd(8)} ${mode.padEnd(9)} gnutella ${one.gnutella}`);
  }
  const links = 2 * Object.values(network).flat().length; // each has two ends
  await until('the servents are connected and their files hashed', async () => {
    const all = await Promise.all([...servents.values()].map(({ client }) => client.status()));
    const peers = all.reduce((sum, status) => sum + status.peers.leaves + status.peers.ultrapeers, 0);
    return peers === links && all.every(({ library }) => library.hashing === 0) ? true : null;
  });
  await pause(TABLES_MS);
  step('connected, every file hashed');
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

/** Servents in turn search for texts by Zipf's law. */
async function searchAlot(stage: Stage): Promise<void> {
  const weights = TEXTS.map((_, rank) => 1 / (rank + 1));
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const queue = TEXTS.flatMap((text, rank) =>
    new Array<string>(Math.round((SEARCHES * (weights[rank] ?? 0)) / all)).fill(text),
  );
  const seekers = ['echo', 'foxtrot', 'golf', 'alpha'].map(name => serventOf(stage, name).client);
  let found = 0;
  // every seventh, so that the same text is not asked for twice in a row
  for (let i = 0; i < queue.length; i++) {
    const client = seekers[i % seekers.length];
    const text = queue[(i * 7) % queue.length];
    if (client === undefined || text === undefined) continue;
    const { id } = await client.startSearch({ text });
    await pause(PAUSE_MS);
    if ((await client.search({ id })).results > 0) found++;
    await client.removeSearch({ id });
  }
  step(`${queue.length} searches by Zipf's law over ${TEXTS.length} texts; ${found} had results at once`);
  await pause(1_000); // rows are in files within half a second
}
