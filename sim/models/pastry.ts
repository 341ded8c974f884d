// Pastry: prefixes lead to a key digit by digit, the leaf set takes the last step, and near nodes in the tables keep the way short.
import { log2 } from '../exact-math.ts';
import { drawIdentifiers, NOBODY } from '../keys/identifiers.ts';
import {
  ACK_MS,
  announcedIn,
  failSome,
  growth,
  joinAll,
  lookUps,
  lookUpsInUnrest,
  memberOf,
  SESSION_MINUTES,
  searchesOf,
} from '../keys/look-ups.ts';
import { PastryNodes, type PastryOptions } from '../keys/pastry-nodes.ts';
import { Plane } from '../keys/plane.ts';
import { Digits } from '../keys/prefix-tables.ts';
import { atLeast, atMost, equal, type Measure, near, SHARE } from '../measure.ts';
import type { Model, Outcome, Run } from '../model.ts';
import { SeededRandom } from '../seeded-random.ts';
import { mean } from '../statistics.ts';
import { TraceHash } from '../trace-hash.ts';

const PAPER = 'Rowstron and Druschel 2001';

/** The node of the paper's figure 1: 16 bits as 8 digits of base 4, 8 leaves, 8 neighbours. */
const FIGURE = {
  node: '10233102',
  leaves: ['10233033', '10233021', '10233001', '10233000', '10233120', '10233122', '10233230', '10233232'],
  rows: [
    ['02212102', '', '22301203', '31203203'],
    ['', '11301233', '12230203', '13021022'],
    ['10031203', '10132102', '', '10323302'],
    ['10200230', '10211302', '10222302', ''],
    ['10230322', '10231000', '10232121', ''],
    ['10233001', '', '10233232', ''],
    ['', '', '10233120', ''],
  ],
  neighbours: ['13021022', '10200230', '11301233', '31301233', '02212102', '22301203', '31203203', '33213321'],
} as const;

/** Keys, and the node that each is passed to by the figure's tables. */
const FIGURE_ROUTES = [
  ['10233102', '10233102', 'its own'],
  ['10233101', '10233102', 'closest to itself'],
  ['10233022', '10233021', 'leaf set'],
  ['10233210', '10233230', 'leaf set'],
  ['02000000', '02212102', 'row 0'],
  ['33333333', '31203203', 'row 0'],
  ['12000000', '12230203', 'row 1'],
  ['10100000', '10132102', 'row 2'],
  ['10223333', '10222302', 'row 3'],
  ['10232000', '10232121', 'row 4'],
  ['10233300', '10233232', 'empty place, so the closest known one'],
] as const;

/** The figure's node among those that it knows. */
export function figureNode(): { pastry: PastryNodes; node: number; numberOf: (digits: string) => number } {
  const digits = new Digits(2, 8);
  const all = [
    FIGURE.node,
    ...FIGURE.leaves,
    ...FIGURE.neighbours,
    ...FIGURE.rows.flat().filter(entry => entry !== ''),
  ];
  const ids = Uint32Array.from(new Set(all.map(text => digits.parse(text)))).sort();
  const numberOf = (text: string): number => ids.indexOf(digits.parse(text));
  const pastry = new PastryNodes({
    ids,
    random: new SeededRandom(1),
    digits,
    leaves: 8,
    neighbours: 8,
    latencyMs: () => 1,
    founders: [],
  });
  const node = numberOf(FIGURE.node);
  pastry.setLeaves(node, FIGURE.leaves.map(numberOf));
  pastry.setNeighbours(node, FIGURE.neighbours.map(numberOf));
  for (const [row, entries] of FIGURE.rows.entries())
    for (const [column, entry] of entries.entries())
      if (entry !== '') pastry.table.set(node, row, column, numberOf(entry));
  return { pastry, node, numberOf };
}

function figure(): Measure[] {
  const { pastry, node } = figureNode();
  return FIGURE_ROUTES.map(([key, next, why]) => {
    const to = pastry.next(node, { key: pastry.digits.parse(key) });
    const source = `${PAPER}, figure 1: ${why}`;
    return equal(`10233102 passes key ${key} to`, next, pastry.digits.format(pastry.ids[to] ?? 0), { source });
  });
}

type Built = Pick<PastryOptions, 'ackMs' | 'candidates' | 'files' | 'founders'>;

function build({ random, parameters }: Run, nodes: number, options: Built = {}): PastryNodes {
  const { latencyMs } = new Plane(nodes, random.fork());
  const [leaves, bits] = [parameters['leaves'] ?? 16, parameters['bits'] ?? 4];
  const digits = new Digits(bits, Math.floor(32 / bits));
  return new PastryNodes({ ids: drawIdentifiers(nodes, random.fork()), random, digits, leaves, latencyMs, ...options });
}

/** Time of look-ups in units of the direct way. */
function stretch(pastry: PastryNodes, random: SeededRandom): number {
  const { latencyMs } = pastry;
  const probes = Array.from({ length: 500 }, () => {
    const from = memberOf(pastry, random);
    return { from, probe: pastry.probe(from, random.next()) };
  });
  pastry.network.run();
  const direct = probes.map(({ from, probe }) => latencyMs(from, probe.at ?? from));
  return mean(probes.map(({ probe }) => probe.ms)) / mean(direct);
}

