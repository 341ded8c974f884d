import fc from 'fast-check';
import t from 'tap';
import { AnswerPace } from '../../../../protocol/overlay/queries/answer-pace.ts';

t.test('nothing is known before the first answer; one that takes always as long is waited for so long', async t => {
  const pace = new AnswerPace(10_000);
  t.equal(pace.waitMs, null);
  pace.note(200);
  t.equal(pace.waitMs, 600, 'as RFC 6298 begins: half of it may be chance');
  for (let n = 0; n < 100; n++) pace.note(200);
  t.ok(Math.abs((pace.waitMs ?? 0) - 200) < 1);
});

t.test('where neighbours differ the slow ones are waited for too', async t => {
  const pace = new AnswerPace(10_000);
  for (let n = 0; n < 200; n++) pace.note(n % 4 === 0 ? 400 : 50);
  t.ok((pace.waitMs ?? 0) > 400);
});

t.test('a slow time is forgotten', async t => {
  const pace = new AnswerPace(10_000);
  for (let n = 0; n < 50; n++) pace.note(5_000);
  for (let n = 0; n < 80; n++) pace.note(10);
  t.ok((pace.waitMs ?? 0) < 20);
});

t.test('whatever is noted, nobody is waited for longer than the most, nor less than not at all', async () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -1e6, max: 1e9, noNaN: true }), { minLength: 1 }), answers => {
      const pace = new AnswerPace(1_000);
      for (const ms of answers) pace.note(ms);
      const wait = pace.waitMs ?? -1;
      return wait >= 0 && wait <= 1_000;
    }),
  );
});
