// Keeps the model up to date from events and polling, and tracks the connection to the daemon.
import { type Client, everyItem, NoAnswerError, RefusedError } from '../api/client.ts';
import type { Page } from '../api/control.ts';
import type { EventGap, ServentEvent } from '../api/events.ts';
import { type Follow, RETRY_MS, type StreamState } from '../api/live/follow.ts';
import { listsChangedBy } from '../api/live/reducer.ts';
import { historyFrom } from './history.ts';
import type { Message, News } from './model.ts';
import { type Range, statsSpan } from './range.ts';
import { type Asked, STREAMED, TOPICS, type Topic, type Wanted } from './wants.ts';

/** Most items of one list; of longer lists, filter and order choose the part. */
const ITEMS_MAX = 10_000;
const PAGE_ITEMS = 1000;
/** A topic is polled again after at least this many times the duration of its last answer. */
const REST_FACTOR = 10;
/** Time over which events are gathered into one message; equals the least time between frames. */
const GATHER_MS = 100;
const GATHERED_MAX = 20_000;
/** A stream without an event for this long is lost; status events come every second. */
const SILENCE_MS = 10_000;

export interface FeedOptions {
  readonly client: Client;
  /** Stream of events; without it everything is polled. */
  readonly follow?: Follow | undefined;
  readonly context: number;
  readonly send: (message: Message) => void;
  readonly now: () => number;
  /** Called for an error of the program. */
  readonly onInternalError?: (error: unknown) => void;
}

/** State of the event stream; `none` if there is none or the daemon refuses it. */
type Stream = 'none' | 'opening' | 'open' | 'lost';

export class Feed {
  readonly #options: FeedOptions;
  readonly #askedAt = new Map<Topic, number>();
  readonly #restUntil = new Map<Topic, number>();
  readonly #running = new Set<Topic>();
  /** Topics that changed during their request, whose answer may be out of date. */
  readonly #outdated = new Set<Topic>();
  #failures = 0;
  #lostSince = 0;
  #up = false;
  #retryAt = 0;
  #asked: Asked = {};
  #search: string | null = null;
  #chunks: string | null = null;
  #range: Range = 'minute';
  #stream: Stream = 'none';
  #ending: AbortController | null = null;
  #queriesEnding: AbortController | null = null;
  #gathered: ServentEvent[] = [];
  #gather: NodeJS.Timeout | null = null;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** True while the event stream is open, which reduces polling. */
  get live(): boolean {
    return this.#options.follow !== undefined && (this.#ending === null || this.#stream !== 'none');
  }

