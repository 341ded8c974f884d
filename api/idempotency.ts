// Stores answers by Idempotency-Key, so that a repeated POST gets the first answer.
import { createHash } from 'node:crypto';
import { ApiError } from './errors.ts';

const KEYS_MAX = 1000;
const KEPT_BYTES_MAX = 4 * 1024 * 1024;
const KEPT_MS = 24 * 3_600_000;

/** Answer as sent. */
export interface Sent {
  readonly status: number;
  /** JSON; null: no body. */
  readonly text: string | null;
  readonly location: string | null;
}

interface Record {
  readonly fingerprint: string;
  readonly at: number;
  /** null: the call is still running. */
  sent: Sent | null;
}

export class IdempotencyTable {
  /** Oldest first; at most KEYS_MAX and KEPT_BYTES_MAX of answers. Not kept across restarts. */
  readonly #records = new Map<string, Record>();
  readonly #now: () => number;
  #bytes = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get size(): number {
    return this.#records.size;
  }

  /**
   * Runs `work`, or returns the stored answer of the same call. Keys are separate for each `owner`. A call that
   * throws frees its key. Throws KEY_REUSED for another call with the same key, CONFLICT while the first one runs.
   */
  async once(
    owner: string,
    key: string,
    call: string,
    work: () => Promise<Sent>,
  ): Promise<Sent & { replayed: boolean }> {
    const id = `${owner} ${checked(key)}`;
    const fingerprint = createHash('sha256').update(call).digest('base64');
    this.#forgetOld();
    const known = this.#records.get(id);
    if (known !== undefined) return { ...replay(known, fingerprint), replayed: true };
    const record: Record = { fingerprint, at: this.#now(), sent: null };
    this.#records.set(id, record);
    try {
      const sent = await work();
      record.sent = sent;
      this.#bytes += bytesOf(record);
      return { ...sent, replayed: false };
    } catch (error) {
      if (this.#records.get(id) === record) this.#records.delete(id);
      throw error;
    }
  }

  #forgetOld(): void {
    const forgottenAt = this.#now() - KEPT_MS;
    for (const [id, record] of this.#records) {
      const full = this.#records.size >= KEYS_MAX || this.#bytes > KEPT_BYTES_MAX;
      if (record.at > forgottenAt && !full) return;
      if (record.sent === null) continue; // still running
      this.#records.delete(id);
      this.#bytes -= bytesOf(record);
    }
    if (this.#records.size >= KEYS_MAX)
      throw new ApiError('TOO_MANY', 'too many calls with an Idempotency-Key are running');
  }
}

const bytesOf = ({ sent }: Record): number => sent?.text?.length ?? 0;

function checked(key: string): string {
  if (/^[\x20-\x7e]{1,255}$/.test(key)) return key;
  const detail = 'expected 1 to 255 printable ASCII characters';
  throw new ApiError('INVALID', `Idempotency-Key: ${detail}`, {
    faults: [{ in: 'header', field: 'Idempotency-Key', detail }],
  });
}

function replay(known: Record, fingerprint: string): Sent {
  if (known.fingerprint !== fingerprint)
    throw new ApiError('KEY_REUSED', 'this Idempotency-Key was used for another call: use a new key for each call');
  if (known.sent === null) throw new ApiError('CONFLICT', 'the first call with this Idempotency-Key is still running');
  return known.sent;
}
