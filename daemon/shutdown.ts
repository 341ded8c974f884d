// Stops the started parts of the daemon in reverse order of their start.
import type { Log } from './log.ts';

export class Shutdown {
  readonly #log: Log;
  readonly #stops: { what: string; stop: () => Promise<void> | void }[] = [];
  #stopping: Promise<void> | null = null;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Registers a part that has started. A part registered after stop() (an aborted start) is stopped at once. */
  add(what: string, stop: () => Promise<void> | void): void {
    if (this.#stopping === null) this.#stops.push({ what, stop });
    else void this.#stop(what, stop);
  }

  /** Stops every part. A failure is logged and does not keep the other parts from saving their state. */
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