/** Four nodes found the network, the others arrive; then some depart without a word. */
function arrivals(run: Run, trace: TraceHash): Measure[] {
  const { random } = run;
  const pastry = build(run, 100, { ackMs: ACK_MS, founders: [10, 30, 60, 80] });
  const { network } = pastry;
  pastry.keepUp();
  joinAll(pastry, random, 2_000);
  network.run(network.now + 60_000);
  const arrived = rightLeaves(pastry);
  failSome(pastry, 20, random);
  network.run(network.now + 300_000);
  const departed = rightLeaves(pastry);
  trace.addText(network.trace.hex);
  return [
    equal('right leaf sets after arrivals', 1, arrived, { ...SHARE, source: `${PAPER}, section 2.4: node arrival` }),
    equal('right leaf sets after 20 of 100 departed', 1, departed, {
      ...SHARE,
      source: `${PAPER}, section 2.4: node departure`,
    }),
  ];
}

/** Share of the members whose leaves nearest by number, two on each side, are what all members together say. */
export function rightLeaves(pastry: Pick<PastryNodes, 'ids' | 'isMember' | 'side'>): number {
  const members = Array.from(pastry.ids.keys()).filter(node => pastry.isMember(node));
  const beside = (i: number, step: number): number => members[(i + members.length + step) % members.length] ?? NOBODY;
  return mean(
    members.map((node, i) => {
      const [below, above] = [pastry.side(node, false), pastry.side(node, true)];
      const isRight = [1, 2].every(step => below[step - 1] === beside(i, -step) && above[step - 1] === beside(i, step));
      return isRight ? 1 : 0;
    }),
  );
}

function run(run: Run): Outcome {
  const { random, servents, parameters } = run;
  const trace = new TraceHash();
  const [bits, leaves] = [parameters['bits'] ?? 4, parameters['leaves'] ?? 16];
  const logarithm = (nodes: number): number => log2(nodes) / bits;
  const sizes = [16, 4, 1].map(part => Math.max(64, Math.round(servents / part)));
  const { line, series, last } = growth('look-ups', sizes, logarithm, nodes => build(run, nodes), random);
  const { placed, found } = announcedIn(build, run, trace);
  const [near64, chance] = [
    stretch(build(run, 1000, { candidates: 64 }), random),
    stretch(build(run, 1000, { candidates: 1 }), random),
  ];
  const failing = build(run, 1000, { ackMs: ACK_MS });
  for (let i = 0; i < leaves / 2 - 1; i++) failing.network.fail(500 + i);
  for (let node = 0; node < 1000; node += 10) failing.network.fail(node);
  const { right } = lookUps(failing, 400, random);
  trace.addText(failing.network.trace.hex);
  const inUnrest = lookUpsInUnrest(build(run, 100, { ackMs: ACK_MS }), run, trace);
  return {
    measures: [
      ...figure(),
      atMost('messages a look-up', Math.ceil(logarithm(servents)), last, {
        unit: 'messages',
        source: `${PAPER}, section 2.3: less than log2^b N, rounded up`,
      }),
      near('messages a look-up gains with each digit of N', 1, 0.2, line.slope, {
        unit: 'messages',
        source: `${PAPER}, section 3.1: log2^b N`,
      }),
      equal('announcements at the closest node', 1, placed, { ...SHARE, source: PAPER }),
      equal('searches that found their file', 1, found, { ...SHARE, source: PAPER }),
      atMost('way of look-ups, near nodes in the tables', 1.6, near64, {
        unit: 'direct ways',
        source: `${PAPER}, section 3.2: 30 to 40 % longer; here with 64 candidates`,
      }),
      atLeast('the same with nodes taken by chance', 2, chance, {
        unit: 'direct ways',
        source: 'a table without locality: two or more random ways',
      }),
      atLeast('look-ups right when a tenth has just failed', 0.99, right, {
        ...SHARE,
        source: `${PAPER}, section 2: unless L/2 adjacent nodes fail`,
      }),
      ...arrivals(run, trace),
      atLeast('look-ups right while nodes come and go', 0.98, inUnrest, { ...SHARE, source: 'aim' }),
    ],
    series: [series],
    traceHash: trace.hex,
  };
}

export const pastry: Model = {
  name: 'pastry',
  system: 'Pastry',
  teaches: 'A prefix table of near nodes finds any key in log16 N messages by a short way; leaf sets keep it right.',
  servents: 4096,
  seconds: 900,
  parameters: {
    bits: { value: 4, range: [1, 8], whole: true, unit: 'bits', meaning: 'of a digit: b' },
    leaves: {
      value: 16,
      range: [2, 128],
      whole: true,
      unit: 'nodes',
      meaning: 'in a leaf set, half of them on each side: L',
    },
    sessionMinutes: SESSION_MINUTES,
  },
  run,
  searches: searchesOf(build),
};
