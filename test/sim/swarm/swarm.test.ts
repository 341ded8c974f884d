// Parts of a swarm: to whom a peer uploads, which block it asks for, and how it finds others.
import fc from 'fast-check';
import t from 'tap';
import { Network } from '../../../sim/network.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';
import { type Candidate, Choker } from '../../../sim/swarm/choker.ts';
import { DistributedTracker } from '../../../sim/swarm/distributed-tracker.ts';
import { type PeerDirectory, Trackers } from '../../../sim/swarm/peer-directory.ts';
import { PiecePicker } from '../../../sim/swarm/piece-picker.ts';
import { Swarm } from '../../../sim/swarm/swarm.ts';
import type { SwarmMessage } from '../../../sim/swarm/swarm-message.ts';

const candidate = (peer: number, received: number, more: Partial<Candidate> = {}): Candidate => ({
  ...{ peer, received, interested: true, snubs: false, connectedAt: 0 },
  ...more,
});

t.test('the best four are unchoked, and one more that changes every third round', async t => {
  const choker = new Choker(new SeededRandom(1));
  const candidates = Array.from({ length: 20 }, (_, peer) => candidate(peer, peer));
  const rounds = Array.from({ length: 30 }, (_, round) => [...choker.choose(candidates, false, 1e6 + round * 1e4)]);
  const optimistic = rounds.map(peers => peers.filter(peer => peer < 16));
  t.ok(rounds.every(peers => [16, 17, 18, 19].every(best => peers.includes(best)) && peers.length === 5));
  for (let round = 0; round < 30; round += 3)
    t.strictSame(optimistic[round], optimistic[round + 2], 'it stays for three rounds');
  t.ok(new Set(optimistic.flat()).size > 4, 'and then it is another one');
});

t.test('nobody without interest is unchoked; those that snub us only by an optimistic unchoke', async t => {
  const choker = new Choker(new SeededRandom(2));
  const candidates = [
    candidate(1, 9, { interested: false }),
    candidate(2, 8, { snubs: true }),
    candidate(3, 1),
    ...[4, 5, 6, 7, 8, 9].map(peer => candidate(peer, 0)),
  ];
  let snubber = 0;
  for (let round = 0; round < 60; round += 3) {
    const chosen = choker.choose(candidates, false, 1e6);
    choker.choose(candidates, false, 1e6);
    choker.choose(candidates, false, 1e6);
    t.ok(chosen.has(3) && !chosen.has(1));
    t.equal(chosen.size, 5, 'places that nobody has earned are filled');
    if (chosen.has(2)) snubber++;
  }
  t.ok(snubber > 0 && snubber < 20, `${snubber} of 20`);
});

t.test('a seed serves all that want something alike', async t => {
  const choker = new Choker(new SeededRandom(3));
  const candidates = Array.from({ length: 10 }, (_, peer) => candidate(peer, 0));
  const served = new Uint32Array(10);
  for (let round = 0; round < 300; round++)
    for (const peer of choker.choose(candidates, true, round)) served[peer] = (served[peer] ?? 0) + 1;
  t.ok(
    served.every(rounds => Math.abs(rounds - 150) <= 20),
    served.join(' '),
  );
});

const picker = (more: Partial<ConstructorParameters<typeof PiecePicker>[0]> = {}): PiecePicker =>
  new PiecePicker({
    ...{ pieces: 4, blocksPerPiece: 2, random: new SeededRandom(4), rarestFirst: true, endGame: true },
    ...more,
  });

t.test('the rarest piece comes first once a piece is complete, and a neighbour goes on with its own', async t => {
  const all = Uint8Array.of(1, 1, 1, 1);
  const pieces = picker();
  pieces.copies.set([5, 3, 1, 2]);
  pieces.onAsked(0, 1);
  t.equal(pieces.pick(1, all, new Map([[0, 0]])), 1, 'the second block of the same piece');
  pieces.onAsked(1, 1);
  pieces.onBlock(0);
  t.equal(pieces.onBlock(1), true, 'the piece is complete');
  t.equal(pieces.pick(2, all, new Map()), 4, 'piece 2 has one copy');
  t.equal(pieces.pick(2, Uint8Array.of(1, 1, 0, 1), new Map()), 6, 'of those that the neighbour has');
  pieces.onAsked(4, 2);
  t.equal(pieces.pick(3, all, new Map()), 6, 'another neighbour begins another piece');
  pieces.onChoked(2);
  t.equal(pieces.pick(3, all, new Map()), 5, 'a piece that was left is gone on with');
});