  /** Requests all due topics; resolves when each has been answered or has failed. */
  async poll(wanted: Wanted): Promise<void> {
    this.#followAll();
    this.#followQueries(wanted.queries);
    const now = this.#options.now();
    for (const topic of ['results', 'files', 'hosts'] as const) {
      if (this.#asked[topic] === wanted.asked[topic]) continue;
      this.#askedAt.delete(topic);
      this.#restUntil.delete(topic);
    }
    if (wanted.chunks !== this.#chunks) {
      this.#askedAt.delete('chunks');
      this.#restUntil.delete('chunks');
    }
    this.#chunks = wanted.chunks;
    if (wanted.search !== this.#search || wanted.range !== this.#range) {
      this.#askedAt.delete('results');
      this.#askedAt.delete('queryStats');
    }
    this.#asked = wanted.asked;
    this.#search = wanted.search;
    this.#range = wanted.range;
    if (this.#stream === 'lost') return;
    if (this.#failures > 0) {
      if (now >= this.#retryAt && this.#running.size === 0) await this.#look('status', wanted);
      return;
    }
    const due = TOPICS.filter(topic => this.#isDue(topic, wanted, now));
    await Promise.all(due.map(topic => this.#look(topic, wanted)));
  }

  /** Makes topics without events due at once, after a change. */
  hurry(): void {
    for (const topic of TOPICS) if (!this.live || !STREAMED.has(topic)) this.#askedAt.delete(topic);
    this.#restUntil.clear();
  }

  /** Stops the stream of queries when another daemon is shown. */
  leave(): void {
    this.#followQueries(false);
  }

  stop(): void {
    this.#ending?.abort();
    this.#queriesEnding?.abort();
    if (this.#gather !== null) clearTimeout(this.#gather);
    this.#gather = null;
  }

  /** Delivers the events gathered so far. */
  flush(): void {
    if (this.#gather !== null) clearTimeout(this.#gather);
    this.#gather = null;
    const events = this.#gathered;
    if (events.length === 0) return;
    this.#gathered = [];
    this.#send({ type: 'events', context: this.#options.context, at: this.#options.now(), events });
  }

  #send(message: Message): void {
    this.#options.send(message);
  }

  #isDue(topic: Topic, { needs }: Wanted, now: number): boolean {
    const interval = needs[topic];
    if (interval === undefined || now < (this.#restUntil.get(topic) ?? 0)) return false;
    const askedAt = this.#askedAt.get(topic);
    return askedAt === undefined || now >= askedAt + interval;
  }

  #followAll(): void {
    const { follow } = this.#options;
    if (follow === undefined || this.#ending !== null) return;
    this.#ending = new AbortController();
    this.#stream = 'opening';
    this.#run(
      follow({
        topics: ['peers', 'searches', 'downloads', 'uploads', 'library', 'dht', 'status', 'log'],
        interval: 1,
        after: null,
        silenceMs: SILENCE_MS,
        signal: this.#ending.signal,
        onEvents: events => this.#told(events),
        onGap: gap => this.#missed(gap, false),
        onState: state => this.#onStream(state),
      }),
    );
  }

  #followQueries(wanted: boolean): void {
    const { follow } = this.#options;
    if (follow === undefined || wanted === (this.#queriesEnding !== null)) return;
    if (!wanted) {
      this.#queriesEnding?.abort();
      this.#queriesEnding = null;
      return;
    }
    this.#queriesEnding = new AbortController();
    this.#run(
      follow({
        topics: ['queries'],
        after: null,
        signal: this.#queriesEnding.signal,
        onEvents: events => this.#told(events),
        onGap: gap => this.#missed(gap, true),
        onState: ({ state }) => {
          if (state === 'open') this.#askedAt.delete('queries'); // fetches queries from before the stream
        },
      }),
    );
  }

  #run(running: Promise<void>): void {
    const { onInternalError } = this.#options;
    running.catch(error => {
      if (onInternalError === undefined) throw error;
      onInternalError(error);
    });
  }

  #onStream(state: StreamState): void {
    const at = this.#options.now();
    if (state.state === 'open') {
      this.#stream = 'open';
      this.#askAll();
      if (!this.#up) this.#answers(at);
    } else if (state.refusal !== null && state.refusal !== 'UNAUTHORIZED') this.#stream = 'none';
    else {
      this.#stream = 'lost';
      this.#lost(at, state.refusal === null ? state.reason : BARRED, state.retryMs);
    }
  }

  #told(events: readonly ServentEvent[]): void {
    for (const event of events) {
      const { type } = event;
      if (type === 'library.scanned') this.#askedAt.delete('files');
      else if (type === 'status.configured') this.#askedAt.delete('config');
      for (const list of listsChangedBy(event, this.#search))
        if (list !== 'savedSearches' && this.#running.has(list)) this.#outdated.add(list);
    }
    this.#gathered.push(...events);
    if (this.#gathered.length > GATHERED_MAX) {
      const skipped = this.#gathered.splice(0, this.#gathered.length - GATHERED_MAX / 2);
      const [first, last] = [skipped[0]?.id ?? 0, skipped.at(-1)?.id ?? 0];
      this.#missed({ from: first, to: last, skipped: skipped.length, reason: 'slow' }, false);
    }
    this.#gather ??= setTimeout(() => this.flush(), GATHER_MS);
  }

  #missed(gap: EventGap, queries: boolean): void {
    if (queries) this.#askedAt.delete('queries');
    else this.#askAll();
    this.#send({ type: 'gap', context: this.#options.context, at: this.#options.now(), gap, queries });
  }

  #askAll(): void {
    this.#askedAt.clear();
    this.#restUntil.clear();
  }

  async #look(topic: Topic, wanted: Wanted): Promise<void> {
    if (this.#running.has(topic)) return;
    const { now, context } = this.#options;
    this.#running.add(topic);
    this.#outdated.delete(topic);
    const begun = now();
    this.#askedAt.set(topic, begun);
    try {
      const data = await this.#ask(topic, wanted);
      const at = now();
      if (!this.#up && this.#stream !== 'lost') this.#answers(at);
      if (data !== null) this.#send({ type: 'data', context, at, data });
      this.#restUntil.set(topic, at + (at - begun) * REST_FACTOR);
      if (this.#outdated.delete(topic)) this.#askedAt.delete(topic);
    } catch (error) {
      this.#failed(error, topic);
    } finally {
      this.#running.delete(topic);
    }
  }

  #answers(at: number): void {
    this.#up = true;
    if (this.#failures > 0) this.#askAll();
    this.#failures = 0;
    this.#send({ type: 'link', context: this.#options.context, at, link: { state: 'up' } });
  }

  #failed(error: unknown, topic: Topic): void {
    // a removed search, or a list unknown to this daemon: other topics go on
    const refused = error instanceof RefusedError;
    if (refused && topic !== 'status') return;
    if (!refused && !(error instanceof NoAnswerError)) throw error;
    const at = this.#options.now();
    // the stream decides whether the daemon is lost; the topic is polled again
    if (this.#stream !== 'none') {
      this.#askedAt.delete(topic);
      this.#restUntil.set(topic, at + (RETRY_MS[0] ?? 0));
      return;
    }
    // calls that fail together count once
    if (!this.#up && at < this.#retryAt) return;
    const retryMs = RETRY_MS[Math.min(this.#failures, RETRY_MS.length - 1)] ?? 0;
    this.#failures++;
    this.#lost(at, refused && error.problem.code === 'UNAUTHORIZED' ? BARRED : shorten(error), retryMs);
  }

  #lost(at: number, reason: string, retryMs: number): void {
    if (this.#up || this.#retryAt === 0) this.#lostSince = at;
    this.#up = false;
    this.#retryAt = at + retryMs;
    const link = { state: 'lost', reason: shorten(reason), since: this.#lostSince, retryAt: this.#retryAt } as const;
    this.#send({ type: 'link', context: this.#options.context, at, link });
  }

  async #ask(topic: Topic, { search, chunks, asked, range }: Wanted): Promise<News | null> {
    const { client, now } = this.#options;
    switch (topic) {
      case 'status':
        return { status: await client.status() };
      case 'caller':
        return { caller: await client.caller() };
      case 'queries':
        return { queries: (await client.queries({ limit: PAGE_ITEMS })).items, counted: this.#queriesEnding === null };
      case 'queryHits': {
        const { items } = await client.queries({ limit: PAGE_ITEMS, filter: 'hits>0', fields: 'id,hits' });
        return { queryHits: items };
      }
      case 'queryStats':
        return { stats: await client.queryStats({ span: statsSpan(range), top: 100 }) };
      case 'results': {
        if (search === null) return null;
        const { items, whole } = await some(page => client.results({ id: search, ...page }), asked.results);
        return { results: { search, items }, whole: { results: whole && !asked.results } };
      }
      case 'logLines':
        return { logLines: (await client.logLines({ limit: PAGE_ITEMS, level: 'info' })).items };
      case 'config':
        return { config: await client.config() };
      case 'history': {
        const told = await client.history();
        const rate = told.minute.queries.at(-1) ?? 0;
        return { history: historyFrom(told, now()), ...(this.live ? { queryRate: rate } : {}) };
      }
      case 'peers':
        return { peers: (await some(page => client.peers(page))).items };
      case 'searches':
        return { searches: (await some(page => client.searches(page))).items };
      case 'downloads':
        return { downloads: (await some(page => client.downloads(page))).items };
      case 'uploads':
        return { uploads: (await some(page => client.uploads(page))).items };
      case 'chunks':
        return chunks === null
          ? null
          : { chunks: { download: chunks, map: await client.downloadChunks({ id: chunks }) } };
      case 'past':
        return { past: (await client.pastTransfers({ limit: PAGE_ITEMS })).items };
      case 'folders':
        return { folders: (await some(page => client.folders(page))).items };
      case 'files': {
        const { items, whole } = await some(page => client.files(page), asked.files);
        return { files: items, whole: { files: whole && !asked.files } };
      }
      case 'hosts': {
        const { items, whole } = await some(page => client.hosts(page), asked.hosts);
        return { hosts: items, whole: { hosts: whole && !asked.hosts } };
      }
    }
  }
}

const BARRED = 'it does not accept the token';

interface PageInput {
  limit: number;
  cursor?: string;
}

/** Reads a list; `asked` is filter and order in the query string when the list is longer than ITEMS_MAX. */
async function some<T>(
  list: (page: PageInput) => Promise<Page<T>>,
  asked = '',
): Promise<{ items: T[]; whole: boolean }> {
  const items: T[] = [];
  const more = Object.fromEntries(new URLSearchParams(asked));
  for await (const item of everyItem(page => list({ ...more, ...page }), ITEMS_MAX + 1)) items.push(item);
  return { items: items.slice(0, ITEMS_MAX), whole: items.length <= ITEMS_MAX };
}

function shorten(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/^connect (E[A-Z]+) .*$/, '$1').slice(0, 200);
}
