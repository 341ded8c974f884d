// Log of the demo, newest line first.
import type { LogLineView } from '../../api/control.ts';

const LINES_KEPT = 200;

export class DemoLines {
  readonly newestFirst: LogLineView[] = [];
  readonly #now: () => number;
  #id = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  add(mod: string, message: string): void {
    this.newestFirst.unshift({
      id: String(++this.#id),
      at: new Date(this.#now()).toISOString(),
      level: 'info',
      mod,
      message,
      data: {},
    });
    this.newestFirst.length = Math.min(this.newestFirst.length, LINES_KEPT);
  }
}
