// `servent get` against a servent on loopback.
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import t, { type Test } from 'tap';
import { searchAndChoose } from '../../cli/choose-result.ts';
import { throwawayFolder } from '../../cli/throwaway-servent.ts';
import { formatSha1Urn } from '../../protocol/wire/urn.ts';
import { command, type Surroundings } from '../support/command.ts';
import { hashed, type RunningServent, startServent } from '../support/running-servent.ts';
import { aResult, aSearch } from '../support/sample-views.ts';
import { MAIN } from '../support/servent-process.ts';

const NAME = 'green mountain ballad.bin';
const content = randomBytes(300_000);
const urn = formatSha1Urn(createHash('sha1').update(content).digest());

/** An ultrapeer that shares the file, and the folder that files are got into. */
async function scene(t: Test, flags = {}): Promise<{ servent: RunningServent; got: string }> {
  const dir = t.testdir({ share: { [NAME]: content }, data: {}, got: { [NAME]: 'mine' } });
  const servent = await startServent(t, join(dir, 'data'), { 'library.folders': [join(dir, 'share')], ...flags });
  await hashed(servent.client, 1);
  return { servent, got: join(dir, 'got') };
}

/** A rate at which the file takes minutes. */
const SLOW = { 'limits.upload': 2000 };

const wordsOf = ({ address }: RunningServent, ...more: string[]): string[] => [
  ...['get', '--profile', 'local', '--connect', address],
  ...more,
];
const get = (servent: RunningServent, more: string[], surroundings: Surroundings = {}) =>
  command(wordsOf(servent, ...more), surroundings);
const magnetAt = ({ address }: RunningServent) =>
  `magnet:?xt=${urn}&dn=ballad.bin&xs=${encodeURIComponent(`http://${address}/uri-res/N2R?${urn}`)}`;

t.test('words: the file is found, fetched, verified and placed, and nothing else is left', async t => {
  const { servent, got } = await scene(t);
  const { code, out, err } = await get(servent, ['--first', '-o', got, 'mountain', 'ballad']);
  t.equal(code, 0, err);
  t.equal(out, `${join(got, 'green mountain ballad (1).bin')}\n`, 'a file of that name is not overwritten');
  t.ok((await readFile(out.trim())).equals(content));
  t.equal(await readFile(join(got, NAME), 'utf8'), 'mine');
  t.strictSame((await readdir(got)).sort(), ['green mountain ballad (1).bin', NAME]);
  t.match(err, /searching for mountain ballad\n(.*\n)*found green mountain ballad\.bin, 293 KiB/);
  t.match(err, /100 %/, 'lines, as standard error is no terminal');
  t.notMatch(err, '\u001b');
});

t.test('a magnet link that names its source needs no search; programs get JSON', async t => {
  const { servent, got } = await scene(t);
  const outcome = await get(servent, ['--json', magnetAt(servent)], { cwd: got });
  t.equal(outcome.code, 0, outcome.err);
  const path = join(got, 'ballad.bin');
  t.match(outcome.json(), { path, name: 'ballad.bin', size: content.length, urn, verified: true, seconds: Number });
  t.ok((await readFile(path)).equals(content));
});

t.test('what is not found, and what takes too long, ends with 1 and leaves nothing', async t => {
  const { servent, got } = await scene(t, SLOW);
  const nothing = await get(servent, ['--patience', '1', '-o', got, 'unheard song']);
  t.match(nothing, { code: 1, out: '', err: /nothing was found within 1 s/ });
  const late = await get(servent, ['--timeout', '2', '-o', got, magnetAt(servent)]);
  t.match(late, { code: 1, out: '', err: /not finished within 2 s, the limit of --timeout\n$/ });
  t.strictSame(await readdir(got), [NAME]);
});

t.test('--keep keeps what came when it is stopped, and the same command goes on with it', async t => {
  const { servent, got } = await scene(t, { 'limits.upload': 20_000 });
  const stop = new AbortController();
  const words = ['--keep', '-o', got, magnetAt(servent)];
  const onErr = (err: string) => (/ [1-9]0 %/.test(err) ? stop.abort() : undefined);
  const stopped = await get(servent, words, { signal: stop.signal, onErr });
  t.match(stopped, { code: 130, out: '', err: /kept what came in .*: the same command goes on with it\n$/ });
  t.match(await readdir(got), [/^\.servent-get-/, NAME]);
  await servent.client.changeConfig({ limits: { upload: 0 } });
  const done = await get(servent, words);
  t.match(done, { code: 0, err: /^going on with what an earlier "servent get" left in .*\nballad\.bin {2}[1-9]\d? %/ });
  t.ok((await readFile(join(got, 'ballad.bin'))).equals(content));
  t.strictSame((await readdir(got)).sort(), ['ballad.bin', NAME]);
});

t.test('Ctrl-C ends it at once, and leaves nothing', async t => {
  const { servent, got } = await scene(t, SLOW);
  const child = spawn(process.execPath, [MAIN, ...wordsOf(servent, '-o', got, magnetAt(servent))], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  for await (const line of child.stderr.setEncoding('utf8')) if (/active/.test(line)) child.kill('SIGINT');
  t.strictSame(await ended, [130, null]);
  t.strictSame(await readdir(got), [NAME]);
});

t.test('wrong usage is said before anything is started', async t => {
  const cwd = t.testdir();
  const run = (...words: string[]) => command(['get', ...words], { cwd });
  t.match(await run('--profile', 'local', 'song'), { code: 2, err: /knows nobody: give --connect HOST:PORT/ });
  t.match(await run(' '), { code: 2, err: /nothing to get/ });
  t.match(await run('--profile', 'moon', 'song'), { code: 2, err: /profile/ });
  t.match(await run('--connect', '::::', 'song'), { code: 2, err: /gnutella\.connect/ });
  t.strictSame(await readdir(cwd), []);
});

t.test('a folder that is not ours is not used', async t => {
  const { servent, got } = await scene(t);
  await symlink('/', throwawayFolder(got, 'song'));
  t.match(await get(servent, ['-o', got, 'song']), { code: 1, err: /is not a folder of this user/ });
});

t.test('on a terminal the user chooses from a list, best first', async t => {
  const results = [
    { ...aResult, id: 'r1', name: 'a.bin', urn: null },
    { ...aResult, id: 'r2', name: 'b.bin', sources: [] },
    { ...aResult, id: 'r3', name: 'c.bin' },
  ];
  const client = {
    startSearch: async () => aSearch,
    results: async () => ({ items: results, next: null }),
  } as never;
  const chosen = async (answers: string) => {
    const stdin = new PassThrough();
    let err = '';
    const out = { write: (text: string) => (err += text) };
    const choice = { first: false, asks: true, patience: 5 };
    const wanted = searchAndChoose(
      { stdout: out, stderr: out, stdin, env: {}, cwd: '/' },
      client,
      'a',
      choice,
      new AbortController().signal,
    );
    stdin.end(answers);
    return wanted.then(
      ({ result }) => ({ result, err }),
      (error: Error) => ({ result: error.message, err }),
    );
  };
  const second = await chosen('7\n2\n');
  t.equal(second.result, 'r2');
  t.match(second.err, /1 +4\.0 MiB +\d+ {2}c\.bin\n2 .*b\.bin\n3 .*a\.bin/);
  t.match(second.err, 'expected a number from 1 to 3');
  t.equal((await chosen('\n')).result, 'r3', 'an empty line takes the best');
  t.match((await chosen('')).result, /nothing was chosen/);
});
