// The values that we keep for others: bounded for each key, in all, and for each address; each expires, sooner the further its key lies
// from us. A value is its creator's: nobody else changes it. As anybody may say to have a KUID, the creator is KUID and address together.
import { TimedKeys } from '../timed-keys.ts';
import { isIpv6, type Reach, reachOf } from '../wire/endpoint.ts';
import { CONTACT_VERSION, type DhtContact } from './dht-contact.ts';
import { creatorKey, type DhtValue, VALUE_DATA_BYTES_MAX, ValueType } from './dht-value.ts';
import { keptBytes } from './kept-bytes.ts';
import { commonBits, kuidKey } from './kuid.ts';
import { networkOf } from './network-limits.ts';
import { RequestLoad } from './request-load.ts';
import { StoreCode } from './store-status.ts';
import { ValueQuotas } from './value-quotas.ts';

const OF_KEY_MAX = 16;
/** Of all keys. */
export const VALUES_MAX = 32_768;
const LIFE_MS = 60 * 60_000;
/** Of types that do not name servents. */
const OTHER_LIFE_MS = 4 * LIFE_MS;
const SERVENT_TYPES: readonly string[] = [ValueType.AltLocation, ValueType.PushProxies, ValueType.PushProxy];
/**
 * When its creator brings a value again, its life grows with the chance that it stays until the next time, above one half and by so much: as in
 * gtk-gnutella, where we are one of the nodes that should keep it.
 */
const STABLE_GAIN = 3;
const REPUBLISH_MS = 55 * 60_000;
/** Life of a key that lies d bits outside of our k-ball is divided by this to the power of d. */
const DECAY = 1.2;
export const EXPIRE_MS = 30_000;
const EXPIRED_KEYS = 16_384;

/** The node that brought a value. */
export interface Sender {
  readonly contact: DhtContact;
  /** The source of its datagram. */
  readonly host: string;
}

export interface StoredValue extends DhtValue {
  readonly expiresAt: number;
  /** Whose quotas it counts against: addresses of the creator and of the node that brought it. */
  readonly charged: readonly string[];
  /** Its creator itself brought it. */
  readonly original: boolean;
  /** When its creator brought it for the first time, as far as we kept it since; when it came, of a copy. */
  readonly since: number;
}

interface Key {
  readonly key: Buffer;
  readonly values: StoredValue[];
  readonly load: RequestLoad;
}

export interface ValueStoreOptions {
  readonly own: Buffer;
  readonly reaches: readonly Reach[];
  readonly ofAddress: number;
  readonly ofNetwork: number;
  /** Values of one key that creators of one network bring themselves. */
  readonly ofKeyAndNetwork: number;
}

export class ValueStore {
  readonly #options: ValueStoreOptions;
  /** Of values that their creators have brought, and of copies: who brings copies in the name of another address leaves it its own quota. */
  readonly #quotas: ValueQuotas;
  readonly #copyQuotas: ValueQuotas;
  readonly #keys = new Map<string, Key>();
  /** Keys and creators of values that have expired here: their replicas must not come back. */
  readonly #expired: TimedKeys;
  #values = 0;
  #bytes = 0;
  #sweptAt: number;

  constructor(options: ValueStoreOptions, now: number) {
    this.#options = options;
    this.#quotas = new ValueQuotas(options.ofAddress, options.ofNetwork);
    this.#copyQuotas = new ValueQuotas(options.ofAddress, options.ofNetwork);
    this.#expired = new TimedKeys(OTHER_LIFE_MS * (1 + STABLE_GAIN / 2), EXPIRED_KEYS, now);
    this.#sweptAt = now;
  }

  get keys(): number {
    return this.#keys.size;
  }

  get size(): number {
    return this.#values;
  }

  /** Of the data of all values. */
  get bytes(): number {
    return this.#bytes;
  }

