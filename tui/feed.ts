// Asks a daemon for what the open view needs, as often as it is worth, and notices when it no longer answers.
import { type Client, everyItem, NoAnswerError, RefusedError } from '../api/client.ts';
import type { Page } from '../api/control.ts';
import { historyFrom } from './history.ts';
import type { Message, Model, News } from './model.ts';
import { openSearch } from './views/searches.ts';

export const TOPICS = [
  'status',
  'peers',
  'queries',
  'searches',
  'results',
  'downloads',
  'uploads',
  'folders',
  'files',
  'hosts',
  'config',
  'history',
] as const;
export type Topic = (typeof TOPICS)[number];

/** Milliseconds between two looks; a topic that is missing is not looked at. */
export type Needs = Partial<Record<Topic, number>>;

/** What is looked at in any view: the bar, the tabs and the log need it. */
const ALWAYS: Needs = {
  status: 1000,
  peers: 2000,
  searches: 5000,
  downloads: 2000,
  uploads: 5000,
  queries: 1000,
  history: 60_000,
};
const BY_VIEW: Record<Model['view'], Needs> = {
  overview: { folders: 10_000 },
  peers: { peers: 1000 },
  queries: { queries: 250 },
  searches: { searches: 500, results: 500 },
  downloads: { downloads: 500 },
  uploads: { uploads: 500 },
  library: { folders: 2000, files: 5000 },
  hosts: { hosts: 5000 },
  log: {},
  config: { config: 10_000 },
};

export interface Wanted {
  readonly needs: Needs;
  /** Whose results. */
  readonly search: string | null;
}

export function wantedBy(model: Model): Wanted {
  return {
    needs: { ...ALWAYS, ...BY_VIEW[model.view] },
    search: model.view === 'searches' ? (openSearch(model)?.id ?? null) : null,
  };
}

/** Items of one list; more are not shown. */
const ITEMS_MAX = 100_000;
const QUERIES_PAGE = 1000;
/** A long answer is not asked for again at once: the daemon has other things to do. */
const REST_FACTOR = 10;
const BACKOFF_MS = [1000, 2000, 4000, 8000, 15_000];

export interface FeedOptions {
  readonly client: Client;
  readonly context: number;
  readonly send: (message: Message) => void;
  readonly now: () => number;
}

export class Feed {
  readonly #client: Client;
  readonly #context: number;
  readonly #send: FeedOptions['send'];
  readonly #now: () => number;
  readonly #due = new Map<Topic, number>();
  readonly #running = new Set<Topic>();
  #failures = 0;
  #lostSince = 0;
  #up = false;
  #retryAt = 0;
  #search: string | null = null;

  constructor({ client, context, send, now }: FeedOptions) {
    this.#client = client;
    this.#context = context;
    this.#send = send;
    this.#now = now;
  }

  /** Asks for everything that is due; resolves when all of it has come or failed. */
  async poll(wanted: Wanted): Promise<void> {
    const now = this.#now();
    if (wanted.search !== this.#search) {
      this.#search = wanted.search;
      this.#due.delete('results');
    }
    if (this.#failures > 0) {
      if (now >= this.#retryAt && this.#running.size === 0) await this.#look('status', 0, wanted);
      return;
    }
    const due = TOPICS.filter(topic => wanted.needs[topic] !== undefined && now >= (this.#due.get(topic) ?? 0));
    await Promise.all(due.map(topic => this.#look(topic, wanted.needs[topic] ?? 0, wanted)));
  }

  /** Something was changed: look again without waiting. */
  hurry(): void {
    this.#due.clear();
  }

  async #look(topic: Topic, intervalMs: number, wanted: Wanted): Promise<void> {
    if (this.#running.has(topic)) return;
    this.#running.add(topic);
    const begun = this.#now();
    this.#due.set(topic, begun + intervalMs);
    try {
      const data = await this.#ask(topic, wanted);
      const at = this.#now();
      if (!this.#up) this.#answers(at);
      if (data !== null) this.#send({ type: 'data', context: this.#context, at, data });
      this.#due.set(topic, Math.max(this.#due.get(topic) ?? 0, at + (at - begun) * REST_FACTOR));
    } catch (error) {
      this.#failed(error, topic);
    } finally {
      this.#running.delete(topic);
    }
  }

  #answers(at: number): void {
    this.#up = true;
    if (this.#failures > 0) this.#due.clear();
    this.#failures = 0;
    this.#send({ type: 'link', context: this.#context, at, link: { state: 'up' } });
  }

  #failed(error: unknown, topic: Topic): void {
    // A search that was removed meanwhile, or a list that this daemon does not have: the rest goes on.
    const refused = error instanceof RefusedError;
    if (refused && topic !== 'status') return;
    if (!refused && !(error instanceof NoAnswerError)) throw error;
    const at = this.#now();
    // Several calls failed together: that is one failure.
    if (!this.#up && at < this.#retryAt) return;
    if (this.#failures === 0) this.#lostSince = at;
    this.#up = false;
    this.#retryAt = at + (BACKOFF_MS[Math.min(this.#failures, BACKOFF_MS.length - 1)] ?? 0);
    this.#failures++;
    const reason = refused && error.problem.code === 'UNAUTHORIZED' ? 'it does not accept the token' : shorten(error);
    const link = { state: 'lost', reason, since: this.#lostSince, retryAt: this.#retryAt } as const;
    this.#send({ type: 'link', context: this.#context, at, link });
  }

  async #history(): Promise<News | null> {
    const told = await (this.#client as Historian).history?.();
    return told === undefined ? null : { history: historyFrom(told, this.#now()) };
  }

  async #ask(topic: Topic, { search }: Wanted): Promise<News | null> {
    const client = this.#client;
    switch (topic) {
      case 'status':
        return { status: await client.status() };
      case 'queries':
        return { queries: (await client.queries({ limit: QUERIES_PAGE })).items };
      case 'results':
        if (search === null) return null;
        return { results: { search, items: await every(page => client.results({ id: search, ...page })) } };
      case 'config':
        return { config: await client.config() };
      case 'history':
        return this.#history();
      case 'peers':
        return { peers: await every(page => client.peers(page)) };
      case 'searches':
        return { searches: await every(page => client.searches(page)) };
      case 'downloads':
        return { downloads: await every(page => client.downloads(page)) };
      case 'uploads':
        return { uploads: await every(page => client.uploads(page)) };
      case 'folders':
        return { folders: await every(page => client.folders(page)) };
      case 'files':
        return { files: await every(page => client.files(page)) };
      case 'hosts':
        return { hosts: await every(page => client.hosts(page)) };
    }
  }
}

/** Daemons that keep rings of their own know more than was seen from here. */
interface Historian {
  history?: () => Promise<Parameters<typeof historyFrom>[0]>;
}

async function every<T>(list: (page: { limit: number; cursor?: string }) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of everyItem(list, ITEMS_MAX)) items.push(item);
  return items;
}

function shorten(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/^connect (E[A-Z]+) .*$/, '$1').slice(0, 200);
}
