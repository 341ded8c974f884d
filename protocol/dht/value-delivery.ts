// Brings one value to one node: STORE, once more with a fresh token when the node refuses the one that we have or says nothing, and again
// later in the background.
import type { DhtMessage } from './dht-message.ts';
import type { DhtValue } from './dht-value.ts';
import type { Addressee, Requests } from './requests.ts';
import { StoreCode } from './store-status.ts';

const RETRIES = 3;
const RETRY_MS = 60_000;

export interface DeliveryTarget extends Addressee {
  readonly kuid: Buffer;
}

export class ValueDelivery {
  readonly target: DeliveryTarget;
  readonly value: DhtValue;
  readonly #requests: Requests;
  readonly #onEnd: (delivery: ValueDelivery, now: number) => void;
  token: Buffer | null;
  /** What the node said; null: nothing yet. */
  code: number | null = null;
  /** It has come to its first end, and may still be tried again. */
  settled = false;
  /** When the next try is due; Infinity: none. */
  dueAt = Number.POSITIVE_INFINITY;
  #retries = 0;
  #renewed = false;
  #stopped = false;

  constructor(
    target: DeliveryTarget,
    token: Buffer | null,
    value: DhtValue,
    requests: Requests,
    onEnd: (delivery: ValueDelivery, now: number) => void,
  ) {
    this.target = target;
    this.token = token;
    this.value = value;
    this.#requests = requests;
    this.#onEnd = onEnd;
  }

  get isStored(): boolean {
    return this.code === StoreCode.Ok;
  }

  start(now: number): void {
    this.dueAt = Number.POSITIVE_INFINITY;
    if (this.token === null) this.#renewToken(now);
    else this.#store(this.token, now);
  }

  /** Nothing more is sent; what is on its way cannot be taken back. */
  stop(): void {
    this.#stopped = true;
  }

  #store(token: Buffer, now: number): void {
    if (this.#stopped) {
      this.#end(now, false);
      return;
    }
    const sent = this.#requests.ask(this.target, { kind: 'store', token, values: [this.value], oversized: [] }, now, {
      onAnswer: (answer, same, at) => this.#onAck(answer, same, at),
      onSilence: at => this.#renewToken(at),
    });
    if (!sent) this.#end(now, true);
  }

  #onAck(answer: DhtMessage, same: boolean, now: number): void {
    const { key, creator } = this.value;
    const status =
      answer.kind === 'storeAck'
        ? answer.statuses.find(each => each.key.equals(key) && each.creator.equals(creator.kuid))
        : undefined;
    this.code = same ? (status?.code ?? StoreCode.Error) : StoreCode.Error;
    if (this.code === StoreCode.BadToken) this.#renewToken(now);
    else this.#end(now, false);
  }

  /** The node's answer to a question for itself has a token. */
  #renewToken(now: number): void {
    if (this.#renewed || this.#stopped) {
      this.#end(now, true);
      return;
    }
    this.#renewed = true;
    const sent = this.#requests.ask(this.target, { kind: 'findNode', target: this.target.kuid }, now, {
      onAnswer: (answer, same, at) => {
        if (!same || answer.kind !== 'foundNode' || answer.token.length === 0) return this.#end(at, false);
        this.token = Buffer.from(answer.token);
        this.#store(this.token, at);
      },
      onSilence: at => this.#end(at, true),
    });
    if (!sent) this.#end(now, true);
  }

  #end(now: number, again: boolean): void {
    this.settled = true;
    this.#renewed = false;
    if (again && !this.#stopped && this.#retries < RETRIES) this.dueAt = now + RETRY_MS * 2 ** this.#retries++;
    this.#onEnd(this, now);
  }
}
