// Runs the dashboard: passes messages to the model, effects to the daemon and frames to the screen, at most ten per second.
import type { Client } from '../api/client.ts';
import type { Follow } from '../api/live/follow.ts';
import { isMagnet, linkIn } from '../protocol/wire/pasted-link.ts';
import type { Canvas } from './canvas.ts';
import { Feed } from './feed.ts';
import { askFleet } from './fleet.ts';
import { createMemory, draw } from './frame.ts';
import { createModel, type Effect, type Message, type Model } from './model.ts';
import { perform } from './perform.ts';
import { rememberedOf } from './remember.ts';
import type { Remembered } from './remembered.ts';
import type { ScreenEvents } from './screen.ts';
import type { Zone } from './stage.ts';
import type { Theme } from './theme.ts';
import { titleOf, update } from './update.ts';
import { wantedBy } from './wants.ts';

export interface Source {
  readonly name: string;
  readonly url: string;
  readonly client: Client;
  /** Stream of events; without it the daemon is polled. */
  readonly follow?: Follow;
}

/** The screen as the application uses it; tests replace it. */
export interface Display {
  readonly columns: number;
  readonly rows: number;
  readonly ready: boolean;
  show(canvas: Canvas): void;
  forget(): void;
  setMouse(on: boolean): void;
  setTitle(title: string): void;
  copy(text: string): void;
}

export interface AppOptions {
  readonly sources: readonly Source[];
  readonly theme: Theme;
  readonly mouse: boolean;
  readonly now: () => number;
  readonly onQuit: () => void;
  /** Receives the data to remember whenever it may have changed. */
  readonly onRemember?: (remembered: Remembered) => void;
  /** Called for an error of the program; restores the terminal before the error is printed. */
  readonly onInternalError: (error: unknown) => void;
}

/** Least time between two frames. */
const FRAME_MS = 100;
const POLL_MS = 250;
const WHEEL_ROWS = 3;

export class App {
  readonly #options: AppOptions;
  readonly #feeds: readonly Feed[];
  readonly #memory = createMemory();
  #display: Display | null = null;
  #model: Model;
  #zones: readonly Zone[] = [];
  #drawnAt = 0;
  #title = '';
  #frame: NodeJS.Timeout | null = null;
  #poll: NodeJS.Timeout | null = null;

