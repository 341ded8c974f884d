// The ground that models stand on: randomness, the trace hash, and the network of numbered nodes.
import fc from 'fast-check';
import t from 'tap';
import { Network } from '../../sim/network.ts';
import { SeededRandom } from '../../sim/seeded-random.ts';
import { deviation, fitLine, mean, quantile } from '../../sim/statistics.ts';
import { TraceHash } from '../../sim/trace-hash.ts';

t.test('one seed gives one run; another seed another', async t => {
  const of = (seed: number): number[] => {
    const random = new SeededRandom(seed);
    return Array.from({ length: 50 }, () => random.next());
  };
  t.strictSame(of(7), of(7));
  t.notSame(of(7), of(8));
});

t.test('draws are spread as they should be', async t => {
  const random = new SeededRandom(3);
  const floats = Array.from({ length: 20_000 }, () => random.float());
  t.ok(Math.abs(mean(floats) - 0.5) < 0.01);
  t.ok(Math.abs(deviation(floats) - Math.sqrt(1 / 12)) < 0.01);
  const normal = Array.from({ length: 20_000 }, () => random.normal());
  t.ok(Math.abs(mean(normal)) < 0.03);
  t.ok(Math.abs(deviation(normal) - 1) < 0.03);
  const sessions = Array.from({ length: 20_000 }, () => random.logNormal(60, 1.5));
  t.ok(Math.abs(quantile(sessions, 0.5) - 60) < 3);
  t.ok(Math.abs(mean(Array.from({ length: 20_000 }, () => random.exponential(10))) - 10) < 0.3);
  t.strictSame([...random.shuffle([1, 2, 3, 4, 5])].sort(), [1, 2, 3, 4, 5]);
  t.throws(() => random.pick([]), RangeError);
});

t.test('a sample has each at most once', async t => {
  const sampled = fc.property(fc.nat(40), fc.nat(50), fc.nat(), (items, count, seed) => {
    const all = Array.from({ length: items }, (_, i) => i);
    const sample = new SeededRandom(seed).sample(all, count);
    return sample.length === Math.min(items, count) && new Set(sample).size === sample.length;
  });
  t.doesNotThrow(() => fc.assert(sampled));
});

t.test('the trace hash depends on each word and on their order', async t => {
  const hashed = (...words: number[]): string => {
    const trace = new TraceHash();
    for (const word of words) trace.add(word);
    return trace.hex;
  };
  t.match(hashed(1, 2), /^[0-9a-f]{16}$/);
  const all = [hashed(), hashed(0), hashed(1, 2), hashed(2, 1), hashed(1, 2, 0), hashed(1 << 31)];
  t.equal(new Set(all).size, all.length);
});

function network(options: { loss?: number } = {}): { net: Network<string>; got: string[] } {
  const net = new Network<string>({ nodes: 4, random: new SeededRandom(1), latencyMs: () => 10, ...options });
  const got: string[] = [];
  net.onMessage = (to, message, from) => got.push(`${net.now} ${from}>${to} ${message}`);
  return { net, got };
}

t.test('a message arrives after the latency, and is counted at both ends', async t => {
  const { net, got } = network();
  net.send(0, 1, 'a');
  net.after(5, () => net.send(1, 2, 'b', 100));
  net.run();
  t.strictSame(got, ['10 0>1 a', '15 1>2 b']);
  t.strictSame([net.messages, net.bytes], [2, 101]);
  t.strictSame([...net.sent, ...net.taken], [1, 1, 0, 0, 0, 1, 1, 0]);
});

t.test('nothing passes to or from a node that failed, nor between the sides of a partition', async t => {
  const { net, got } = network();
  net.fail(1);
  net.send(0, 1, 'to the dead');
  net.send(1, 0, 'of the dead');
  net.partition(node => node % 2);
  net.send(0, 3, 'across');
  net.send(0, 2, 'within');
  net.run();
  t.strictSame(got, ['10 0>2 within']);
  t.equal(net.lost, 2);
  net.revive(1);
  net.heal();
  net.send(0, 1, 'again');
  net.run();
  t.equal(got[1], '20 0>1 again');
});

t.test('messages are lost by chance', async t => {
  const { net, got } = network({ loss: 0.25 });
  for (let i = 0; i < 4_000; i++) net.send(0, 1, '');
  net.run();
  t.ok(Math.abs(net.lost - 1_000) < 100, `${net.lost}`);
  t.equal(got.length + net.lost, 4_000);
});

t.test('what is done again and again ends with the node, or when it says so', async t => {
  const { net } = network();
  let runs = 0;
  net.every(0, 100, () => void runs++);
  net.run(1_000);
  t.equal(runs, 10);
  net.fail(0);
  net.run(2_000);
  t.equal(runs, 10);
  net.every(1, 100, () => ++runs < 15);
  net.run(9_000);
  t.equal(runs, 15);
  t.equal(net.now, 9_000, 'time passes though nothing happens');
});

t.test('a line is fitted', async t => {
  const { slope, intercept, r2 } = fitLine([1, 2, 3, 4], [5, 7, 9, 11]);
  t.strictSame([slope, intercept, r2], [2, 3, 1]);
});
