// Gives each caller a turn of the event loop of its own, in the order in which they came, so that many of them do not hold up the rest.
export class Turns {
  /** Bounded by the callers: an upload connection waits at most once. */
  readonly #waiting: (() => void)[] = [];
  readonly #give = (): void => {
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) setImmediate(this.#give);
  };

  /** Resolves in a later turn of the event loop, in which no other caller's does. */
  next(): Promise<void> {
    return new Promise(resolve => {
      if (this.#waiting.push(resolve) === 1) setImmediate(this.#give);
    });
  }
}
