// What every model is held to: what it is expected to show comes out, one seed gives one trace, and another seed another.
import t from 'tap';
import type { Model } from '../../sim/model.ts';
import { searchIn, simulate } from '../../sim/simulation.ts';

export function testModel(model: Model): void {
  t.test(model.name, async t => {
    const { measures, series, traceHash } = simulate(model, { seed: 1 });
    const wrong = measures.filter(({ ok }) => !ok);
    t.strictSame(wrong, [], `${measures.length} measures`);
    t.ok(
      measures.some(({ rule }) => rule !== 'told'),
      'something is expected',
    );
    t.ok(
      measures.every(({ source }) => source !== ''),
      'each measure names its source',
    );
    t.ok(series.every(({ x, y }) => x.length === y.length));
    const searched = searchIn(model, { servents: 100, seed: 2 });
    if (searched === null) t.equal(simulate(model, { seed: 1 }).traceHash, traceHash, 'the same seed, the same trace');
    else {
      t.equal(searchIn(model, { servents: 100, seed: 2 })?.traceHash, searched.traceHash);
      t.not(searchIn(model, { servents: 100, seed: 3 })?.traceHash, searched.traceHash, 'another seed, another trace');
    }
  });
}
