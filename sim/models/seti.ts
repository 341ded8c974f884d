// SETI@home: a server gives work units to volunteers, several times each, and believes what a quorum of them agrees on. Some volunteers answer
// without computing, and some vanish.
import { atLeast, atMost, equal, near } from '../measure.ts';
import type { Model, Outcome, Run } from '../model.ts';
import { TraceHash } from '../trace-hash.ts';
import { type Conduct, Project, type ProjectOptions } from '../volunteers/project.ts';

const BOINC = 'Anderson, BOINC, 2004, section 4';
const LECTURE = 'lecture: SETI@home';

function run({ servents, seconds, parameters, random }: Run): Outcome {
  const { units = 500, copies = 3, quorum = 2, liars = 0.1, vanishing = 0.1 } = parameters;
  const trace = new TraceHash();
  const volunteers = servents - 1;
  const project = (options: Partial<ProjectOptions>): Project => {
    const done = new Project({
      ...{ volunteers, units, copies, quorum, conductOf: () => 'honest', random: random.fork() },
      ...options,
    });
    done.network.run(seconds * 1000);
    trace.addText(done.network.trace.hex);
    return done;
  };
  /** So large a share of the volunteers, spread evenly. */
  const some = (share: number, conduct: Conduct) => (volunteer: number) =>
    Math.floor(volunteer * share) > Math.floor((volunteer - 1) * share) ? conduct : 'honest';
  const count = (share: number): number => Math.floor(volunteers * share);

  const honest = project({});
  const single = project({ copies: 1, quorum: 1, conductOf: some(liars, 'lie') });
  const checked = project({ conductOf: some(liars, 'lie') });
  const falselyCaught = [...checked.caught].filter(volunteer => some(liars, 'lie')(volunteer) === 'honest').length;
  const vanished = project({ conductOf: some(vanishing, 'vanish') });
  const colluding = [0, 0.1, 0.2, 0.3, 0.4, 0.5].map(
    share => project({ conductOf: some(share, 'collude') }).believed.wrong,
  );
  const collusion = (share: number): number => 3 * share ** 2 * (1 - share) + share ** 3;
  return {
    measures: [
      equal('units settled', 1, honest.believed.right, { unit: 'of all', source: LECTURE }),
      near('copies computed', copies, 0.1, honest.copies / units, {
        unit: 'a unit',
        source: `${BOINC}: N-fold redundancy`,
      }),
      near('wrong results believed without redundancy', liars, 0.05, single.believed.wrong, {
        unit: 'of all, as many as lie',
        source: LECTURE,
      }),
      equal('wrong results believed, two of three have to agree', 0, checked.believed.wrong, {
        unit: 'of all',
        source: BOINC,
      }),
      equal('units settled among liars', 1, checked.believed.right, { unit: 'of all', source: BOINC }),
      equal('liars found', count(liars), checked.caught.size - falselyCaught, { unit: 'volunteers', source: BOINC }),
      equal('honest volunteers taken for liars', 0, falselyCaught, { unit: 'volunteers', source: BOINC }),
      atMost('copies computed among liars', copies * (1 + liars), checked.copies / units, {
        unit: 'a unit',
        source: BOINC,
      }),
      equal('units settled though volunteers vanish', 1, vanished.believed.right, { unit: 'of all', source: BOINC }),
      atLeast(
        'volunteers that vanished',
        1,
        Array.from({ length: volunteers }, (_, i) => i + 1).filter(v => !vanished.network.isUp(v)).length,
        {
          unit: 'volunteers',
          source: LECTURE,
        },
      ),
      near('wrong results believed, three in ten collude', collusion(0.3), 0.06, colluding[3] ?? 0, {
        unit: 'of all: two or three of three',
        source: 'binomial distribution',
      }),
    ],
    series: [
      {
        name: 'wrong results believed, two of three agree',
        axes: ['share that colludes', 'share of the units'],
        x: [0, 0.1, 0.2, 0.3, 0.4, 0.5],
        y: colluding,
      },
    ],
    traceHash: trace.hex,
  };
}

export const seti: Model = {
  name: 'seti',
  system: 'SETI@home and BOINC',
  teaches: 'Work for strangers is given out several times: two that agree are believed, until the liars agree too.',
  servents: 100,
  seconds: 90 * 86_400,
  bounds: { servents: [11, 100_000] },
  parameters: {
    units: {
      value: 500,
      range: [1, 100000],
      whole: true,
      unit: 'work units',
      meaning: 'each takes a median volunteer an hour',
    },
    copies: { value: 3, range: [1, 20], whole: true, unit: 'copies', meaning: 'of each unit at first' },
    quorum: { value: 2, range: [1, 20], whole: true, unit: 'results', meaning: 'that have to agree' },
    liars: { value: 0.1, range: [0, 1], unit: 'share', meaning: 'volunteers that invent results' },
    vanishing: { value: 0.1, range: [0, 1], unit: 'share', meaning: 'volunteers that take a unit and vanish' },
  },
  run,
};
