// What has been started, to be stopped in reverse.
import type { Log } from './log.ts';

export class Running {
  readonly #log: Log;
  readonly #stops: { what: string; stop: () => Promise<void> | void }[] = [];
  #stopping: Promise<void> | null = null;

  constructor(log: Log) {
    this.#log = log;
  }

  /** What comes when the rest has been told to stop is stopped at once: the start was given up. */
  add(what: string, stop: () => Promise<void> | void): void {
    if (this.#stopping === null) this.#stops.push({ what, stop });
    else void this.#stop(what, stop);
  }

  /** One part that fails to stop must not keep the others from saving their state. */
  stop(): Promise<void> {
    this.#stopping ??= (async () => {
      for (const { what, stop } of this.#stops.reverse()) await this.#stop(what, stop);
    })();
    return this.#stopping;
  }

  async #stop(what: string, stop: () => Promise<void> | void): Promise<void> {
    try {
      await stop();
    } catch (err) {
      this.#log.error({ err }, `stopping ${what} failed`);
    }
  }
}
