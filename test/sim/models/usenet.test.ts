// Articles reach each server once, over any connected net, by whatever feed.
import fc from 'fast-check';
import t from 'tap';
import { SeededRandom } from '../../../sim/seeded-random.ts';
import { Graph } from '../../../sim/topology/graph.ts';
import { preferentialAttachment } from '../../../sim/topology/preferential-attachment.ts';
import { type NewsOptions, NewsServers } from '../../../sim/usenet/news-servers.ts';

const DAY = 86_400_000;
const news = (graph: Graph, options: Partial<NewsOptions> = {}): NewsServers =>
  new NewsServers({
    ...{ graph, random: new SeededRandom(1), feed: 'ihave', usesPath: true, batchMs: 3_600_000 },
    ...{ expiryMs: DAY, historyMs: 2 * DAY },
    ...options,
  });

t.test('three servers in a triangle: an article comes to each once, and the Path tells the way', async t => {
  const triangle = new Graph(3, [0, 1, 1, 2, 2, 0]);
  const servers = news(triangle, { feed: 'unasked' });
  servers.post(0, 7);
  servers.network.run(1_000);
  t.strictSame(
    servers.has.map(articles => articles.size),
    [1, 1, 1],
  );
  t.ok(servers.transfers >= 3 && servers.transfers <= 4, 'one or both of the others passes it on');
  t.equal(servers.twice, servers.transfers - 2);
  const path = servers.has[1]?.get(7)?.path;
  t.ok(path?.[0] === 1 && path.at(-1) === 0, 'the Path tells the way');
  servers.network.run(2 * DAY);
  t.strictSame(
    servers.has.map(articles => articles.size),
    [0, 0, 0],
    'expired',
  );
});

t.test('each server gets each article, and by ihave once', async t => {
  const feed = fc.constantFrom<NewsOptions['feed'][]>('ihave', 'unasked', 'batch');
  const net = fc.record({
    nodes: fc.integer({ min: 4, max: 40 }),
    seed: fc.nat(1000),
    posts: fc.integer({ min: 1, max: 5 }),
    feed,
  });
  const complete = fc.property(net, ({ nodes, seed, posts, feed }) => {
    const servers = news(preferentialAttachment(nodes, 2, new SeededRandom(seed)), {
      feed,
      expiryMs: 9 * DAY,
      historyMs: 9 * DAY,
    });
    for (let id = 0; id < posts; id++) servers.post((id * 7) % nodes, id);
    servers.network.run(4 * DAY);
    const isOnce = servers.transfers - servers.twice === posts * (nodes - 1);
    return servers.has.every(({ size }) => size === posts) && isOnce && (feed !== 'ihave' || servers.twice === 0);
  });
  t.doesNotThrow(() => fc.assert(complete, { seed: 1, numRuns: 40 }));
});

t.test('a server that vanishes after it was asked holds nobody up for long', async t => {
  // 0 offers it to 1 and 2, and fails when it has sent it to the first that asked
  const servers = news(new Graph(3, [0, 1, 1, 2, 2, 0]));
  servers.post(0, 7);
  let asks = 0;
  const receive = servers.network.onMessage;
  servers.network.onMessage = (to, message, from) => {
    if (message.kind === 'send' && to === 0 && asks++ === 1) servers.network.fail(0);
    else receive(to, message, from);
  };
  servers.network.run(600_000);
  t.equal(asks, 2);
  t.ok(servers.has[1]?.has(7) && servers.has[2]?.has(7), 'the second gets it from the first, which offers it again');
});
