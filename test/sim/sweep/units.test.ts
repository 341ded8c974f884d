// Runs of a sweep: their order, their messages, and the summary of what they showed.
import t from 'tap';
import { told } from '../../../sim/measure.ts';
import { MODELS } from '../../../sim/models/all.ts';
import { planOf } from '../../../sim/sweep/plan.ts';
import { summaryOf } from '../../../sim/sweep/summary.ts';
import { resultIn, runUnit, unitIn, unitsOf } from '../../../sim/sweep/units.ts';

const bounds = { servents: 10_000, seconds: 3_600 };
const unitsFor = (document: unknown) => unitsOf(planOf(document, MODELS, bounds));

t.test('units come by size, parameters and seed, the last fastest', async t => {
  const units = unitsFor({
    model: 'kazaa',
    seeds: [4, 5],
    servents: [20, 30],
    parameters: { ttl: [1, 2], superLinks: 9 },
  });
  t.strictSame(
    units.map(({ servents, seed, parameters: { ttl, superLinks } }) => [servents, ttl, superLinks, seed]),
    [
      [20, 1, 9, 4],
      [20, 1, 9, 5],
      [20, 2, 9, 4],
      [20, 2, 9, 5],
      [30, 1, 9, 4],
      [30, 1, 9, 5],
      [30, 2, 9, 4],
      [30, 2, 9, 5],
    ],
  );
});

t.test('a unit and its result pass through a message unchanged, and what is none does not', async t => {
  const [unit] = unitsFor({ model: 'napster', seeds: [3], servents: 50 });
  const model = MODELS.find(({ name }) => name === 'napster');
  if (unit === undefined || model === undefined) throw new Error('no unit');
  const passed = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  t.strictSame(unitIn(passed(unit), MODELS, bounds), unit);
  const result = runUnit(unit, model);
  t.ok(result.measures.length > 0);
  t.strictSame(resultIn(passed(result)), result);
  t.strictSame(resultIn({ ...result, more: 1 }), result, 'nothing else is kept');
  for (const wrong of [
    null,
    { ...unit, model: 'nothing' },
    { ...unit, servents: 10_001 },
    { ...unit, servents: 1.5 },
    { ...unit, seconds: 3_601 },
    { ...unit, seed: -1 },
    { ...unit, parameters: { ttl: 1 } },
    { ...unit, parameters: null },
  ])
    t.equal(unitIn(wrong, MODELS, bounds), null, JSON.stringify(wrong));
  const [measure] = result.measures;
  for (const wrong of [
    'text',
    { ...result, traceHash: 'G' },
    { ...result, measures: {} },
    { ...result, measures: [{ ...measure, ok: 1 }] },
    { ...result, measures: [{ ...measure, rule: 'about' }] },
    { ...result, measures: [{ ...measure, measured: null }] },
    { ...result, measures: [{ ...measure, tolerance: '1' }] },
    { ...result, measures: new Array(2_000).fill(measure) },
  ])
    t.equal(resultIn(wrong), null, JSON.stringify(wrong).slice(0, 200));
});

t.test('the summary has mean and spread of each figure, and counts seeds that are as expected', async t => {
  const units = unitsFor({ model: 'napster', seeds: 3, servents: [10, 20] });
  const source = 'here';
  const result = (load: number, ok = true) => ({
    traceHash: '0',
    measures: [told('load', load, { unit: 'messages', source }), { ...told('shape', 'round', { source }), ok }],
  });
  const results = [result(2), result(4), result(9, false), result(7), null, null];
  t.strictSame(summaryOf(units, results), [
    {
      ...{ servents: 10, parameters: {}, seeds: 3, ok: 2 },
      figures: { load: { mean: 5, spread: Math.sqrt(13), unit: 'messages' } },
    },
    { servents: 20, parameters: {}, seeds: 1, ok: 1, figures: { load: { mean: 7, spread: 0, unit: 'messages' } } },
  ]);
});