  keysHeld(): Buffer[] {
    return [...this.#keys.values()].map(({ key }) => key);
  }

  has(key: Buffer): boolean {
    return this.#keys.has(kuidKey(key));
  }

  /** `ballBits`: of RoutingTable. */
  put(value: DhtValue, sender: Sender, ballBits: number, now: number): StoreCode {
    const { creator, data } = value;
    if (value.type === ValueType.Any) return StoreCode.BadType;
    if (data.length > VALUE_DATA_BYTES_MAX) return StoreCode.TooLarge;
    const original = creator.kuid.equals(sender.contact.kuid);
    if (original ? !isOwnValue(creator, sender) : !this.#isReplica(creator)) return StoreCode.BadCreator;
    const held = this.#keys.get(kuidKey(value.key));
    const before = held?.values.find(other => isSame(other, value));
    held?.load.countStore(networkOf(sender.host), now);
    if (before !== undefined) return this.#replace(held as Key, before, value, { sender, original, ballBits, now });
    if (data.length === 0) return StoreCode.Ok; // removed before it came
    if (!original && this.#expired.has(this.#nameOf(value), now)) return StoreCode.Expired;
    return this.#insert(held ?? this.#newKey(value.key, sender, now), value, { sender, original, ballBits, now });
  }

  /** Whether the creator of a value that another node brings is believable. */
  #isReplica({ endpoint, kuid, version }: DhtContact): boolean {
    const { own, reaches } = this.#options;
    return version === CONTACT_VERSION && !kuid.equals(own) && reaches.includes(reachOf(endpoint.host));
  }

  #newKey(key: Buffer, { host }: Sender, now: number): Key {
    const held = { key: keptBytes(key), values: [], load: new RequestLoad(now) };
    held.load.countStore(networkOf(host), now);
    return held;
  }

  #replace(held: Key, before: StoredValue, value: DhtValue, visit: Visit): StoreCode {
    if (!visit.original) {
      const same = before.data.equals(value.data);
      // a copy does not lengthen a life, or values would pass from node to node for ever
      return same ? StoreCode.Ok : StoreCode.DataMismatch;
    }
    this.#drop(held, before);
    // in the place of the old one, also when the key is full or loaded: otherwise a node that loads the key could have the value removed
    if (value.data.length > 0) this.#keepNew(held, value, visit, before.original ? before.since : visit.now);
    return StoreCode.Ok;
  }

  /** All values, to keep them over a restart or a change of the mode. */
  *held(): Generator<StoredValue> {
    for (const { values } of this.#keys.values()) yield* values;
  }

  /** Takes back what was kept, with the life that is left, as far as the bounds allow. Returns how many were taken. */
  restore(values: Iterable<StoredValue>, now: number): number {
    const before = this.#values;
    for (const value of values) {
      const { key, creator, type, charged, original, data, since } = value;
      const held = this.#keys.get(kuidKey(key)) ?? { key: keptBytes(key), values: [], load: new RequestLoad(now) };
      const isKnown = held.values.some(other => isSame(other, value));
      const fits = data.length > 0 && data.length <= VALUE_DATA_BYTES_MAX && held.values.length < OF_KEY_MAX;
      const expiresAt = Math.min(value.expiresAt, now + lifeMsOf(type, now - since));
      if (isKnown || !fits || expiresAt <= now || this.#values >= VALUES_MAX) continue;
      if (!this.#isReplica(creator) || !this.#quotasOf(original).hasRoom(charged)) continue;
      this.#keep(held, { ...copyOf(value, held.key), expiresAt, charged, original, since });
    }
    return this.#values - before;
  }

  #keep(held: Key, value: StoredValue): void {
    held.values.push(value);
    this.#quotasOf(value.original).add(value.charged);
    this.#values++;
    this.#bytes += value.data.length;
    this.#keys.set(kuidKey(held.key), held);
  }

  #insert(held: Key, value: DhtValue, visit: Visit): StoreCode {
    const { original, now } = visit;
    const isFull = held.values.length >= OF_KEY_MAX;
    // a copy may be invented: it makes room for what its creator brings
    const copy = isFull && original ? held.values.find(other => !other.original) : undefined;
    const isLoaded = held.load.isLoaded(now);
    if (isFull && copy === undefined) return isLoaded ? StoreCode.FullAndLoaded : StoreCode.Full;
    if (isLoaded) return StoreCode.Loaded;
    if (this.#values >= VALUES_MAX) return StoreCode.Exhausted;
    if (original && this.#isCrowded(held, value)) return StoreCode.Quota;
    if (!this.#quotasOf(original).hasRoom(chargedFor(value, visit))) return StoreCode.Quota;
    if (copy !== undefined) this.#drop(held, copy);
    this.#keepNew(held, value, visit);
    return StoreCode.Ok;
  }

  /** One network does not fill a key. */
  #isCrowded({ values }: Key, { creator }: DhtValue): boolean {
    const network = networkOf(creator.endpoint.host);
    const near = values.filter(other => other.original && networkOf(other.creator.endpoint.host) === network);
    return near.length >= this.#options.ofKeyAndNetwork;
  }

  #quotasOf(original: boolean): ValueQuotas {
    return original ? this.#quotas : this.#copyQuotas;
  }

  #keepNew(held: Key, value: DhtValue, visit: Visit, since = visit.now): void {
    const { original, ballBits, now } = visit;
    const expiresAt = now + this.#lifeMs(value, ballBits, now - since);
    this.#keep(held, { ...copyOf(value, held.key), expiresAt, charged: chargedFor(value, visit), original, since });
  }

  #lifeMs({ key, type }: DhtValue, ballBits: number, creatorAgeMs: number): number {
    const outside = ballBits - commonBits(this.#options.own, key);
    return outside > 0 ? lifeMsOf(type) / DECAY ** outside : lifeMsOf(type, creatorAgeMs);
  }

  #drop(held: Key, value: StoredValue): void {
    held.values.splice(held.values.indexOf(value), 1);
    if (held.values.length === 0) this.#keys.delete(kuidKey(held.key));
    this.#quotasOf(value.original).remove(value.charged);
    this.#values--;
    this.#bytes -= value.data.length;
  }

