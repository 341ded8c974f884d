// Chord: fingers at twice the distance each halve the way to the successor of a key; stabilisation mends the circle after joins and failures.
import { log2 } from '../exact-math.ts';
import { ChordNodes, type ChordOptions } from '../keys/chord-nodes.ts';
import { Circle, drawIdentifiers, successorOf } from '../keys/identifiers.ts';
import {
  ACK_MS,
  announcedIn,
  failSome,
  growth,
  joinAll,
  lookUps,
  lookUpsInUnrest,
  SESSION_MINUTES,
  searchesOf,
} from '../keys/look-ups.ts';
import { atLeast, equal, type Measure, near, SHARE, told } from '../measure.ts';
import type { Model, Outcome, Run } from '../model.ts';
import { mean } from '../statistics.ts';
import { TraceHash } from '../trace-hash.ts';

const PAPER = 'Stoica et al. 2001';
const circle = new Circle();

type Built = Pick<ChordOptions, 'ackMs' | 'files' | 'founders'>;

function build({ random, parameters }: Run, nodes: number, options: Built = {}): ChordNodes {
  const stabiliseMs = 1000 * (parameters['stabiliseSeconds'] ?? 30);
  const successors = parameters['successors'] ?? 16;
  return new ChordNodes({ ids: drawIdentifiers(nodes, random.fork()), random, stabiliseMs, successors, ...options });
}

/** Share of the members whose successor, predecessor and fingers are what all members together say. */
export function rightness(chord: ChordNodes): { neighbours: number; fingers: number } {
  const isMember = (node: number): boolean => chord.isMember(node);
  const members = Array.from(chord.ids.keys()).filter(isMember);
  const neighbours = members.map((node, i) => {
    const after = members[(i + 1) % members.length];
    const before = members[(i + members.length - 1) % members.length];
    return chord.successor(node) === after && chord.predecessor[node] === before ? 1 : 0;
  });
  const fingers = members.flatMap(node =>
    chord.fingers.map((finger, j) =>
      finger[node] === successorOf(chord.ids, circle.plus(chord.id(node), 2 ** j), isMember) ? 1 : 0,
    ),
  );
  return { neighbours: mean(neighbours), fingers: mean(fingers) };
}

/** One node founds the circle; all others join it through some member, one every other second; then some leave. */
function arrivals(run: Run, trace: TraceHash): Measure[] {
  const { random } = run;
  const chord = build(run, 100, { ackMs: ACK_MS, founders: [0] });
  const { network } = chord;
  chord.keepUp();
  joinAll(chord, random, 2_000);
  network.run(network.now + 900_000);
  const joined = rightness(chord);
  const leaving = chord.ownerOf(random.next());
  chord.leave(leaving);
  network.run(network.now + 1_000);
  const left = rightness(chord);
  failSome(chord, 20, random);
  network.run(network.now + 900_000);
  const failed = rightness(chord);
  trace.addText(network.trace.hex);
  return [
    equal('right neighbours after joins', 1, joined.neighbours, {
      ...SHARE,
      source: `${PAPER}, section V: stabilisation`,
    }),
    atLeast('right fingers after joins', 0.99, joined.fingers, {
      ...SHARE,
      source: `${PAPER}, section V: fix_fingers`,
    }),
    equal('right neighbours a second after a node left', 1, left.neighbours, {
      ...SHARE,
      source: `${PAPER}, section V: leaving`,
    }),
    equal('right neighbours after 20 of 99 failed', 1, failed.neighbours, {
      ...SHARE,
      source: `${PAPER}, section V: failures`,
    }),
  ];
}

/** Every other node fails at once, and nobody has noticed. */
function halfFails(run: Run, trace: TraceHash): Measure {
  const { random } = run;
  const chord = build(run, 1000, { ackMs: ACK_MS });
  for (let node = 0; node < 1000; node++) if (random.chance(0.5)) chord.network.fail(node);
  const { right } = lookUps(chord, 300, random);
  trace.addText(chord.network.trace.hex);
  const source = `${PAPER}, theorem 6: lists of O(log N) successors`;
  return atLeast('look-ups right when half of the nodes have just failed', 0.99, right, { ...SHARE, source });
}

function run(run: Run): Outcome {
  const { random, servents } = run;
  const trace = new TraceHash();
  const sizes = [32, 16, 8, 4, 2, 1].map(part => Math.max(2, Math.round(servents / part)));
  const { line, series } = growth('look-ups', sizes, log2, nodes => build(run, nodes), random);
  const largest = build(run, servents);
  const distinct = Array.from(largest.ids.keys(), node => new Set(largest.fingers.map(finger => finger[node])).size);
  const { placed, found } = announcedIn(build, run, trace);
  const right = lookUpsInUnrest(build(run, 100, { ackMs: ACK_MS }), run, trace);
  return {
    measures: [
      near('messages a look-up gains with each doubling', 0.5, 0.08, line.slope, {
        unit: 'messages',
        source: `${PAPER}, section VI-C: ½ log2 N`,
      }),
      atLeast('fit of log2 N', 0.95, line.r2, { unit: 'r²', source: `${PAPER}, theorem 2: O(log N)` }),
      near('different fingers of a node', log2(servents), 1.5, mean(distinct), {
        source: `${PAPER}, section IV-D: O(log N)`,
      }),
      equal('announcements at the successor of the key', 1, placed, { ...SHARE, source: PAPER }),
      equal('searches that found their file', 1, found, { ...SHARE, source: PAPER }),
      ...arrivals(run, trace),
      halfFails(run, trace),
      atLeast('look-ups right while nodes come and go', 0.98, right, { ...SHARE, source: 'aim' }),
      told('bytes of tables of a node', 4 * (32 + 1 + (run.parameters['successors'] ?? 0)), { source: 'this model' }),
    ],
    series: [series],
    traceHash: trace.hex,
  };
}

export const chord: Model = {
  name: 'chord',
  system: 'Chord',
  teaches: 'Log N fingers find any key in ½ log2 N messages; lists of successors and stabilisation keep it right.',
  servents: 4096,
  seconds: 1800,
  parameters: {
    successors: { value: 20, range: [2, 100], whole: true, unit: 'nodes', meaning: 'length of the list of successors' },
    stabiliseSeconds: {
      value: 30,
      range: [1, 3600],
      unit: 's',
      meaning: 'between two rounds of stabilisation of a node',
    },
    sessionMinutes: SESSION_MINUTES,
  },
  run,
  searches: searchesOf(build),
};
