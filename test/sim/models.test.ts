// Every model: see testModel().
import t from 'tap';
import { defaultsOf } from '../../sim/model.ts';
import { MODELS, modelOf } from '../../sim/models/all.ts';
import { gnutella06 } from '../../sim/models/gnutella06.ts';
import { ParameterError, simulate } from '../../sim/simulation.ts';
import { testModel } from '../support/model-test.ts';

// whole servents take longer: gnutella06.test.ts
for (const model of MODELS) if (model !== gnutella06) testModel(model);

t.test('names are each one model', async t => {
  t.equal(new Set(MODELS.map(({ name }) => name)).size, MODELS.length);
  t.equal(modelOf('napster')?.name, 'napster');
  t.equal(modelOf('no such'), null);
});

t.test('a parameter that a model does not have is told', async t => {
  for (const model of MODELS) {
    t.throws(() => simulate(model, { parameters: { nothing: 1 } }), ParameterError);
    t.strictSame(Object.keys(defaultsOf(model)), Object.keys(model.parameters));
    for (const [name, { value, range }] of Object.entries(model.parameters)) {
      const [least, most] = range;
      t.ok(value >= least && value <= most, `the default of ${name} of ${model.name}`);
      for (const outside of [least - 1, most + 1, Number.NaN])
        t.throws(() => simulate(model, { parameters: { [name]: outside } }), ParameterError);
    }
  }
});
