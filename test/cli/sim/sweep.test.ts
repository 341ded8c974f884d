// servent sim sweep on this machine: however many threads there are, one result.
import t from 'tap';
import { TaskError, Threads } from '../../../cli/sim/threads.ts';
import { command } from '../../support/command.ts';

const SWEEP = 'model: kazaa\nseeds: 3\nservents: [60, 90]\nparameters: {descendants: [10, 20]}\n';

interface Document {
  readonly model: string;
  readonly workers: number;
  readonly seconds: number;
  readonly units: readonly Record<string, unknown>[];
}

t.test('two workers find what one finds, in the same order', async t => {
  const cwd = t.testdir({ 'sweep.yaml': SWEEP });
  const of = async (workers: string): Promise<Document> => {
    const outcome = await command(['sim', 'sweep', 'sweep.yaml', '--json', '--workers', workers], { cwd });
    t.match(outcome, { code: 0, err: /^runs \d+ of 12\n/ });
    return outcome.json<Document>();
  };
  const one = await of('1');
  const two = await of('2');
  t.match(one, { model: 'kazaa', workers: 1 });
  t.match(two, { model: 'kazaa', workers: 2 });
  t.equal(one.units.length, 12);
  t.strictSame(two.units, one.units);
  t.strictSame(Object.keys(one.units[0] ?? {}), ['servents', 'seconds', 'seed', 'parameters', 'traceHash', 'measures']);
  t.equal(new Set(one.units.map(({ traceHash }) => traceHash)).size, 12, 'each run is another');
  const [alone] = one.units;
  const run = await command(['sim', 'run', 'kazaa', '--servents', '60', '--set', 'descendants=10', '--json'], { cwd });
  t.equal(run.json<{ traceHash: string }>().traceHash, alone?.['traceHash'], 'as "sim run" has it');
});

t.test('a table has a row for each combination, CSV one for each run', async t => {
  const cwd = t.testdir({ 'sweep.yaml': SWEEP });
  const { out, code } = await command(['sim', 'sweep', 'sweep.yaml', '--measure', 'success'], { cwd });
  t.equal(code, 0);
  const [titles = '', ...rows] = out.trimEnd().split('\n');
  t.match(titles, /^SERVENTS +DESCENDANTS +OK +SUCCESS$/);
  t.equal(rows.length, 4);
  t.match(rows[0], /^ +60 +10 +\d\/3 +[\d.]+ ± [\d.]+$/);
  const csv = await command(['sim', 'sweep', 'sweep.yaml', '-o', 'csv'], { cwd });
  const lines = csv.out.trimEnd().split('\r\n');
  t.match(lines[0], /^servents,seconds,seed,parameters\.descendants,traceHash,ok,measures\.success,/);
  t.equal(lines.length, 13);
  t.match(await command(['sim', 'sweep', 'sweep.yaml', '--measure', 'nothing'], { cwd }), {
    code: 0,
    out: /^SERVENTS +DESCENDANTS +OK\n/,
    err: /no measure nothing: there are success, /,
  });
});

t.test('a file that is no sweep ends with one line and exit code 2', async t => {
  const cwd = t.testdir({
    'key.yaml': 'model: kazaa\nseed: 1\n',
    'parameter.json': '{"model": "kazaa", "parameters": {"tll": 1}}',
    'model.yaml': 'model: limewire\n',
    'broken.yaml': 'model: [kazaa\n',
    'large.yaml': 'model: kazaa\nservents: 2000001\n',
  });
  for (const [file, message] of [
    ['key.yaml', /unknown key seed: use model, seeds/],
    ['parameter.json', /kazaa has no parameter tll: use descendants/],
    ['model.yaml', /no model "limewire": name one of napster/],
    ['broken.yaml', /neither YAML nor JSON/],
    ['large.yaml', /servents has 2000001: give numbers from 2 to 2000000/],
    ['absent.yaml', /no such file/],
  ] as const) {
    const { code, err } = await command(['sim', 'sweep', file], { cwd });
    t.equal(code, 2, file);
    t.match(err, message);
    t.match(err, /^servent: [^\n]+\n$/);
  }
});

t.test('options that do not go together are refused', async t => {
  const cwd = t.testdir({ 'sweep.yaml': SWEEP });
  for (const words of [
    ['--replicas', '2'],
    ['--redis', 'redis://127.0.0.1:1', '--workers', '2'],
    ['--redis', '127.0.0.1'],
    ['--workers', '0'],
  ])
    t.match(await command(['sim', 'sweep', 'sweep.yaml', ...words], { cwd }), { code: 2, out: '' }, words.join(' '));
});

t.test('a sweep that is stopped ends its threads', async t => {
  const cwd = t.testdir({ 'sweep.yaml': 'model: gnutella04\nseeds: 50\nservents: 20000\n' });
  const stop = new AbortController();
  const swept = command(['sim', 'sweep', 'sweep.yaml'], { cwd, signal: stop.signal });
  setImmediate(() => stop.abort());
  t.match(await swept, { code: 130, out: '' });
});

const storm = { kind: 'storm', storm: { seed: 1, servents: 200, seconds: 120 } } as const;

t.test('a run that takes too much memory or time fails alone', async t => {
  const small = new Threads({ workers: 1, heapMib: 12 });
  t.teardown(() => small.close());
  await t.rejects(
    small.run(storm),
    new TaskError('needs more than 12 MiB of memory: give fewer servents, or fewer --workers'),
  );
  const brief = new Threads({ workers: 1, secondsMax: 0.05 });
  t.teardown(() => brief.close());
  await t.rejects(brief.run(storm), new TaskError('took longer than 0.05 s'));
  await t.rejects(
    brief.run({ kind: 'unit', unit: { model: 'none', servents: 2, seconds: 1, seed: 1, parameters: {} } }),
    TaskError,
  );
});
