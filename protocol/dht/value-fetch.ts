// Takes the values of one node's answer, and asks the node for those whose secondary keys it has only named.
import { isIpv6, type Reach, reachOf } from '../wire/endpoint.ts';
import type { DhtMessage } from './dht-message.ts';
import { creatorKey, type DhtValue, ValueType } from './dht-value.ts';
import { kuidKey } from './kuid.ts';
import type { Candidate } from './lookup.ts';
import type { Requests } from './requests.ts';

const FETCH_MS = 45_000;
const TRIES = 3;
/** Secondary keys in a request: as many values as are likely to fit into the answer. */
const KEYS_OF_REQUEST = 6;
/** Of one lookup; a node keeps 16 for a key. */
const VALUES_MAX = 64;

export interface ValueFetchOptions {
  readonly key: Buffer;
  readonly type: string;
  readonly from: Candidate;
  /** Scopes of creators' addresses. */
  readonly reaches: readonly Reach[];
}

export class ValueFetch {
  readonly from: Candidate;
  readonly #options: ValueFetchOptions;
  readonly #requests: Requests;
  readonly #onChange: (now: number) => void;
  readonly #deadline: number;
  readonly #values = new Map<string, DhtValue>();
  /** Secondary keys whose values are missing. */
  readonly #missing = new Map<string, Buffer>();
  #tries = 0;
  #waits = false;

  constructor(options: ValueFetchOptions, requests: Requests, onChange: (now: number) => void, now: number) {
    this.#options = options;
    this.from = options.from;
    this.#requests = requests;
    this.#onChange = onChange;
    this.#deadline = now + FETCH_MS;
  }

  get values(): DhtValue[] {
    return [...this.#values.values()];
  }

  /** Nothing more will come. */
  get isOver(): boolean {
    return !this.#waits;
  }

  get nextAt(): number {
    return this.#waits ? this.#deadline : Number.POSITIVE_INFINITY;
  }

  /** The answer of the node, and then those to its questions for more. */
  take({ values, secondaryKeys }: DhtMessage & { kind: 'value' }, now: number): void {
    const before = this.#values.size;
    for (const value of values) this.#keep(value);
    for (const kuid of secondaryKeys) {
      // one of the same KUID that has come may be an impostor's
      if (this.#missing.size < VALUES_MAX) this.#missing.set(kuidKey(kuid), Buffer.from(kuid));
    }
    if (this.#values.size > before) this.#tries = 0;
    this.#askMore(now);
  }

  #keep(value: DhtValue): void {
    const { key, type, reaches } = this.#options;
    const { creator } = value;
    this.#missing.delete(kuidKey(creator.kuid));
    const fits = value.key.equals(key) && (type === ValueType.Any || value.type === type) && value.data.length > 0;
    const { host } = creator.endpoint;
    if (!fits || isIpv6(host) || !reaches.includes(reachOf(host)) || this.#values.size >= VALUES_MAX) return;
    this.#values.set(creatorKey(value), {
      ...value,
      creator: { ...creator, kuid: Buffer.from(creator.kuid) },
      key,
      data: Buffer.from(value.data),
    });
  }

  #askMore(now: number): void {
    this.#waits = false;
    if (this.#missing.size === 0 || this.#tries >= TRIES || now >= this.#deadline) return;
    this.#tries++;
    const { key, type, from } = this.#options;
    const secondaryKeys = [...this.#missing.values()].slice(0, KEYS_OF_REQUEST);
    this.#waits = this.#requests.ask(from.contact, { kind: 'findValue', key, secondaryKeys, type }, now, {
      onAnswer: (answer, same, at) => {
        if (!this.#waits) return;
        if (same && answer.kind === 'value') this.take(answer, at);
        else this.#waits = false;
        this.#onChange(at);
      },
      onSilence: at => {
        if (!this.#waits) return;
        this.#askMore(at);
        this.#onChange(at);
      },
    });
  }

  tick(now: number): void {
    if (now >= this.#deadline) this.#waits = false;
  }
}
