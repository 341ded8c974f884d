// Entry of the page: signs in, then connects model, event stream, refreshes and drawing.

import type { Topic } from '../api/events.ts';
import { printable } from '../api/format.ts';
import type { Follow, StreamState } from '../api/live/follow.ts';
import { listsChangedBy } from '../api/live/reducer.ts';
import { type Access, type CallName, call, NoAnswer, Refused } from './calls.ts';
import { draw } from './draw.ts';
import { followFrom } from './live.ts';
import { chunksShown, type ListName, type Model, PAGE_ROWS, placeOf, START } from './model.ts';
import { orders } from './orders.ts';
import { filterOf, Refresh, type Resource, shown } from './refresh.ts';
import { type ShellActions, shell, signIn, TITLES } from './shell.ts';
import { type Message, update } from './update.ts';

/** Storage of the tab, deleted when it is closed. */
const TOKEN_KEY = 'servent-token';
const TICK_MS = 200;
/** Shortest time between two draws. */
const DRAW_MS = 120;
const NOTICE_MS = 6_000;
/** After this time in the background the page closes its stream. */
const HIDDEN_MS = 30_000;
const TOPICS: readonly Topic[] = ['peers', 'searches', 'downloads', 'uploads', 'library', 'status'];

const root = document.getElementById('page') as HTMLElement;
// Relative, as a reverse proxy may serve the page below a path.
const base = new URL('api/v1/', new URL('.', location.href)).href;

class Page {
  readonly #access: Access;
  readonly #onSignOut: (why: string | null) => void;
  readonly #follow: Follow;
  readonly #refresh = new Refresh();
  readonly #act: ShellActions;
  readonly #abort = new AbortController();
  #model: Model = { ...START, ...placeOf(location.hash) };
  /** The open stream; null: none. */
  #listening: { readonly topics: string; readonly ending: AbortController } | null = null;
  #tick: number | null = null;
  #drawTimer: number | null = null;
  #hidden: number | null = null;
  #notices = 0;

  constructor(access: Access, onSignOut: (why: string | null) => void) {
    this.#access = access;
    this.#onSignOut = onSignOut;
    this.#follow = followFrom(access);
    this.#act = {
      ...orders({
        model: () => this.#model,
        send: message => this.#send(message),
        call: (name, input) => call(this.#access, name, input),
        stale: (...resources) => {
          this.#refresh.stale(...resources);
          this.#look();
        },
        say: (kind, text) => this.#say(kind, text),
        refused: error => this.#refused(error),
      }),
      tryNow: () => {
        this.#silence();
        this.#listen();
      },
      signOut: () => this.signOut(null),
      dismiss: id => this.#send({ type: 'dismiss', id }),
    };
    const { signal } = this.#abort;
    addEventListener('hashchange', () => this.#go(), { signal });
    document.addEventListener('visibilitychange', () => this.#onVisibility(), { signal });
  }

  start(model: Pick<Model, 'scopes'>): void {
    this.#model = { ...this.#model, ...model };
    this.#resume();
    this.#draw();
  }

  signOut(why: string | null): void {
    this.#pause();
    this.#abort.abort();
    if (this.#drawTimer !== null) clearTimeout(this.#drawTimer);
    if (this.#hidden !== null) clearTimeout(this.#hidden);
    this.#onSignOut(why);
  }

  #resume(): void {
    this.#refresh.forget();
    this.#listen();
    this.#tick ??= window.setInterval(() => this.#look(), TICK_MS);
    this.#look();
  }

  #pause(): void {
    this.#silence();
    if (this.#tick !== null) clearInterval(this.#tick);
    this.#tick = null;
  }

  #onVisibility(): void {
    if (this.#hidden !== null) clearTimeout(this.#hidden);
    this.#hidden = null;
    if (document.hidden) this.#hidden = window.setTimeout(() => this.#pause(), HIDDEN_MS);
    else if (this.#tick === null) this.#resume();
  }

  /** Opens the stream; the lists are loaded once it is open. */
  #listen(): void {
    const topics: readonly Topic[] = this.#model.view === 'queries' ? [...TOPICS, 'queries'] : TOPICS;
    if (this.#listening?.topics === topics.join()) return;
    this.#silence();
    const ending = new AbortController();
    this.#listening = { topics: topics.join(), ending };
    this.#send({ type: 'link', state: { kind: 'connecting' } });
    void this.#follow({
      topics,
      after: null,
      signal: ending.signal,
      onEvents: events => {
        this.#send({ type: 'events', at: Date.now(), events });
        for (const event of events) this.#refresh.stale(...listsChangedBy(event, this.#model.search));
      },
      onGap: () => this.#refresh.forget(),
      onState: state => this.#onStream(state),
    });
  }

  #silence(): void {
    this.#listening?.ending.abort();
    this.#listening = null;
  }

  #onStream(state: StreamState): void {
    if (state.state === 'open') {
      this.#send({ type: 'link', state: { kind: 'live' } });
      this.#refresh.forget();
    } else if (state.refusal === 'UNAUTHORIZED' || state.refusal === 'FORBIDDEN') this.signOut(state.reason);
    else this.#send({ type: 'link', state: { kind: 'lost', why: state.reason, retryAt: Date.now() + state.retryMs } });
  }