t.test('in the end game a block is asked for of several', async t => {
  const all = Uint8Array.of(1);
  const asked = new Map([[0, 0]]);
  for (const endGame of [true, false]) {
    const pieces = picker({ pieces: 1, endGame });
    pieces.onAsked(0, 1);
    pieces.onAsked(1, 2);
    t.equal(pieces.pick(3, all, new Map()), endGame ? 0 : null);
    t.equal(pieces.pick(1, all, asked), endGame ? 1 : null, 'but not twice of the same');
    pieces.onReleased(1);
    t.equal(pieces.pick(3, all, new Map()), 1, 'what nobody is asked for comes before');
  }
});

function directories(servers: number): { network: Network<SwarmMessage>; use: (directory: PeerDirectory) => void } {
  const network = new Network<SwarmMessage>({ nodes: 10 + servers, random: new SeededRandom(5) });
  return {
    network,
    use: directory => {
      network.onMessage = (to, message, from) => directory.receive(to, message, from);
    },
  };
}

t.test('a tracker tells of those that came before; the next one is asked when it is silent', async t => {
  const { network, use } = directories(2);
  const trackers = new Trackers(network, [10, 11], 2, new SeededRandom(6));
  use(trackers);
  const told: (readonly number[])[] = [];
  for (const peer of [0, 1, 2, 3]) {
    trackers.announce(peer, peers => (told[peer] = peers));
    network.run();
  }
  t.strictSame([told[0], told[1]], [[], [0]]);
  t.equal(told[3]?.length, 2, 'no more than a list takes');
  network.fail(10);
  const begun = network.now;
  trackers.announce(4, peers => (told[4] = peers));
  network.run();
  t.strictSame(told[4], [], 'the second tracker knew nobody');
  t.ok(network.now - begun >= 15_000);
});

t.test('a distributed table finds those that were announced, though nodes fail', async t => {
  const { network, use } = directories(100);
  const nodes = Array.from({ length: 100 }, (_, i) => 10 + i);
  const table = new DistributedTracker(network, nodes, new SeededRandom(7));
  use(table);
  const told = new Map<number, readonly number[]>();
  const announce = (peer: number): void => {
    table.announce(peer, peers => told.set(peer, [...peers].sort()));
    network.run();
  };
  announce(0);
  announce(1);
  t.strictSame([told.get(0), told.get(1)], [[], [0]]);
  const messages = network.messages;
  announce(2);
  t.strictSame(told.get(2), [0, 1]);
  t.ok(network.messages - messages < 60, `${network.messages - messages} messages`);
  for (const node of nodes) if (node % 4 === 0) network.fail(node);
  announce(3);
  t.strictSame(told.get(3), [0, 1, 2], 'a quarter of the nodes failed');
});

t.test('a swarm brings the file to all, whatever its size, and no faster than its links', async t => {
  const size = fc.record({
    peers: fc.integer({ min: 1, max: 8 }),
    pieces: fc.integer({ min: 1, max: 12 }),
    neighbours: fc.integer({ min: 2, max: 8 }),
    seed: fc.nat(1000),
  });
  const complete = fc.property(size, ({ peers, pieces, neighbours, seed }) => {
    const swarm = new Swarm({
      ...{ random: new SeededRandom(seed), peers, servers: 1, fileSeconds: 100, seedUplink: 2, downlink: 8 },
      ...{ pieces, blocksPerPiece: 3, neighbours, rarestFirst: true, endGame: true, pex: true },
      directory: (network, random) => new Trackers(network, [1 + peers], 50, random),
    });
    for (const peer of swarm.peers.keys()) swarm.join(peer, 0);
    swarm.run(10_000);
    const least = 100 * Math.max(1 / 2, peers / (2 + peers));
    return (
      swarm.finished.length === peers &&
      Math.max(...swarm.times()) > least - 0.1 &&
      swarm.blocks - swarm.wasted === peers * pieces * 3
    );
  });
  t.doesNotThrow(() => fc.assert(complete, { seed: 1, numRuns: 25 }));
});
