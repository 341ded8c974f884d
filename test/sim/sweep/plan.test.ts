// Documents that describe sweeps: what they mean, and what is said about those that mean nothing.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { MODELS } from '../../../sim/models/all.ts';
import { planOf, UNITS_MAX, unitCount } from '../../../sim/sweep/plan.ts';
import { projectRoot } from '../../support/fixtures.ts';

const bounds = { servents: 10_000, seconds: 3_600 };
const plan = (document: unknown) => planOf(document, MODELS, bounds);

t.test('what a document leaves out is the model’s own', async t => {
  const { model, seeds, servents, seconds, parameters } = plan({ model: 'napster' });
  t.equal(model.name, 'napster');
  t.strictSame(
    { seeds, servents, seconds, parameters },
    {
      ...{ seeds: [1, 2, 3, 4, 5], servents: [1000], seconds: 60, parameters: {} },
    },
  );
});

t.test('one value stands for a list of one; a count of seeds for the seeds from 1 on', async t => {
  const given = plan({ model: 'chord', seeds: [7, 9], servents: 300, seconds: 30, parameters: { successors: 8 } });
  t.strictSame([given.seeds, given.servents, given.parameters], [[7, 9], [300], { successors: [8] }]);
  t.equal(unitCount(given), 2);
  t.equal(unitCount(plan({ model: 'kazaa', seeds: 3, servents: [20, 30], parameters: { ttl: [1, 2, 3] } })), 18);
});

t.test('the example parses', async t => {
  const example = plan(parse(readFileSync(join(projectRoot, 'conf/sweep.yaml'), 'utf8')));
  t.ok(unitCount(example) > 10, 'it has several runs');
});

const FAULTS: readonly (readonly [document: unknown, message: RegExp])[] = [
  [null, /a sweep is a mapping with the keys model, seeds/],
  [[], /a sweep is a mapping/],
  [{}, /the key model is missing: name one of napster,/],
  [{ model: 'nap' }, /no model "nap": name one of napster,/],
  [{ model: 'napster', seed: 1 }, /unknown key seed: use model, seeds, servents, seconds, parameters/],
  [{ model: 'napster', parameters: { ttl: 1 } }, /napster has no parameters: remove ttl/],
  [{ model: 'kazaa', parameters: { tll: 1 } }, /kazaa has no parameter tll: use .*ttl/],
  [{ model: 'kazaa', parameters: { toString: 1 } }, /kazaa has no parameter toString/],
  [{ model: 'kazaa', parameters: [1] }, /parameters is no mapping: give NAME/],
  [{ model: 'kazaa', parameters: { ttl: '3' } }, /parameters\.ttl has "3": give numbers of any size/],
  [{ model: 'kazaa', parameters: { ttl: [] } }, /parameters\.ttl is an empty list/],
  [{ model: 'kazaa', parameters: { ttl: [Number.NaN] } }, /parameters\.ttl has/],
  [{ model: 'napster', seeds: 0 }, /seeds is 0: give a count from 1 to/],
  [{ model: 'napster', seeds: [1, 2, 1] }, /seeds has 1 twice: give it once/],
  [{ model: 'napster', seeds: [-1] }, /seeds has -1: give numbers from 0 to 4294967295/],
  [{ model: 'napster', servents: [100, 10_001] }, /servents has 10001: give numbers from 2 to 10000/],
  [{ model: 'napster', seconds: 61 }, /napster runs until it is done: its seconds cannot be set/],
  [{ model: 'multicast', servents: [24, 600] }, /multicast runs with 2 to 500 servents, not 600/],
  [{ model: 'can', parameters: { dimensions: [2, 2.5] } }, /dimensions of can is a whole number from 1 to 8, not 2.5/],
  [{ model: 'napster', seconds: [1, 2] }, /seconds is \[1,2\]: give one whole number/],
  [{ model: 'napster', seconds: 3_601 }, /from 1 to 3600/],
  [{ model: 'napster', seeds: UNITS_MAX, servents: [2, 3] }, /the sweep has 200000 runs, at most 100000/],
];

t.test('a document that is no plan is refused with what to change', async t => {
  for (const [document, message] of FAULTS)
    t.throws(() => plan(document), { name: 'PlanError', message }, JSON.stringify(document));
});
