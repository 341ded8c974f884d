// Random walks: what walkers cost when there is nothing to find, and that they stop when there is.
import t from 'tap';
import { RandomWalks } from '../../../sim/models/random-walk.ts';
import { modelRun } from '../../support/model-run.ts';

t.test('without a result each walker goes all its steps, and asks before each fourth but the last', async t => {
  const walks = new RandomWalks(modelRun(200, 1, { checkEvery: 4 }));
  walks.search([{ from: 3, file: -1 }], 5, 40);
  t.strictSame(walks.steps, [5 * 40]);
  t.equal(walks.network.messages, 5 * (40 + 2 * 9));
  t.strictSame(walks.outcomes, [{ found: false, ms: 0 }]);
});

t.test('walkers stop when one of them found it', async t => {
  const walks = new RandomWalks(modelRun(200, 1, { checkEvery: 4 }));
  const wanted = walks.files.searches(50);
  walks.search(wanted, 8, 100_000);
  t.ok(walks.outcomes.every(({ found }) => found));
  t.ok(walks.stepsAfter.every(steps => (steps ?? 0) <= 8 * 4));
});
