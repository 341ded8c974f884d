// One direction of a connection between two virtual hosts: takes frames out of its owner's queue at the rate of the path and brings
// them to the other end after its latency.

import type { Link, Wire } from '../../protocol/overlay/links/link.ts';
import type { Host, Medium } from './medium.ts';

const WRITE_BYTES = 65_536;
/** Bytes across a partition are tried again so often. */
const STALLED_MS = 1_000;

/** What a faulty servent would write in place of these frames. */
export type Tamper = (wire: VirtualWire, frames: Buffer) => Buffer;

export class VirtualWire implements Wire {
  readonly owner: Host;
  readonly to: Host;
  /** The owner's end; null until both ends have one. */
  link: Link | null = null;
  /** The other direction. */
  back: VirtualWire | null = null;
  closed = false;
  readonly #internet: Medium;
  readonly #latencyMs: number;
  #scheduled = false;
  /** When the path has taken what was written. */
  #freeAt = 0;

  constructor(internet: Medium, owner: Host, to: Host) {
    this.#internet = internet;
    this.owner = owner;
    this.to = to;
    this.#latencyMs = internet.conditions.latencyMs(owner.number, to.number);
  }

  wake(urgent: boolean): void {
    if (urgent) this.#write();
    else this.#writeLater(0);
  }

  #writeLater(ms: number): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#internet.later(ms, () => {
      this.#scheduled = false;
      this.#write();
    });
  }

  #write(): void {
    const { link } = this;
    const { conditions, clock } = this.#internet;
    if (link === null || this.closed) return;
    if (!conditions.reaches(this.owner.number, this.to.number)) {
      this.#writeLater(STALLED_MS);
      return;
    }
    while (clock.ms >= this.#freeAt) {
      const taken = link.queue.take(WRITE_BYTES);
      if (taken === null) return;
      const { tamper } = this.owner;
      // no copy: nobody changes frames that were queued, or a chunk that came
      this.#bring(tamper === null ? taken : tamper(this, Buffer.from(taken)));
    }
    this.#writeLater(this.#freeAt - clock.ms);
  }

  #bring(frames: Buffer): void {
    const internet = this.#internet;
    const { clock, conditions } = internet;
    if (frames.length === 0) return;
    for (const observer of internet.observers) observer.onWritten?.(this, frames);
    const { bytesPerSecond } = conditions;
    if (bytesPerSecond !== Number.POSITIVE_INFINITY) this.#freeAt = clock.ms + (1000 * frames.length) / bytesPerSecond;
    internet.later(Math.max(0, this.#freeAt - clock.ms) + this.#latencyMs, () => {
      const there = this.back?.link ?? null;
      if (there === null || this.back?.closed === true || !this.to.up) return;
      internet.trace.add(this.to.number);
      internet.trace.add(frames.length);
      internet.trace.add(frames.readUInt32LE(0));
      internet.trace.add(frames.length >= 4 ? frames.readUInt32LE(frames.length - 4) : 0);
      for (const observer of internet.observers) observer.onArrived?.(this, frames);
      this.to.receive(there, frames);
    });
  }

  /** Both ends are gone once what was written has arrived. */
  close(): void {
    this.#freeAt = 0;
    this.#write();
    this.#internet.later(this.#latencyMs, () => this.cut());
  }

  /** The connection is gone at once. */
  cut(): void {
    const { link, back } = this;
    if (this.closed || link === null || back === null) return;
    this.closed = true;
    back.closed = true;
    const now = this.#internet.clock.ms;
    this.owner.unlinked(this, link, 'closed', now);
    if (back.link !== null) this.to.unlinked(back, back.link, 'closed by peer', now);
    for (const observer of this.#internet.observers) observer.onUnlinked?.(this);
  }
}
