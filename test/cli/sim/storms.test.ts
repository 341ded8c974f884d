// servent sim storm and sim replay: seeds run again are the same, and findings end them with 1.
import t from 'tap';
import { documentOf, reportReplay, reportStorms, type StormDocument } from '../../../cli/sim/storms.ts';
import type { Storm } from '../../../sim/servents/storm.ts';
import { command } from '../../support/command.ts';

const SIZES = ['--servents', '20', '--seconds', '61'];

t.test('a seed runs the same again, and clean', async t => {
  const { code, out, err } = await command(['sim', 'replay', '3', '--twice', ...SIZES]);
  t.equal(code, 0, err);
  t.match(out, /^seed 3: 20 servents, 61 s, trace [\da-f]{16}\n\d+ descriptors checked, .*\ntwice: the same\nclean/);
  const all = await command(['sim', 'storm', '--seeds', '2', '--first', '3', '--json', '--workers', '2', ...SIZES]);
  t.equal(all.code, 0, all.err);
  const { seeds } = all.json<{ seeds: StormDocument[] }>();
  t.strictSame(
    seeds.map(({ seed }) => seed),
    [3, 4],
  );
  t.match(out, `trace ${seeds[0]?.traceHash}`);
  t.notMatch(out, `trace ${seeds[1]?.traceHash}`);
});

const found: Storm = {
  ...{ traceHash: '00000000000000aa', searches: 2, found: 1, checked: 10 },
  downloads: { begun: 1, complete: 1, failed: 0, stopped: 0 },
  findings: [{ rule: 'echo', atMs: 61_250, host: 7, text: 'a query went back' }],
  counts: new Map([['echo', 3]]),
};
const task = (seed: number) => ({ seed, servents: 40, seconds: 65 });
const clean: Storm = { ...found, findings: [], counts: new Map() };

function printed(): { terminal: Parameters<typeof reportReplay>[0]; out: () => string; err: () => string } {
  let out = '';
  let err = '';
  const terminal = {
    ...{ env: {}, cwd: '/' },
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: (text: string) => (err += text) },
  };
  return { terminal, out: () => out, err: () => err };
}

t.test('what checkers found is shown with rule, time, host and text', async t => {
  const { terminal, out } = printed();
  t.throws(() => reportReplay(terminal, [documentOf(task(9), found)], false), {
    exitCode: 1,
    message: 'seed 9: echo 3',
  });
  t.match(out(), /^RULE +AT +HOST +WHAT$/m);
  t.match(out(), /^echo +61\.250 s +7 +a query went back$/m);
  t.notMatch(out(), 'clean');
});

t.test('a seed that runs differently twice is told', async t => {
  const runs = [clean, { ...clean, traceHash: '00000000000000ab' }].map(storm => documentOf(task(9), storm));
  const { terminal, out } = printed();
  t.throws(() => reportReplay(terminal, runs, true), { exitCode: 1, message: /^seed 9 ran differently twice: / });
  t.strictSame(JSON.parse(out()).traceHashes, ['00000000000000aa', '00000000000000ab']);
});

t.test('each seed with findings is named', async t => {
  const { terminal, out, err } = printed();
  const done = [documentOf(task(1), clean), documentOf(task(2), found), documentOf(task(3), found)];
  t.throws(() => reportStorms(terminal, done, false), { exitCode: 1, message: 'findings with seed 2, 3' });
  t.match(out(), '2 seeds with findings');
  t.match(err(), 'seed 2: echo 3; see "servent sim replay 2 --servents 40 --seconds 65"\n');
  t.doesNotThrow(() => reportStorms(terminal, done.slice(0, 1), false));
});