  constructor(options: AppOptions) {
    const { sources, mouse, now, onInternalError } = options;
    this.#options = options;
    this.#model = createModel({ contexts: sources, now: now(), columns: 80, rows: 24, mouse });
    this.#feeds = sources.map(
      ({ client, follow }, context) =>
        new Feed({ client, follow, context, now, onInternalError, send: message => this.dispatch(message) }),
    );
  }

  get model(): Model {
    return this.#model;
  }

  /** Callbacks of the screen. */
  readonly events: ScreenEvents = {
    key: (key, text) => {
      this.dispatch({ type: 'key', key, ...(text === undefined ? {} : { text }) });
      this.draw();
    },
    paste: text => this.#pasted(text),
    click: (x, y) => {
      const hit = this.#zoneAt(x, y, zone => zone.message !== null)?.message;
      if (hit !== null && hit !== undefined) this.dispatch(hit);
      this.draw();
    },
    wheel: (x, y, by) => {
      const list = this.#zoneAt(x, y, zone => zone.list !== null)?.list;
      if (list !== null && list !== undefined) this.dispatch({ type: 'wheel', list, by: by * WHEEL_ROWS });
    },
    resize: () => this.#resized(),
  };

  start(display: Display): void {
    this.#display = display;
    this.#resized();
    this.#poll = setInterval(() => {
      this.dispatch({ type: 'tick', now: this.#options.now() });
      this.poll();
    }, POLL_MS);
    this.poll();
  }

  stop(): void {
    if (this.#poll !== null) clearInterval(this.#poll);
    if (this.#frame !== null) clearTimeout(this.#frame);
    this.#poll = null;
    this.#frame = null;
    this.#display = null;
    for (const feed of this.#feeds) feed.stop();
  }

  /** Shows a message about the dashboard itself. */
  notice(text: string): void {
    this.dispatch({ type: 'notice', text });
  }

  dispatch(message: Message): void {
    const before = this.#model;
    const { model, effects } = update(before, message);
    this.#model = model;
    for (const effect of effects) this.#perform(effect);
    // another view, daemon or search: poll at once
    const moved = model.view === 'searches' && model.lists.searches !== before.lists.searches;
    if (model.context !== before.context) this.#feeds[before.context]?.leave();
    if (moved || model.view !== before.view || model.context !== before.context || model.range !== before.range)
      this.poll();
    if (model.lists !== before.lists || model.range !== before.range || model.details !== before.details)
      this.#options.onRemember?.(rememberedOf(model));
    if (shows(before, model)) this.#drawSoon();
  }

  poll(): void {
    const feed = this.#feeds[this.#model.context];
    feed?.poll(wantedBy(this.#model, feed.live)).catch(this.#options.onInternalError);
  }

  draw(): void {
    const display = this.#display;
    if (display === null) return;
    if (this.#frame !== null) clearTimeout(this.#frame);
    this.#frame = null;
    if (!display.ready) {
      this.#drawSoon();
      return;
    }
    const { canvas, zones } = draw(this.#model, this.#options.theme, this.#memory);
    this.#zones = zones;
    this.#drawnAt = this.#options.now();
    display.show(canvas);
    const title = titleOf(this.#model);
    if (title === this.#title) return;
    this.#title = title;
    display.setTitle(title);
  }

  #drawSoon(): void {
    if (this.#frame !== null || this.#display === null) return;
    const wait = Math.max(0, Math.min(FRAME_MS, this.#drawnAt + FRAME_MS - this.#options.now()));
    this.#frame = setTimeout(() => {
      this.#frame = null;
      this.draw();
    }, wait);
  }

  #resized(): void {
    const { columns, rows } = this.#display ?? this.#model;
    this.dispatch({ type: 'resize', columns, rows });
    this.draw();
  }

  #zoneAt(x: number, y: number, wanted: (zone: Zone) => boolean): Zone | undefined {
    // the zone drawn last is on top
    return this.#zones.findLast(
      zone =>
        wanted(zone) &&
        x >= zone.rect.x &&
        x < zone.rect.x + zone.rect.width &&
        y >= zone.rect.y &&
        y < zone.rect.y + zone.rect.height,
    );
  }

  /** Inserts pasted text without running keys in it; a magnet link starts a download. */
  #pasted(text: string): void {
    const line = text.replace(/\s+/g, ' ').trim();
    if (this.#model.prompt === null && isMagnet(text)) {
      this.dispatch({ type: 'key', key: ':' });
      this.dispatch({ type: 'key', key: 'paste', text: `download ${linkIn(text)}` });
    } else if (this.#model.prompt !== null) this.dispatch({ type: 'key', key: 'paste', text: line });
    this.draw();
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case 'quit':
        this.#options.onQuit();
        break;
      case 'fleet':
        askFleet(this.#options.sources)
          .then(rows => this.dispatch({ type: 'fleet', rows }))
          .catch(this.#options.onInternalError);
        break;
      case 'copy':
        this.#display?.copy(effect.text);
        break;
      case 'mouse':
        this.#display?.setMouse(effect.on);
        break;
      case 'redraw':
        this.#display?.forget();
        this.#drawSoon();
        break;
      case 'call':
      case 'bulk':
        this.#call(effect).catch(this.#options.onInternalError);
    }
  }

  async #call(effect: Extract<Effect, { type: 'call' | 'bulk' }>): Promise<void> {
    const { context } = this.#model;
    const answer = await perform(this.#options.sources[context]?.client, effect);
    this.dispatch({ type: 'answered', ...answer });
    this.#feeds[context]?.hurry();
    this.poll();
  }
}

/** False for a tick within the same second, which changes nothing on the screen. */
function shows(before: Model, after: Model): boolean {
  if (Math.floor(before.now / 1000) !== Math.floor(after.now / 1000)) return true;
  return (Object.keys(after) as (keyof Model)[]).some(key => key !== 'now' && before[key] !== after[key]);
}
