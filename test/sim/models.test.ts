// What holds for all models together. Each alone: models/, see testModel().
import t from 'tap';
import { defaultsOf } from '../../sim/model.ts';
import { MODELS, modelOf } from '../../sim/models/all.ts';
import { gnutella06 } from '../../sim/models/gnutella06.ts';
import { ParameterError, simulate } from '../../sim/simulation.ts';
import { APPLICATIONS, STRUCTURED, UNSTRUCTURED } from '../support/model-families.ts';

t.test('each model is tested', async t => {
  const tested = [...UNSTRUCTURED, ...STRUCTURED, ...APPLICATIONS, gnutella06]; // the last one in gnutella06.test.ts
  t.strictSame(tested.map(({ name }) => name).sort(), MODELS.map(({ name }) => name).sort());
});

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
