// The ring: each peer knows only its neighbours, so a look-up walks half of the circle; one shortcut shortens it, many make it logarithmic.
import { log2 } from '../exact-math.ts';
import { drawIdentifiers, NOBODY } from '../keys/identifiers.ts';
import { announceAndSearch, growth, lookUpsInUnrest, memberOf, SESSION_MINUTES, searchesIn } from '../keys/look-ups.ts';
import { RingPeers } from '../keys/ring-peers.ts';
import { atLeast, atMost, equal, type Measure, near, told } from '../measure.ts';
import type { Model, Outcome, Run } from '../model.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { TraceHash } from '../trace-hash.ts';
import type { SearchCosts } from '../workload/search-costs.ts';
import { SharedFiles } from '../workload/shared-files.ts';

const TEXTBOOK = 'Kurose and Ross, 6th ed., section 2.6.2';
const LECTURE = 'lecture: circle of eight peers';
const UNIT = { unit: 'messages' };

const assignment = Uint32Array.of(1, 3, 4, 5, 8, 10, 12, 14);
const circle = Uint32Array.of(1, 3, 4, 5, 8, 10, 12, 15);

function textbookRing(ids: Uint32Array, random: SeededRandom, shortcuts = 0): RingPeers {
  return new RingPeers({ ids, bits: 4, random, shortcuts, ackMs: 500 });
}

/** Identifier of the peer that a look-up from the peer with that one ends at, and its messages. */
function lookUp(ring: RingPeers, ids: Uint32Array, from: number, key: number): { at: number; hops: number } {
  const route = ring.probe(ids.indexOf(from), key);
  ring.network.run();
  return { at: ids[route.at ?? NOBODY] ?? -1, hops: route.hops };
}

function textbook(random: SeededRandom): Measure[] {
  const assigned = textbookRing(assignment, random);
  const plain = textbookRing(circle, random);
  const shortened = textbookRing(circle, random, 1);
  const leaving = textbookRing(circle, random);
  leaving.keepUp();
  leaving.network.fail(circle.indexOf(5));
  leaving.network.run(60_000);
  const cut = textbookRing(circle, random);
  cut.keepUp();
  for (const id of [5, 8]) cut.network.fail(circle.indexOf(id));
  cut.network.run(60_000);
  const four = circle.indexOf(4);
  return [
    equal('peer of key 13', 14, lookUp(assigned, assignment, 1, 13).at, { source: TEXTBOOK }),
    equal('peer of key 15', 1, lookUp(assigned, assignment, 3, 15).at, { source: TEXTBOOK }),
    equal('peer of key 14 on the circle', 15, lookUp(plain, circle, 3, 0b1110).at, { source: LECTURE }),
    equal('look-up of key 14 from peer 3', 6, lookUp(plain, circle, 3, 0b1110).hops, { ...UNIT, source: LECTURE }),
    equal('the same with a shortcut', 2, lookUp(shortened, circle, 3, 0b1110).hops, { ...UNIT, source: LECTURE }),
    equal('first successor of 4 once 5 left', 8, circle[leaving.first[four] ?? 0] ?? -1, { source: TEXTBOOK }),
    equal('second successor of 4 once 5 left', 10, circle[leaving.second[four] ?? 0] ?? -1, { source: TEXTBOOK }),
    equal('live successors of 4 once 5 and 8 left at once', 0, cut.network.isUp(cut.first[four] ?? 0) ? 1 : 0, {
      source: 'by construction: two successors, both lost before a ping',
    }),
  ];
}

/** A ring whose peers come and go. */
function unrest(run: Run, trace: TraceHash): Measure[] {
  const { random, parameters } = run;
  const ids = drawIdentifiers(100, random);
  const ring = new RingPeers({ ids, random, ackMs: 500, pingMs: 1000 * (parameters['pingSeconds'] ?? 15) });
  const cutOff = new Set<number>();
  ring.onCutOff = peer => {
    cutOff.add(peer);
    ring.seekPlace(peer, memberOf(ring, random));
  };
  const right = lookUpsInUnrest(ring, run, trace);
  return [
    atLeast('look-ups right while peers come and go', 0.8, right, { unit: 'share', source: 'aim' }),
    told('peers that lost both successors', cutOff.size, { source: 'this run' }),
  ];
}

function run(run: Run): Outcome {
  const { random, servents } = run;
  const trace = new TraceHash();
  const build = (peers: number, shortcuts: number, files?: SharedFiles): RingPeers =>
    new RingPeers({ ids: drawIdentifiers(peers, random), random, shortcuts, files });
  const sizes = [servents / 8, servents / 4, servents / 2, servents].map(peers => Math.max(2, Math.round(peers)));
  const plain = growth(
    'without shortcuts',
    sizes,
    peers => peers,
    peers => build(peers, 0),
    random,
  );
  const many = (peers: number): RingPeers => build(peers, Math.ceil(log2(peers)));
  const logarithmic = growth('with log2 N shortcuts', sizes, log2, many, random);
  const shared = build(100, 0, new SharedFiles({ peers: 100, random }));
  const { placed, found } = announceAndSearch(shared);
  trace.addText(shared.network.trace.hex);
  return {
    measures: [
      ...textbook(random),
      near('gain with each peer', 0.5, 0.05, plain.line.slope, { ...UNIT, source: `${TEXTBOOK}: O(N)` }),
      atMost('gain with each doubling, with log2 N shortcuts', 1, logarithmic.line.slope, {
        ...UNIT,
        source: `${TEXTBOOK}: O(log N)`,
      }),
      equal('announcements at the peer of the key', 1, placed, { unit: 'share', source: TEXTBOOK }),
      equal('searches that found their file', 1, found, { unit: 'share', source: TEXTBOOK }),
      ...unrest(run, trace),
    ],
    series: [plain.series, logarithmic.series],
    traceHash: trace.hex,
  };
}

function searches({ random, servents, parameters }: Run): SearchCosts {
  const files = new SharedFiles({ peers: servents, random: random.fork() });
  const ids = drawIdentifiers(servents, random.fork());
  return searchesIn(new RingPeers({ ids, random: random.fork(), files, shortcuts: parameters['shortcuts'] ?? 0 }));
}

export const ring: Model = {
  name: 'ring',
  system: 'a ring of peers, as in the textbook',
  teaches:
    'Successors alone find every key, but by O(N) messages; shortcuts make it O(log N); two failures at once cut it.',
  servents: 512,
  seconds: 1800,
  parameters: {
    shortcuts: {
      value: 0,
      range: [0, 32],
      whole: true,
      unit: 'shortcuts',
      meaning: 'of each peer in the compared searches, the first half round the circle',
    },
    pingSeconds: { value: 15, range: [1, 3600], unit: 's', meaning: 'between two pings of a successor' },
    sessionMinutes: SESSION_MINUTES,
  },
  run,
  searches,
};
