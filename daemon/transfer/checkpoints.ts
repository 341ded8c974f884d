// Says when the progress of a running download is saved: one save at a time, after so many bytes or so much time.
import type { Clock } from '../clock.ts';

/** How much a crash may cost without a hash tree: what came in since. */
export interface CheckpointLimits {
  bytes: number;
  ms: number;
}

export const CHECKPOINT_LIMITS: CheckpointLimits = { bytes: 16 << 20, ms: 1000 };

export class Checkpoints {
  readonly #limits: CheckpointLimits;
  readonly #clock: Clock;
  readonly #save: () => Promise<void>;
  readonly #onTrouble: (error: unknown) => void;
  #unsafeBytes = 0;
  #at = 0;
  #running: Promise<void> | null = null;

  /** `onTrouble`: a save failed, and the next is made in its time. A failure of the disk shows at the next write too. */
  constructor(
    { checkpoint, clock }: { readonly checkpoint: CheckpointLimits; readonly clock: Clock },
    save: () => Promise<void>,
    onTrouble: (error: unknown) => void,
  ) {
    this.#limits = checkpoint;
    this.#clock = clock;
    this.#save = save;
    this.#onTrouble = onTrouble;
  }

  /** The save that is under way. */
  get running(): Promise<void> | null {
    return this.#running;
  }

  /** Bytes are on their way to the disk. `isUrgent`: what is to be saved is worth more than they are. */
  onBytes(bytes: number, isUrgent: boolean): void {
    this.#unsafeBytes += bytes;
    if (this.#running !== null) return;
    const isDue = this.#unsafeBytes >= this.#limits.bytes || this.#clock.now() - this.#at >= this.#limits.ms;
    if (!isDue && !isUrgent) return;
    this.#unsafeBytes = 0;
    this.#at = this.#clock.now();
    this.#running = this.#save()
      .catch(this.#onTrouble)
      .finally(() => {
        this.#running = null;
      });
  }
}
