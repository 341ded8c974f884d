// servent sim run and sim compare: what a run answers, and what is refused in place of being ignored.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { Simulation } from '../../../sim/simulation.ts';
import { command } from '../../support/command.ts';

t.test('one document, the same for the same seed', async t => {
  const run = () => command(['sim', 'run', 'napster', '--servents', '50', '--seed', '3', '--json']);
  const [first, second] = [await run(), await run()];
  t.equal(first.code, 0, first.err);
  const { traceHash, measures, series, ...sizes } = first.json<Simulation>();
  t.strictSame(sizes, { model: 'napster', system: 'Napster', seed: 3, servents: 50, seconds: 60, parameters: {} });
  t.match(traceHash, /^[\da-f]{16}$/);
  t.ok(measures.every(({ ok }) => ok));
  t.strictSame(series, []);
  t.equal(second.out, first.out);
});

t.test('a measure that is not as expected ends it with 1', async t => {
  const { code, err, json } = await command(['sim', 'run', 'gnutella04', '--set', 'ttl=1', '--json']);
  t.equal(code, 1);
  t.match(err, /not as expected: success/);
  t.ok(json<Simulation>().measures.some(({ name, ok }) => name === 'success' && !ok));
});

t.test('what a model cannot do is refused', async t => {
  const refused: readonly [argv: string, why: RegExp][] = [
    ['run bittorrent --servents 300', /bittorrent runs with 2 to 200 servents, not 300/],
    ['run client-server --servents 61', /client-server runs with 1 to 60 servents/],
    ['run skype --seconds 60', /skype runs with 5400 to \d+ seconds, not 60/],
    ['run gnutella06 --seconds 900', /gnutella06 runs until it is done/],
    ['run kademlia --set k=0', /k of kademlia is a whole number from 1 to 100, not 0/],
    ['run skype --set nat=1.5', /nat of skype is a number from 0 to 1, not 1.5/],
    ['run napster --set k=1', /napster has no parameters/],
    ['run napster --seed NaN', /--seed/],
    ['run napster --servents 1e99', /--servents/],
    ['run nosuch', /no model nosuch: there are napster, /],
    ['compare napster chord --set ttl=3', /none of the models has a parameter ttl/],
    ['compare napster --servents 10 --sizes 10,20', /--servents or --sizes, not both/],
    ['compare napster --seconds 5', /unknown option '--seconds'/],
  ];
  for (const [argv, why] of refused) {
    const { code, err, out } = await command(['sim', ...argv.split(' ')]);
    t.equal(code, 2, argv);
    t.match(err, why);
    t.equal(out, '');
  }
});

t.test('a folder that cannot be made is told before the run', async t => {
  const { code, err, out } = await command(['sim', 'run', 'napster', '--svg', `${import.meta.filename}/figures`]);
  t.equal(code, 1);
  t.match(err, /ENOTDIR.*a file is where a folder is needed/);
  t.equal(out, '');
});

t.test('figures of a comparison are written', async t => {
  const folder = join(t.testdir(), 'figures');
  const { code, err, json } = await command([
    ...['sim', 'compare', 'napster', 'seti', '--sizes', '10,20', '--json', '--csv', folder, '--svg', folder],
  ]);
  t.equal(code, 0, err);
  t.match(err, 'seti has no searches: left out');
  t.strictSame(
    json<{ model: string; servents: number }[]>().map(({ model, servents }) => [model, servents]),
    [
      ['napster', 10],
      ['napster', 20],
    ],
  );
  t.equal((await readdir(folder)).length, 8);
});