  /** The values of that type, smallest first; of the creators in `secondary` unless it is empty. Counted as a request of `host`; null: our own. */
  get(key: Buffer, type: string, secondary: readonly Buffer[], now: number, host: string | null = null): StoredValue[] {
    const held = this.#keys.get(kuidKey(key));
    if (held === undefined) return [];
    if (host !== null) held.load.countGet(networkOf(host), now);
    return held.values
      .filter(value => value.expiresAt > now && (type === ValueType.Any || value.type === type))
      .filter(({ creator }) => secondary.length === 0 || secondary.some(kuid => kuid.equals(creator.kuid)))
      .sort((a, b) => a.data.length - b.data.length);
  }

  /** Requests a minute for the key. */
  loadOf(key: Buffer, now: number): number {
    return this.#keys.get(kuidKey(key))?.load.gets(now) ?? 0;
  }

  isStormed(key: Buffer, now: number): boolean {
    return this.#keys.get(kuidKey(key))?.load.isStormed(now) ?? false;
  }

  /** All values of a key that are left, to copy them to another node. */
  replicasOf(key: Buffer, now: number): StoredValue[] {
    return this.#keys.get(kuidKey(key))?.values.filter(({ expiresAt }) => expiresAt > now) ?? [];
  }

  /** When tick() has something to do. */
  get nextAt(): number {
    return this.#values === 0 ? Number.POSITIVE_INFINITY : this.#sweptAt + EXPIRE_MS;
  }

  /** Drops what has expired. */
  tick(now: number): void {
    if (now < this.#sweptAt + EXPIRE_MS) return; // as nextAt says: a difference of fractions may be smaller
    this.#sweptAt = now;
    for (const held of this.#keys.values()) {
      held.load.pass(now);
      for (const value of held.values.filter(({ expiresAt }) => expiresAt <= now)) {
        this.#drop(held, value);
        this.#expired.add(this.#nameOf(value), now);
      }
    }
  }

  #nameOf(value: DhtValue): string {
    return kuidKey(value.key) + creatorKey(value);
  }
}

/** Of one key. */
function isSame(a: DhtValue, b: DhtValue): boolean {
  return creatorKey(a) === creatorKey(b);
}

function chargedFor({ creator }: DhtValue, { sender }: Visit): string[] {
  return [...new Set([creator.endpoint.host, sender.host])];
}

/** Of a value near us whose creator has renewed it for so long. */
function lifeMsOf(type: string, creatorAgeMs = 0): number {
  const stays = creatorAgeMs / (creatorAgeMs + REPUBLISH_MS); // see KnownNode.aliveChance()
  return (SERVENT_TYPES.includes(type) ? LIFE_MS : OTHER_LIFE_MS) * (1 + STABLE_GAIN * Math.max(0, stays - 0.5));
}

interface Visit {
  readonly sender: Sender;
  readonly original: boolean;
  readonly ballBits: number;
  readonly now: number;
}

/** gtk-gnutella's checks of a creator that stores its own value. */
function isOwnValue({ vendor, version, endpoint }: DhtContact, { contact, host }: Sender): boolean {
  return (
    vendor === contact.vendor &&
    version === CONTACT_VERSION &&
    !isIpv6(endpoint.host) &&
    endpoint.host === host &&
    contact.endpoint.host === host &&
    endpoint.port === contact.endpoint.port
  );
}

/** What is parsed is a view of the datagram. */
function copyOf({ creator, type, version, data }: DhtValue, key: Buffer): DhtValue {
  const { vendor, version: contactVersion, kuid, endpoint } = creator;
  const kept = { vendor, version: contactVersion, kuid: keptBytes(kuid), endpoint };
  return { creator: kept, key, type, version, data: keptBytes(data) };
}
