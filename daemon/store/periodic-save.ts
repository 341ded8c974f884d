// Saves at an interval while it runs, one save at a time, and a last time at the stop.
export class PeriodicSave {
  readonly #intervalMs: number;
  readonly #write: (isLast: boolean) => Promise<void>;
  #timer: NodeJS.Timeout | null = null;
  #saving: Promise<void> = Promise.resolve();

  /** `write` never rejects: what fails is logged by the owner, and written at the next time. A kill loses the changes of `intervalMs`. */
  constructor(intervalMs: number, write: (isLast: boolean) => Promise<void>) {
    this.#intervalMs = intervalMs;
    this.#write = write;
  }

  start(): void {
    this.#timer = setInterval(() => void this.save(), this.#intervalMs).unref();
  }

  /** Resolves when the changes so far are written. */
  save(isLast = false): Promise<void> {
    this.#saving = this.#saving.then(() => this.#write(isLast));
    return this.#saving;
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.save(true);
  }
}
