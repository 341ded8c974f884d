// Runs the recipes of docs/automation.md, word for word, on a network of three servents.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import t, { type Test } from 'tap';
import { projectRoot } from '../support/fixtures.ts';
import { type RunningServent, startServent, until } from '../support/running-servent.ts';

const RECIPE_WAIT_MS = 180_000;
const SHARED = { 'harbour lights.txt': 'a round for two voices', 'harbour bell.txt': 'ding' };

const isThere = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;
const missing = ['bash', 'curl', 'jq'].filter(program => !isThere(program));

interface Section {
  title: string;
  blocks: { language: string; text: string; named: string | null }[];
}

/** By headings; a block is named by the last `file.ext` in the paragraph before it. */
function sectionsOf(markdown: string): Section[] {
  return markdown
    .split(/^#{1,2} /m)
    .slice(1)
    .map(part => {
      const blocks = [...part.matchAll(/([^\n]*)\n\n```(\w+)\n(.*?)^```$/gms)].map(
        ([, before = '', language = '', text = '']) => ({
          language,
          text,
          named: /`([a-z]+\.[a-z]+)`:$/.exec(before)?.[1] ?? null,
        }),
      );
      return { title: part.split('\n', 1)[0] ?? '', blocks };
    });
}

const [preface, ...recipes] = sectionsOf(readFileSync(join(projectRoot, 'docs/automation.md'), 'utf8'));

interface Bench {
  asker: RunningServent;
  magnets: readonly string[];
  path: string;
  /** Where the recipe runs. */
  folder: string;
  stranger: string;
}

/** One that shares, and an ultrapeer between it and those that ask. */
interface Network {
  middle: RunningServent;
  magnets: readonly string[];
  /** Of the shell: `servent` is this build. */
  path: string;
}

async function startNetwork(t: Test): Promise<Network> {
  const ours = t.testdir({ sharer: { shared: SHARED }, middle: {}, bin: {} });
  const middle = await startServent(t, join(ours, 'middle'));
  const sharer = await startServent(t, join(ours, 'sharer'), { 'gnutella.connect': [middle.address] });
  const files = await until('all is hashed', async () => {
    const { items } = await sharer.client.files();
    return items.length === 2 && items.every(({ urn }) => urn !== null) ? items : null;
  });
  await until('they are connected', async () => (await middle.client.peers()).items[0] ?? null);
  const servent = join(ours, 'bin', 'servent');
  await writeFile(
    servent,
    `#!/bin/sh\nexec '${process.execPath}' '${join(projectRoot, 'dist/daemon/main.js')}' "$@"\n`,
  );
  await chmod(servent, 0o755);
  const magnets = files
    .toSorted((a, b) => b.size - a.size)
    .map(
      ({ urn, name }) =>
        `magnet:?xt=${urn}&dn=${encodeURIComponent(name)}&xs=http://${sharer.address}/uri-res/N2R?${urn}`,
    );
  return { middle, magnets, path: `${join(ours, 'bin')}${delimiter}${process.env['PATH']}` };
}

/** The one that the recipe steers. */
async function joined(t: Test, { middle, magnets, path }: Network): Promise<Bench> {
  const ours = t.testdir({ asker: {}, stranger: {}, here: { done: {} } });
  const asker = await startServent(t, join(ours, 'asker'), { 'gnutella.connect': [middle.address] });
  await until('it is connected', async () => (await asker.client.peers()).items[0] ?? null);
  return { asker, magnets, path, folder: join(ours, 'here'), stranger: join(ours, 'stranger') };
}

interface Ran {
  folder: string;
  out: string;
  /** What a file that the recipe makes says. */
  file(name: string): Promise<string>;
}

/** The preface and the shell blocks of one section as one script, in a folder of its own; what it leaves behind ends with the test. */
async function runRecipe(t: Test, bench: Bench, { blocks }: Section, port: number): Promise<Ran> {
  const { asker, magnets, path, folder } = bench;
  for (const { language, named, text } of blocks)
    if (language === 'js') await writeFile(join(folder, named ?? ''), text);
  const script = [...(preface?.blocks ?? []), ...blocks]
    .filter(({ language }) => language === 'sh')
    .map(({ text }) => text);
  const log = (name: string): number => openSync(join(folder, name), 'w');
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script.join('\n')], {
    cwd: folder,
    detached: true, // a group of its own, to be ended as one
    stdio: ['ignore', log('out'), log('err')],
    env: {
      PATH: path,
      HOME: folder,
      SERVENT_API: asker.api,
      SERVENT_TOKEN: asker.token,
      SERVENT_DATA_DIR: asker.dataDir,
      MAGNET: magnets[0] ?? '',
      DONE: join(folder, 'done'),
      PORT: String(port),
    },
  });
  const end = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // nothing is left of it
    }
  };
  t.teardown(end);
  const late = setTimeout(end, RECIPE_WAIT_MS);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearTimeout(late);
  const file = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
  if (code !== 0) t.comment(await file('err'));
  t.equal(code, 0, 'the recipe succeeds');
  return { folder, out: await file('out'), file };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

type Check = (t: Test, bench: Bench, run: () => Promise<Ran>, port: number) => Promise<void>;

async function download({ asker: { client }, magnets }: Bench, which: number): Promise<string> {
  const { id } = await client.startDownload({ magnet: magnets[which] ?? '' });
  const { path } = await until('it is downloaded', async () => {
    const download = await client.download({ id });
    return download.state === 'completed' ? download : null;
  });
  return path ?? '';
}

const lines = (text: string): string[] => text.trimEnd().split('\n');

