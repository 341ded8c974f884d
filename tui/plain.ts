// The dashboard without a screen: reads commands, prints plain lines. For screen readers, TERM=dumb, pipes and scripts.
import { createInterface } from 'node:readline';
import { printable } from '../api/format.ts';
import type { Source } from './app.ts';
import { commandRows, runCommand } from './commands.ts';
import { Feed } from './feed.ts';
import { formatClock, formatCount } from './format.ts';
import { bindings } from './keys.ts';
import { rowsShown } from './listing.ts';
import { contextOf, createModel, type Effect, type Message, type Model } from './model.ts';
import { perform } from './perform.ts';
import type { AnyList } from './table.ts';
import { update } from './update.ts';
import { lists, viewRow, views } from './views/all.ts';
import { notesOn } from './views/overview.ts';
import { wantedBy } from './wants.ts';

export interface PlainOptions {
  readonly sources: readonly Source[];
  readonly input: NodeJS.ReadableStream;
  readonly write: (text: string) => void;
  readonly now: () => number;
}

/** Rows printed at once; `more` prints the next. */
const ROWS_AT_ONCE = 20;

export async function runPlain({ sources, input, write, now }: PlainOptions): Promise<void> {
  const reader = new PlainReader(sources, write, now);
  await reader.show();
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) if (!(await reader.line(line))) break;
  lines.close();
}

/** Accepts the keys of views and `q` as commands. */
function wordFor(line: string): string {
  if (bindings.some(({ action, keys }) => action === 'quit' && keys.includes(line))) return 'quit';
  const view = views.find(({ key }) => key === line)?.id;
  return view === 'overview' ? 'status' : (view ?? line);
}

class PlainReader {
  readonly #sources: readonly Source[];
  readonly #feeds: readonly Feed[];
  readonly #write: (text: string) => void;
  readonly #now: () => number;
  #model: Model;
  #read = 0;

  constructor(sources: readonly Source[], write: (text: string) => void, now: () => number) {
    this.#sources = sources;
    this.#write = write;
    this.#now = now;
    this.#model = createModel({ contexts: sources, now: now(), columns: 200, rows: 1000, mouse: false });
    this.#feeds = sources.map(
      ({ client }, context) => new Feed({ client, context, now, send: message => this.#take(message) }),
    );
  }

  /** Runs a line; resolves to false after `quit`. */
  async line(text: string): Promise<boolean> {
    const line = wordFor(text.trim().replace(/^:/, ''));
    if (line === 'more') {
      this.#readRows();
      return true;
    }
    if (line === 'help' || line === '?') {
      this.#help();
      return true;
    }
    const before = this.#model;
    const { model, effects } = runCommand({ ...before, now: this.#now(), toast: null }, line);
    this.#model = { ...model, help: null };
    if (effects.some(({ type }) => type === 'quit')) return false;
    if (model.toast !== null) this.#say(model.toast.text);
    for (const effect of effects) await this.#perform(effect);
    if (line === '' || (effects.length === 0 && model.toast === null)) await this.show();
    return true;
  }

  async show(): Promise<void> {
    const feed = this.#feeds[this.#model.context];
    feed?.hurry();
    await feed?.poll(wantedBy(this.#model, false));
    // the results need the search list first
    if (this.#model.view === 'searches') await feed?.poll(wantedBy(this.#model, false));
    this.#read = 0;
    this.#say(`${viewRow(this.#model.view).title}.`);
    const { link, url } = contextOf(this.#model);
    if (link.state === 'lost') this.#say(`No daemon answers at ${url}: ${link.reason}.`);
    if (this.#model.view === 'overview') this.#overview();
    else this.#readRows();
  }

  #take(message: Message): void {
    this.#model = update(this.#model, message).model;
  }

  async #perform(effect: Effect): Promise<void> {
    if (effect.type !== 'call' && effect.type !== 'bulk') return;
    const { client } = this.#sources[this.#model.context] ?? {};
    const answer = await perform(client, effect);
    this.#take({ type: 'answered', ...answer });
    if (answer.text !== '' && answer.call?.show === undefined)
      this.#say(answer.ok ? answer.text : `failed: ${answer.text}`);
    const { pane, question, toast } = this.#model;
    for (const line of pane?.lines ?? []) if (line.text !== '') this.#say(line.text.trim());
    if (answer.call?.show === 'outcome' && toast !== null) this.#say(toast.text);
    this.#model = { ...this.#model, pane: null, question: null };
    // no question in plain mode: the command is carried out
    for (const line of question?.about ?? []) this.#say(line);
    for (const next of question?.effects ?? []) await this.#perform(next);
  }

  #overview(): void {
    const { status } = contextOf(this.#model).world;
    if (status === null) return;
    const { peers, library, downloads, uploads, messages } = status;
    this.#say(`Role: ${status.mode}, profile ${status.profile}.`);
    this.#say(`Peers: ${peers.ultrapeers} ultrapeers, ${peers.leaves} leaves; ${status.hosts} hosts known.`);
    this.#say(`Library: ${library.files} files, ${library.hashing} to hash.`);
    this.#say(`Downloads: ${downloads.active} active, ${downloads.queued} queued.`);
    this.#say(`Uploads: ${uploads.active} active, ${uploads.queued} queued.`);
    this.#say(
      `Messages: ${formatCount(messages.in)} in, ${formatCount(messages.out)} out, ${formatCount(messages.dropped)} dropped.`,
    );
    for (const note of notesOn(contextOf(this.#model).world)) this.#say(`Note: ${note.text}.`);
  }

  #readRows(): void {
    const shown = viewRow(this.#model.view).lists.map(id => lists[id]);
    const ends: boolean[] = [];
    for (const list of shown) ends.push(this.#readList(list, shown.length > 1));
    this.#read += ROWS_AT_ONCE;
    if (ends.includes(false)) this.#say('There are more: "more" continues.');
  }

  /** Prints rows; returns true if none are left. */
  #readList(list: AnyList, titled: boolean): boolean {
    const rows = rowsShown(this.#model, list);
    if (titled && this.#read === 0) this.#say(`${list.title}.`);
    if (rows.length === 0 && this.#read === 0) this.#say(list.empty);
    for (const [i, row] of rows.slice(this.#read, this.#read + ROWS_AT_ONCE).entries()) {
      const cells = list.columns
        .map(column => [column.title.toLowerCase(), column.of(row, this.#model.now)] as const)
        .filter(([, text]) => text !== '' && text !== '-')
        .map(([title, text], cell) => (cell === 0 ? text : `${title} ${text}`));
      this.#say(`${this.#read + i + 1}. ${list.keyOf(row)}: ${cells.join(', ')}`);
    }
    return rows.length <= this.#read + ROWS_AT_ONCE;
  }

  #help(): void {
    this.#say(`It is ${formatClock(this.#now())}. An empty line prints the view again, "more" continues.`);
    this.#say(`Keys of the views: ${views.map(({ key, title }) => `${key} ${title}`).join(', ')}; q quits.`);
    for (const { word, takes, help } of commandRows) this.#say(`${word}${takes === '' ? '' : ` ${takes}`}: ${help}`);
  }

  #say(text: string): void {
    this.#write(`${printable(text)}\n`);
  }
}