  #go(): void {
    this.#send({ type: 'went', place: placeOf(location.hash) });
    this.#refresh.stale(...shown(this.#model));
    this.#listen();
    this.#look();
    this.#draw();
    root.querySelector('main')?.focus();
    scrollTo(0, 0);
  }

  #send(message: Message): void {
    this.#model = update(this.#model, message);
    this.#drawTimer ??= window.setTimeout(() => this.#draw(), message.type === 'events' ? DRAW_MS : 0);
  }

  #say(kind: 'done' | 'failed', text: string): void {
    const id = ++this.#notices;
    this.#send({ type: 'notice', notice: { id, kind, text: printable(text) } });
    if (kind === 'done') setTimeout(() => this.#send({ type: 'dismiss', id }), NOTICE_MS);
  }

  #draw(): void {
    if (this.#drawTimer !== null) clearTimeout(this.#drawTimer);
    this.#drawTimer = null;
    if (this.#abort.signal.aborted) return;
    document.title = `${TITLES[this.#model.view]} – servent`;
    draw(root, shell(this.#model, this.#act, Date.now()));
  }

  /** Handles errors of the token and returns true for them. */
  #refused(error: unknown): boolean {
    if (this.#abort.signal.aborted) return true;
    if (!(error instanceof Refused) || error.status !== 401) return false;
    this.signOut(error.message);
    return true;
  }

  #look(): void {
    if (this.#model.link.kind === 'lost') {
      this.#drawTimer ??= window.setTimeout(() => this.#draw(), DRAW_MS); // updates the countdown
      return;
    }
    for (const resource of this.#refresh.due(shown(this.#model), performance.now()))
      void this.#load(resource).finally(() => this.#refresh.answered(resource));
  }

  async #load(resource: Resource): Promise<void> {
    const get = <N extends CallName>(name: N) => call(this.#access, name, {} as never);
    try {
      if (resource === 'status') this.#send({ type: 'status', status: await get('status') });
      else if (resource === 'election') this.#send({ type: 'election', election: await get('election') });
      else if (resource === 'history') this.#send({ type: 'history', history: await get('history') });
      else if (resource === 'dht') this.#send({ type: 'dht', dht: await get('dht') });
      else if (resource === 'queries') {
        const { items } = await call(this.#access, 'queries', { limit: PAGE_ROWS });
        this.#send({ type: 'queries', rows: items });
      } else if (resource === 'chunks') await this.#loadChunks();
      else await this.#loadList(resource);
    } catch (error) {
      if (this.#refused(error) || error instanceof NoAnswer) return; // the state of the stream shows that the daemon is lost
      const text = error instanceof Error ? error.message : String(error);
      if (resource in this.#model.lists) this.#send({ type: 'noPage', list: resource as ListName, error: text });
      else this.#say('failed', text);
    }
  }

  async #loadChunks(): Promise<void> {
    const ids = chunksShown(this.#model);
    if (ids.length === 0) return;
    const maps = await Promise.allSettled(ids.map(id => call(this.#access, 'downloadChunks', { id })));
    // One that is gone meanwhile has none.
    const found = ids.flatMap((id, i) => (maps[i]?.status === 'fulfilled' ? [[id, maps[i].value] as const] : []));
    this.#send({ type: 'chunks', chunks: Object.fromEntries(found) });
  }

  async #loadList(list: ListName): Promise<void> {
    const { search } = this.#model;
    const asked = this.#model.lists[list];
    const { trail, sort, filter } = asked;
    const input = {
      limit: PAGE_ROWS,
      cursor: trail.at(-1),
      sort: sort === '' ? undefined : sort,
      filter: filterOf(filter),
      ...(list === 'results' ? { id: search } : {}),
    };
    const { items, next } = await call(this.#access, list, input as never);
    const now = this.#model.lists[list];
    // The list was requested with other parameters meanwhile.
    if (now.trail !== trail || now.sort !== sort || now.filter !== filter || this.#model.search !== search) return;
    if (this.#refresh.isOvertaken(list)) return;
    this.#send({ type: 'page', list, rows: items, next });
  }
}

function showSignIn(fault: string | null, busy = false): void {
  document.title = 'Sign in – servent';
  draw(
    root,
    signIn(fault, busy, token => void begin(token)),
  );
  if (!busy) root.querySelector('input')?.focus();
}

async function begin(token: string): Promise<void> {
  if (!/^[\x21-\x7e]{1,512}$/.test(token)) {
    showSignIn('A token has no spaces: only printable ASCII characters.');
    return;
  }
  showSignIn(null, true);
  const access: Access = { base, token };
  try {
    const { scopes } = await call(access, 'caller', undefined as never);
    sessionStorage.setItem(TOKEN_KEY, token);
    draw(root, []);
    new Page(access, why => {
      sessionStorage.removeItem(TOKEN_KEY);
      draw(root, []);
      showSignIn(why);
    }).start({ scopes });
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    showSignIn(error instanceof Refused && error.status === 401 ? 'The token is wrong.' : text);
  }
}

const known = sessionStorage.getItem(TOKEN_KEY);
if (known === null) showSignIn(null);
else void begin(known);