/** What must be so after each recipe, in the order of the document. */
const checks: Record<string, Check> = {
  'Search, and download what is found': async (t, { asker: { client } }, run) => {
    const { out } = await run();
    const [path = '', ...json] = lines(out);
    t.equal(await readFile(path, 'utf8'), SHARED['harbour lights.txt']);
    const { items } = await client.downloads();
    t.strictSame(
      items.map(({ path, state }) => ({ path, state })),
      [{ path, state: 'completed' }],
      'the second is the first',
    );
    const { id } = items[0] ?? {};
    t.match(JSON.parse(json.join('\n')), { id, name: 'harbour lights.txt', size: 22, joined: 'file' });
  },
  'Wait for a download without asking again and again': async (t, _, run) => {
    const { out } = await run();
    t.match(JSON.parse(out.replace(/^data: /, '')), { type: 'download.finished', data: { state: 'completed' } });
  },
  'A webhook when a download is done, and who really sent it': async (t, bench, run, port) => {
    const { file } = await run();
    const forged = { method: 'POST', headers: { 'Servent-Signature': `t=1,v1=${'0'.repeat(64)}` }, body: '{}' };
    const refused = await until('it receives', () => fetch(`http://127.0.0.1:${port}`, forged).catch(() => null));
    t.equal(refused.status, 401, 'what is not signed is refused');
    const path = await download(bench, 1);
    t.strictSame(lines(await until('the hook was told', async () => (await file('finished.txt')) || null)), [path]);
  },
  'A command when something happens': async (t, bench, run) => {
    const { file } = await run();
    const path = await download(bench, 1);
    const told = await until('the command was told', async () => {
      const journal = await file('journal.ndjson').catch(() => '');
      return journal.includes('download.finished') ? journal : null;
    });
    const events = lines(told).map(line => JSON.parse(line) as { type: string; data: unknown });
    t.equal(events[0]?.type, 'download.added', 'in order');
    t.match(events.find(({ type }) => type === 'download.finished')?.data, { path });
  },
  'Watch for new files': async (t, _, run) => {
    const { out, file } = await run();
    t.match(lines(out).sort(), [/^urn:sha1:\S+ harbour/, /^urn:sha1:\S+ harbour/]);
    t.equal(await file('seen.txt'), await file('now.txt'));
  },
  'What the network is asking': async (t, { asker, stranger: dataDir }, run) => {
    // A stranger asks, through the one that is looked at.
    const stranger = await startServent(t, dataDir, { 'gnutella.connect': [asker.address] });
    await until('it is connected', async () => (await stranger.client.peers()).items[0] ?? null);
    await stranger.client.startSearch({ text: 'Harbour Mist' });
    await stranger.client.startSearch({ text: 'harbour mist' });
    await until('both have passed', async () => {
      const { items } = await asker.client.queries({ filter: 'text ~ mist' });
      return items.length === 2 ? true : null;
    });
    const { out, file } = await run();
    t.match(out, /^ +2 harbour mist$/m);
    t.equal(lines(await file('queries.csv')).filter(line => /harbour mist/i.test(line)).length, 2);
  },
  'Measure the overlay': async (t, _, run) => {
    const { out, file } = await run();
    t.match(out, /"topWords"/);
    t.match(out, / 1 servent\//);
    t.match(await file('hour.csv'), /^("\d{4}-\d\d-\d\dT[\d:]{8}Z",[\d.]+,[\d.]+\n)*$/);
  },
  'Change a setting, and take it back': async (t, { asker }, run) => {
    const { out } = await run();
    t.match(out, /uploads\.slots +10 +3 +now/);
    t.match(out, /uploads\.slots +3 +10 +now/);
    t.match(out, 'somebody was faster');
    const { config } = await asker.client.config();
    t.match(config, { uploads: { slots: 4 } });
  },
  'A key for the monitoring host': async (t, { asker }, run) => {
    const { out, file } = await run();
    t.match(out, /^gnutella_\w+/m);
    const headers = { Authorization: `Bearer ${(await file('servent.token')).trim()}` };
    t.equal((await fetch(`${asker.api}/api/v1/library/rescan`, { method: 'POST', headers })).status, 403);
    const { items } = await asker.client.keys();
    t.match(items, [{ name: 'prometheus', scopes: ['read'], expired: false }]);
  },
  'Pause what is large, resume it at night': async (t, { asker: { client } }, run) => {
    const unknown = (letter: string): string => `urn:sha1:${letter.repeat(32)}`;
    const large = await client.startDownload({ urn: unknown('A'), name: 'large', size: 2 ** 30 });
    await client.startDownload({ urn: unknown('B'), name: 'small', size: 1000 });
    const { out } = await run();
    t.strictSame(lines(out), ['200\tlarge', '200\tlarge'], 'paused, and resumed');
    t.not((await client.download({ id: large.id })).state, 'paused');
  },
  'Hand finished downloads on': async (t, bench, run) => {
    await download(bench, 1);
    const { folder } = await run();
    t.match(await readdir(join(folder, 'done')), ['harbour bell.txt']);
    const { items } = await bench.asker.client.downloads();
    t.notOk(
      items.some(({ state }) => state === 'completed'),
      'none is listed any more',
    );
  },
};

t.strictSame(
  recipes.map(({ title }) => title),
  Object.keys(checks),
  'every recipe has a check',
);

t.test('each recipe does what it says', async t => {
  const network = await startNetwork(t);
  t.jobs = 4; // they mostly wait
  for (const recipe of recipes) {
    const wanted = missing.find(program => program !== 'jq' || recipe.blocks.some(({ text }) => /\bjq\b/.test(text)));
    const skip = wanted !== undefined && `${wanted} is not installed`;
    void t.test(recipe.title, { skip, buffered: true }, async t => {
      const bench = await joined(t, network);
      const port = await freePort();
      await checks[recipe.title]?.(t, bench, () => runRecipe(t, bench, recipe, port), port);
    });
  }
});
