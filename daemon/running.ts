// What has been started, to be stopped in reverse.
import type { Log } from './log.ts';

export class Running {
  readonly #log: Log;
  readonly #stops: { what: string; stop: () => Promise<void> | void }[] = [];
  #stopping: Promise<void> | null = null;

  constructor(log: Log) {
    this.#log = log;
  }

  add(what: string, stop: () => Promise<void> | void): void {
    this.#stops.push({ what, stop });
  }

  /** One part that fails to stop must not keep the others from saving their state. */
  stop(): Promise<void> {
    this.#stopping ??= (async () => {
      for (const { what, stop } of this.#stops.reverse()) {
        try {
          await stop();
        } catch (err) {
          this.#log.error({ err }, `stopping ${what} failed`);
        }
      }
    })();
    return this.#stopping;
  }
}
