// Runs the dashboard on the demo network with a virtual clock and no terminal, for pictures and tests.
import type { Canvas } from '../canvas.ts';
import { Feed } from '../feed.ts';
import { createMemory, draw } from '../frame.ts';
import { createModel, type Effect, type Message, type Model } from '../model.ts';
import { perform } from '../perform.ts';
import { createTheme, type Theme } from '../theme.ts';
import { update } from '../update.ts';
import { wantedBy } from '../wants.ts';
import { type DemoOptions, DemoWorld } from './world.ts';

export interface RehearsalOptions extends Partial<DemoOptions> {
  readonly columns?: number;
  readonly rows?: number;
  readonly theme?: Theme;
}

export const REHEARSAL_AT = Date.UTC(2026, 10, 21, 14, 3, 0);
const STEP_MS = 500;

export class Rehearsal {
  readonly world: DemoWorld;
  readonly #feed: Feed;
  readonly #theme: Theme;
  readonly #memory = createMemory();
  readonly copied: string[] = [];
  model: Model;
  over = false;
  #now = REHEARSAL_AT;

  constructor({ columns = 80, rows = 24, theme = createTheme(256, 'unicode'), ...demo }: RehearsalOptions = {}) {
    const now = (): number => this.#now;
    this.world = new DemoWorld({ ...demo, now });
    this.#theme = theme;
    this.model = createModel({ contexts: [{ name: 'demo', url: 'a made-up network' }], now: this.#now, columns, rows });
    this.#feed = new Feed({ client: this.world.client, context: 0, now, send: message => this.send(message) });
  }

  /** Advances the clock, polling as the dashboard does. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      this.#now += Math.min(STEP_MS, ms - passed);
      this.send({ type: 'tick', now: this.#now });
      await this.#feed.poll(wantedBy(this.model, false));
    }
  }

  /** Presses keys by name. */
  async press(...keys: string[]): Promise<void> {
    for (const key of keys) await this.#act({ type: 'key', key, ...([...key].length === 1 ? { text: key } : {}) });
  }

  async type(text: string): Promise<void> {
    for (const char of text) await this.#act({ type: 'key', key: char === ' ' ? 'space' : char, text: char });
  }

  send(message: Message): readonly Effect[] {
    const { model, effects } = update(this.model, message);
    this.model = model;
    return effects;
  }

  draw(): Canvas {
    return draw(this.model, this.#theme, this.#memory).canvas;
  }

  text(): string {
    return this.draw().toText();
  }

  async #act(message: Message): Promise<void> {
    for (const effect of this.send(message)) await this.#perform(effect);
    await this.#feed.poll(wantedBy(this.model, false));
  }

  async #perform(effect: Effect): Promise<void> {
    if (effect.type === 'quit') this.over = true;
    else if (effect.type === 'copy') this.copied.push(effect.text);
    else if (effect.type === 'call' || effect.type === 'bulk') {
      this.send({ type: 'answered', ...(await perform(this.world.client, effect)) });
      this.#feed.hurry();
      await this.#feed.poll(wantedBy(this.model, false));
    }
  }
}
