// Finds the push proxies of a servent in the DHT: those that it has published itself (PROX), and those that say so of themselves (NOPE).
import { ProtocolError } from '../errors.ts';
import { ReasonCounts } from '../reason-counts.ts';
import { type Endpoint, endpointKey } from '../wire/endpoint.ts';
import { guidKey } from '../wire/guid.ts';
import { type DhtValue, ValueType } from './dht-value.ts';
import { serventKey } from './kuid.ts';
import { parseNope } from './nope.ts';
import { PROXIES_MAX, type Prox, type ProxyLocation, parseProx } from './prox.ts';
import type { ValueSearches } from './value-searches.ts';

/** For so long an answer is given again without another lookup. */
const ANSWER_MS = 60_000;
const ANSWERS_MAX = 256;
/** Servents whose proxies are looked up at one time. */
const RUNNING_MAX = 64;

/** Why a proxy is not used. */
export const PROXY_DROPS = ['malformed', 'other_servent', 'unreachable', 'too_many', 'crowded'] as const;
export type ProxyDrop = (typeof PROXY_DROPS)[number];

/** `stream`: where the servent takes streams by UDP though it is firewalled; null: nowhere. */
export type OnProxies = (proxies: readonly ProxyLocation[], now: number, stream: Endpoint | null) => void;

export interface ProxySearchParts {
  readonly searches: Pick<ValueSearches, 'find'>;
  /** Whether an address may be asked because others name it: not our own, and of the network. */
  readonly mayReach: (endpoint: Endpoint) => boolean;
}

interface Answer {
  readonly proxies: readonly ProxyLocation[];
  readonly stream: Endpoint | null;
  readonly at: number;
}

export class ProxySearch {
  readonly drops = new ReasonCounts<ProxyDrop>(PROXY_DROPS);
  readonly #parts: ProxySearchParts;
  /** By GUID, those who wait for the same lookup. */
  readonly #running = new Map<string, OnProxies[]>();
  /** By GUID, oldest first. */
  readonly #answers = new Map<string, Answer>();
  /** Lookups so far, and those that found a proxy. */
  asked = 0;
  found = 0;

  constructor(parts: ProxySearchParts) {
    this.#parts = parts;
  }

  /**
   * `onEnd` is called once, with at most 8 proxies: at once when the answer is known, when the DHT is not ready or when too many lookups run;
   * else after the lookup.
   */
  find(guid: Buffer, now: number, onEnd: OnProxies): void {
    const key = guidKey(guid);
    const known = this.#answers.get(key);
    if (known !== undefined && now - known.at < ANSWER_MS) {
      onEnd(known.proxies, now, known.stream);
      return;
    }
    const waiting = this.#running.get(key);
    if (waiting !== undefined) {
      waiting.push(onEnd);
      return;
    }
    if (this.#running.size >= RUNNING_MAX) {
      this.drops.count('crowded');
      onEnd([], now, null);
      return;
    }
    this.#look(Buffer.from(guid), key, now, onEnd);
  }

  #look(guid: Buffer, key: string, now: number, onEnd: OnProxies): void {
    this.#running.set(key, [onEnd]);
    this.asked++;
    this.#parts.searches.find(serventKey(guid), ValueType.Any, now, (values, at) => {
      const proxies = this.#proxiesIn(values, guid);
      const stream = this.#streamIn(values, guid);
      if (proxies.length > 0) this.found++;
      this.#remember(key, { proxies, stream, at });
      const waiting = this.#running.get(key) ?? [];
      this.#running.delete(key);
      for (const each of waiting) each(proxies, at, stream);
    });
  }

  /** Without a proxy nothing is remembered: the DHT may not have been ready. */
  #remember(key: string, answer: Answer): void {
    this.#answers.delete(key);
    if (answer.proxies.length === 0) return;
    this.#answers.set(key, answer);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > ANSWERS_MAX && oldest !== undefined) this.#answers.delete(oldest);
  }

  /** Proxies that name themselves come first: the address of a value's creator is known to be its own, those in a PROX are hearsay. */
  #proxiesIn(values: readonly DhtValue[], guid: Buffer): ProxyLocation[] {
    const named = [
      ...values.flatMap(value => this.#inNope(value, guid)),
      ...values.flatMap(v => this.#inProx(v, guid)),
    ];
    const proxies = new Map<string, ProxyLocation>();
    for (const proxy of named) {
      const key = endpointKey(proxy.endpoint);
      if (proxies.has(key)) continue;
      if (!this.#parts.mayReach(proxy.endpoint)) this.drops.count('unreachable');
      else if (proxies.size >= PROXIES_MAX) this.drops.count('too_many');
      else proxies.set(key, proxy);
    }
    return [...proxies.values()];
  }

  /** The address is that of the value's creator, the port what it says. */
  #streamIn(values: readonly DhtValue[], guid: Buffer): Endpoint | null {
    for (const { type, data, creator } of values) {
      if (type !== ValueType.PushProxies) continue;
      const prox = proxOf(data, guid);
      if (prox === null || prox.firewallTransferVersion === 0) continue;
      const stream = { host: creator.endpoint.host, port: prox.port };
      if (this.#parts.mayReach(stream)) return stream;
    }
    return null;
  }

  #inNope({ type, data, creator }: DhtValue, guid: Buffer): ProxyLocation[] {
    if (type !== ValueType.PushProxy) return [];
    return this.#read(guid, () => {
      const { serventGuid, port, tls } = parseNope(data);
      return { serventGuid, proxies: [{ endpoint: { host: creator.endpoint.host, port }, tls }] };
    });
  }

  #inProx({ type, data }: DhtValue, guid: Buffer): ProxyLocation[] {
    return type === ValueType.PushProxies ? this.#read(guid, () => parseProx(data)) : [];
  }

  #read(guid: Buffer, parse: () => { serventGuid: Buffer; proxies: readonly ProxyLocation[] }): ProxyLocation[] {
    try {
      const { serventGuid, proxies } = parse();
      if (serventGuid.equals(guid)) return [...proxies];
      this.drops.count('other_servent');
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.drops.count('malformed');
    }
    return [];
  }
}

/** Null: malformed, or of another servent; both were counted when its proxies were read. */
function proxOf(data: Buffer, guid: Buffer): Prox | null {
  try {
    const prox = parseProx(data);
    return prox.serventGuid.equals(guid) ? prox : null;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return null;
  }
}
