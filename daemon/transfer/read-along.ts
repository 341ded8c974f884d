// Who reads the bytes of a download while it runs, and in which order they are fetched for them.
import type { Swarm } from '../../protocol/transfer/downloads/swarm.ts';

export class ReadAlong {
  readonly #swarm: Pick<Swarm, 'planner'>;
  /** Where each reader is; the last one that moved is the last. */
  readonly #readers = new Map<object, number>();
  #sequential = false;

  constructor(swarm: Pick<Swarm, 'planner'>) {
    this.#swarm = swarm;
  }

  /** From the start to the end, for any reader. */
  get sequential(): boolean {
    return this.#sequential;
  }

  set sequential(sequential: boolean) {
    this.#sequential = sequential;
    this.#steer();
  }

  /** The reader wants the bytes from `offset` on next. */
  seek(reader: object, offset: number): void {
    if (this.#readers.get(reader) === offset) return;
    this.#readers.delete(reader);
    this.#readers.set(reader, offset);
    this.#steer();
  }

  leave(reader: object): void {
    if (this.#readers.delete(reader)) this.#steer();
  }

  /** The planner follows the reader that moved last. */
  #steer(): void {
    const { planner } = this.#swarm;
    const position = [...this.#readers.values()].at(-1);
    if (position !== undefined) planner.priorityRange(position);
    else if (this.#sequential) planner.priorityRange(0);
    else planner.inOrder = false;
  }
}
