// Usenet: articles are flooded between servers, each of which takes an article once and throws it away when it expires.
import { atMost, equal, near, told } from '../measure.ts';
import type { Model, Outcome, Run } from '../model.ts';
import { SeededRandom } from '../seeded-random.ts';
import { mean } from '../statistics.ts';
import { distancesFrom } from '../topology/paths.ts';
import { preferentialAttachment } from '../topology/preferential-attachment.ts';
import { TraceHash } from '../trace-hash.ts';
import { type NewsOptions, NewsServers } from '../usenet/news-servers.ts';

const DAY = 86_400_000;
const SOURCE = 'lecture: Usenet; RFC 977, section 3.5, and RFC 1036, sections 2.1.5 and 2.1.6';

function run({ servents, seconds, parameters, random }: Run): Outcome {
  const { links = 2, articles = 20, batch = 3_600, expiry = 7, lost = 0.1 } = parameters;
  const trace = new TraceHash();
  const graph = preferentialAttachment(servents, links, random.fork());
  const posters = Array.from({ length: articles }, () => random.below(servents));
  const made: NewsServers[] = [];
  const servers = (options: Partial<NewsOptions> = {}): NewsServers => {
    const news = new NewsServers({
      ...{ graph, random: random.fork(), feed: 'ihave', usesPath: true, batchMs: batch * 1000 },
      ...{ expiryMs: expiry * DAY, historyMs: 2 * expiry * DAY },
      ...options,
    });
    made.push(news);
    return news;
  };
  /** All articles at once, and three days for them. */
  const flood = (news: NewsServers, from: readonly number[] = posters): NewsServers => {
    for (const [id, poster] of from.entries()) news.post(poster, id);
    news.network.run(3 * DAY);
    return news;
  };
  const copies = ({ has }: NewsServers): number => has.reduce((sum, { size }) => sum + size, 0);

  const asked = flood(servers());
  const unasked = flood(servers({ feed: 'unasked' }));
  const withoutPath = flood(servers({ feed: 'unasked', usesPath: false }));
  const batched = flood(servers({ feed: 'batch' }));
  const [heldBefore, bytes] = [copies(asked), asked.network.bytes];
  asked.network.run((expiry + 1) * DAY);

  // a tenth of the servers is lost: the others go on as far as they are connected
  const loss = new SeededRandom(random.next());
  const isUp = Array.from({ length: servents }, () => !loss.chance(lost));
  const withLoss = servers();
  for (const [server, up] of isUp.entries()) if (!up) withLoss.network.fail(server);
  const upPosters = posters.filter(poster => isUp[poster]);
  const reachable = upPosters.reduce(
    (sum, poster) => sum + distancesFrom(graph, poster, server => isUp[server] === true).reached.length,
    0,
  );
  flood(withLoss, upPosters);

  // an article that has expired is offered again
  const floodedAgain = (historyDays: number): number => {
    const news = servers({ expiryMs: DAY, historyMs: historyDays * DAY });
    news.post(0, 0);
    news.network.run(3 * DAY);
    const before = news.transfers;
    news.post(0, 0);
    news.network.run(4 * DAY);
    return news.transfers - before;
  };
  const [remembered, forgotten] = [floodedAgain(14), floodedAgain(2)];

  // a flow of articles, one an hour, until as many expire as come
  const flow = servers();
  const days = Math.min(3 * expiry, seconds / 86_400);
  for (let hour = 0; hour < days * 24; hour++)
    flow.network.after(hour * 3_600_000, () => flow.post(hour % servents, hour));
  const x: number[] = [];
  const y: number[] = [];
  for (let day = 1; day <= days; day++) {
    flow.network.run(day * DAY);
    x.push(day);
    y.push(copies(flow) / servents);
  }
  for (const { network } of made) trace.addText(network.trace.hex);

  const each = { unit: 'transfers an article', source: SOURCE };
  return {
    measures: [
      equal('servers that get an article', 1, heldBefore / (articles * servents), { unit: 'of all', source: SOURCE }),
      equal('by ihave: one to each other server', servents - 1, asked.transfers / articles, each),
      equal('unasked, without Path: both ways over each link', 2 * graph.links, withoutPath.transfers / articles, each),
      equal('of these known already', 2 * graph.links - (servents - 1), withoutPath.twice / articles, {
        unit: 'transfers an article: all but the first to each server',
        source: SOURCE,
      }),
      atMost('unasked, with Path: not back', 2 * graph.links - (servents - 1), unasked.transfers / articles, each),
      atMost('bytes by ihave, of those unasked', 1, bytes / unasked.network.bytes, { source: SOURCE }),
      atMost('messages of batches, of those unasked', 1, batched.network.messages / unasked.network.messages, {
        source: SOURCE,
      }),
      told('delay by ihave', mean(asked.delays) / 1000, { unit: 's', source: SOURCE }),
      told('delay by batches', mean(batched.delays) / 3_600_000, { unit: 'h', source: SOURCE }),
      equal('copies of articles, a tenth of the servers lost', reachable, copies(withLoss), {
        unit: 'copies: one at each server that is connected',
        source: SOURCE,
      }),
      equal('copies after the expiry', 0, copies(asked), { unit: 'copies', source: SOURCE }),
      near('articles held, one comes an hour', 24 * Math.min(expiry, days), 1, y.at(-1) ?? 0, {
        unit: 'a server: rate times expiry',
        source: 'Little’s law',
      }),
      equal('expired article offered again, Message-ID remembered', 0, remembered, each),
      equal('and forgotten: it is flooded again', servents - 1, forgotten, each),
    ],
    series: [{ name: 'articles held', axes: ['days', 'articles a server'], x, y }],
    traceHash: trace.hex,
  };
}

export const usenet: Model = {
  name: 'usenet',
  system: 'Usenet',
  teaches: 'Flooding without a centre reaches every server once, if each remembers what it has seen.',
  servents: 100,
  seconds: 30 * 86_400,
  parameters: {
    links: {
      value: 2,
      range: [1, 20],
      whole: true,
      unit: 'links',
      meaning: 'that each server brings when it joins, to servers that have many',
    },
    articles: {
      value: 20,
      range: [1, 1000],
      whole: true,
      unit: 'articles',
      meaning: 'posted at once at random servers',
    },
    batch: { value: 3_600, range: [60, 86400], unit: 's', meaning: 'between two batches to a neighbour' },
    expiry: {
      value: 7,
      range: [1, 365],
      unit: 'days',
      meaning: 'how long an article is kept; its Message-ID twice as long',
    },
    lost: { value: 0.1, range: [0, 1], unit: 'share', meaning: 'servers that fail' },
  },
  run,
};
