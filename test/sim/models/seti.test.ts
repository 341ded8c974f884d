// Work units with copies and a quorum: what is believed, and who is found to lie.
import t from 'tap';
import { SeededRandom } from '../../../sim/seeded-random.ts';
import { type Conduct, Project } from '../../../sim/volunteers/project.ts';

const project = (
  conductOf: (volunteer: number) => Conduct,
  more: { copies?: number; quorum?: number } = {},
): Project => {
  const done = new Project({
    ...{ volunteers: 12, units: 30, copies: 3, quorum: 2, conductOf, random: new SeededRandom(1) },
    ...more,
  });
  done.network.run(60 * 86_400_000);
  return done;
};

t.test('the results of one liar are outvoted by two of three, and it is found', async t => {
  const { believed, caught, copies } = project(volunteer => (volunteer === 5 ? 'lie' : 'honest'));
  t.strictSame(believed, { right: 1, wrong: 0 });
  t.strictSame([...caught], [5]);
  t.ok(copies > 80 && copies <= 90, `three copies of each are enough: ${copies}`);
});

t.test('of two results that differ none is believed: a third copy decides', async t => {
  const { believed, caught, copies } = project(volunteer => (volunteer === 5 ? 'lie' : 'honest'), { copies: 2 });
  t.strictSame([believed, [...caught]], [{ right: 1, wrong: 0 }, [5]]);
  t.ok(copies > 60 && copies < 90, `${copies}`);
});

t.test('a volunteer that vanishes gives its unit back at the deadline', async t => {
  const { believed, doneAt, copies } = project(volunteer => (volunteer <= 3 ? 'vanish' : 'honest'), {
    copies: 1,
    quorum: 1,
  });
  t.strictSame(believed, { right: 1, wrong: 0 });
  t.ok(doneAt > 7 * 86_400_000);
  t.equal(copies, 33);
});

t.test('liars that agree are believed, and the honest one is found', async t => {
  const { believed, caught } = project(volunteer => (volunteer === 5 ? 'honest' : 'collude'));
  t.strictSame([believed.right, believed.wrong], [0, 1]);
  t.strictSame([...caught], [5]);
});
