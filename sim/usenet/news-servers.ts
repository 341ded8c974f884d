// Servers of Usenet, which flood articles to their neighbours: after asking (ihave, RFC 977), unasked at once, or unasked in batches (UUCP).
// A history of Message-IDs keeps an article from being taken twice, the Path from going back where it came from (RFC 1036).
import { Network } from '../network.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { Graph } from '../topology/graph.ts';

interface Article {
  readonly id: number;
  /** Servers that it came along, the last one first. */
  readonly path: readonly number[];
}

type Message =
  /** `later`: it is on its way from another neighbour, and may be offered again. */
  | { readonly kind: 'ihave' | 'send' | 'no' | 'later'; readonly id: number }
  | { readonly kind: 'articles'; readonly articles: readonly Article[] };

export interface NewsOptions {
  readonly graph: Graph;
  readonly random: SeededRandom;
  readonly feed: 'ihave' | 'unasked' | 'batch';
  /** Servers that the Path names are left out. */
  readonly usesPath: boolean;
  readonly batchMs: number;
  /** How long an article is kept, and how long its Message-ID. */
  readonly expiryMs: number;
  readonly historyMs: number;
}

const ARTICLE_BYTES = 2_000;
const COMMAND_BYTES = 50;
const LATER_MS = 60_000;

export class NewsServers {
  readonly network: Network<Message>;
  /** Articles that each server has, by number. */
  readonly has: readonly Map<number, Article>[];
  /** Articles sent, and those of them that were known already; milliseconds from the post to each server. */
  transfers = 0;
  twice = 0;
  readonly delays: number[] = [];
  readonly #options: NewsOptions;
  /** When each Message-ID came, at each server. */
  readonly #history: readonly Map<number, number>[];
  /** Articles that were asked for and have not come. */
  readonly #asked: readonly Map<number, number>[];
  readonly #batches: readonly Map<number, Article[]>[];
  readonly #postedAt = new Map<number, number>();

  constructor(options: NewsOptions) {
    const { graph, random, feed, batchMs } = options;
    this.#options = options;
    this.network = new Network({ nodes: graph.nodes, random });
    const tables = <V>(): Map<number, V>[] => Array.from({ length: graph.nodes }, () => new Map<number, V>());
    this.has = tables();
    this.#history = tables();
    this.#asked = tables();
    this.#batches = tables();
    this.network.onMessage = (to, message, from) => this.#receive(to, message, from);
    if (feed !== 'batch') return;
    for (let server = 0; server < graph.nodes; server++)
      this.network.every(server, batchMs, () => this.#sendBatches(server));
  }

  post(server: number, id: number): void {
    this.#postedAt.set(id, this.network.now);
    this.#take(server, { id, path: [] });
  }

  #receive(to: number, message: Message, from: number): void {
    if (message.kind === 'articles') {
      for (const article of message.articles) this.#take(to, article);
      return;
    }
    const { id } = message;
    const article = this.has[to]?.get(id);
    if (message.kind === 'ihave') this.#reply(to, from, id);
    else if (message.kind === 'send' && article !== undefined) this.#transfer(to, from, [article]);
    else if (message.kind === 'later') this.network.after(LATER_MS, () => this.#offer(to, from, id));
  }

  #offer(from: number, to: number, id: number): void {
    this.network.send(from, to, { kind: 'ihave', id }, COMMAND_BYTES);
  }

  #reply(server: number, to: number, id: number): void {
    const { now } = this.network;
    const isComing = now - (this.#asked[server]?.get(id) ?? Number.NEGATIVE_INFINITY) < LATER_MS;
    const kind = this.#isKnown(server, id) ? 'no' : isComing ? 'later' : 'send';
    if (kind === 'send') this.#asked[server]?.set(id, now);
    this.network.send(server, to, { kind, id }, COMMAND_BYTES);
  }

  #transfer(from: number, to: number, articles: readonly Article[]): void {
    this.transfers += articles.length;
    this.network.send(from, to, { kind: 'articles', articles }, articles.length * ARTICLE_BYTES);
  }

  #isKnown(server: number, id: number): boolean {
    const at = this.#history[server]?.get(id);
    return at !== undefined && this.network.now - at < this.#options.historyMs;
  }

  #take(server: number, { id, path }: Article): void {
    this.#asked[server]?.delete(id);
    if (this.#isKnown(server, id)) {
      this.twice++;
      return;
    }
    const { graph, expiryMs, usesPath, feed } = this.#options;
    const { now } = this.network;
    const article = { id, path: [server, ...path] };
    this.#history[server]?.set(id, now);
    this.has[server]?.set(id, article);
    if (path.length > 0) this.delays.push(now - (this.#postedAt.get(id) ?? now));
    this.network.after(expiryMs, () => this.has[server]?.delete(id));
    for (const neighbour of graph.neighbours(server)) {
      if (usesPath && path.includes(neighbour)) continue;
      if (feed === 'ihave') this.#offer(server, neighbour, id);
      else if (feed === 'unasked') this.#transfer(server, neighbour, [article]);
      else this.#batches[server]?.set(neighbour, [...(this.#batches[server]?.get(neighbour) ?? []), article]);
    }
  }

  #sendBatches(server: number): void {
    for (const [neighbour, articles] of this.#batches[server] ?? []) this.#transfer(server, neighbour, articles);
    this.#batches[server]?.clear();
  }
}
