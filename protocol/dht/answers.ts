// What we answer to requests: always to the source of the datagram, seldom to the same address, and little to an address that may be forged.
import type { Random } from '../ports.ts';
import { KeyedRateLimit, RateLimit } from '../rate-limit.ts';
import type { Endpoint } from '../wire/endpoint.ts';
import { K } from './bucket.ts';
import { CONTACT_BYTES, type DhtContact } from './dht-contact.ts';
import { type DhtCounters, storeEnd } from './dht-counters.ts';
import { DHT_HEADER_BYTES } from './dht-header.ts';
import type { DhtMessage } from './dht-message.ts';
import type { DhtRules } from './dht-rules.ts';
import { type DhtValue, valueBytes } from './dht-value.ts';
import { commonBits, KUID_BYTES } from './kuid.ts';
import type { DhtBody } from './requests.ts';
import type { RoutingTable } from './routing-table.ts';
import { StoreCode, type StoreStatus } from './store-status.ts';
import { TOKEN_BYTES, type Tokens } from './tokens.ts';
import type { ValueStore } from './value-store.ts';

/** Bytes out for each byte in, to an address that has proven nothing. */
export const UNPROVEN_FACTOR = 4;
/** Longest VALUE and STORE_ACK (gtk-gnutella). */
const ANSWER_BYTES_MAX = 1_024;
const ADDRESSES_MAX = 8_192;
/** Requests for keys around us, which everybody needs from us: so many at once, then one each interval. */
const NEAR_BURST = 10;
const NEAR_MS = 1_000;
/** While fewer than k nodes are known every key is near us: gtk-gnutella asks some dozens of times a second then, and drops who is silent. */
const SMALL_BURST = 200;
const SMALL_MS = 10;
/** Nearest contacts that a list always has; the others of a short list are chosen by chance. */
const SURE = 2;
const STORE_BURST = 20;
const STORE_MS = 1_000;

export interface AnswerParts {
  readonly table: RoutingTable;
  readonly values: ValueStore;
  readonly tokens: Tokens;
  readonly rules: DhtRules;
  /** Bits of our KUID that all nodes around us share with it. */
  readonly ballBits: (now: number) => number;
  readonly networkSize: () => number;
  readonly random: Random;
  readonly counters: DhtCounters;
  /** An address has shown that it receives. */
  readonly prove: (endpoint: Endpoint, now: number) => void;
}

export type Refusal = 'too_often' | 'too_long' | 'token' | 'stormed';

/** A request, and what is known of where it came from. */
export interface Question {
  readonly message: DhtMessage;
  readonly from: Endpoint;
  /** Longest answer; Infinity for a proven address. */
  readonly bytesMax: number;
}

export class Answers {
  readonly #parts: AnswerParts;
  readonly #pings: KeyedRateLimit;
  readonly #finds: KeyedRateLimit;
  readonly #nearFinds: KeyedRateLimit;
  readonly #smallFinds: KeyedRateLimit;
  readonly #stores: KeyedRateLimit;

  constructor(parts: AnswerParts) {
    this.#parts = parts;
    const { pingMs, findMs } = parts.rules;
    const limited = findMs > 0;
    this.#pings = new KeyedRateLimit(new RateLimit(pingMs, 1), ADDRESSES_MAX);
    this.#finds = new KeyedRateLimit(new RateLimit(findMs, 1), ADDRESSES_MAX);
    this.#nearFinds = new KeyedRateLimit(new RateLimit(limited ? NEAR_MS : 0, NEAR_BURST), ADDRESSES_MAX);
    this.#smallFinds = new KeyedRateLimit(new RateLimit(limited ? SMALL_MS : 0, SMALL_BURST), ADDRESSES_MAX);
    this.#stores = new KeyedRateLimit(new RateLimit(limited ? STORE_MS : 0, STORE_BURST), ADDRESSES_MAX);
  }

  /** The body of the answer, or why there is none. */
  to(question: Question, now: number): DhtBody | Refusal {
    const { message, from, bytesMax } = question;
    switch (message.kind) {
      case 'ping':
        if (!this.#pings.admit(from.host, now)) return 'too_often';
        return { kind: 'pong', requester: from, networkSize: BigInt(this.#parts.networkSize()) };
      case 'findNode':
        if (!this.#admitsFind(message.target, from, now)) return 'too_often';
        return this.#foundNode(message.target, question, now);
      case 'findValue':
        if (!this.#admitsFind(message.key, from, now)) return 'too_often';
        return this.#foundValue(message, question, now);
      case 'store':
        if (!this.#stores.admit(from.host, now)) return 'too_often';
        return this.#stored(message, from, bytesMax, now);
      default:
        return 'too_long';
    }
  }

  #admitsFind(key: Buffer, { host }: Endpoint, now: number): boolean {
    const { table, values, ballBits } = this.#parts;
    if (ballBits(now) === 0) return this.#smallFinds.admit(host, now);
    const isNear = commonBits(table.own, key) >= ballBits(now) || values.has(key);
    return (isNear ? this.#nearFinds : this.#finds).admit(host, now);
  }

  #foundNode(target: Buffer, { message, from, bytesMax }: Question, now: number): DhtBody | Refusal {
    const { table, values, tokens } = this.#parts;
    if (values.isStormed(target, now)) return 'stormed';
    const room = Math.floor((bytesMax - DHT_HEADER_BYTES - 2 - TOKEN_BYTES) / CONTACT_BYTES);
    if (room < 1) return 'too_long';
    const { contact, firewalled } = message.header;
    const closest = table.closest(target, K, { except: contact.kuid });
    const contacts = closest.length <= room ? closest : this.#some(closest, room);
    const token = tokens.tokenOf({ host: from.host, port: contact.endpoint.port }, firewalled, now);
    return { kind: 'foundNode', token, contacts };
  }

  /** Who asks several nodes near a key learns of all: with the nearest ones alone each would name the same few. */
  #some(closest: readonly DhtContact[], room: number): readonly DhtContact[] {
    const some = [...closest];
    const sure = Math.min(SURE, room);
    while (some.length > room) some.splice(sure + this.#parts.random.below(some.length - sure), 1);
    return some;
  }

  #foundValue(message: DhtMessage & { kind: 'findValue' }, question: Question, now: number): DhtBody | Refusal {
    const { key, type, secondaryKeys } = message;
    const { values } = this.#parts;
    const found = values.get(key, type, secondaryKeys, now, question.from.host);
    if (found.length === 0 && (secondaryKeys.length === 0 || !values.has(key)))
      return this.#foundNode(key, question, now);
    // load, and two counts
    let room = Math.min(ANSWER_BYTES_MAX, question.bytesMax) - DHT_HEADER_BYTES - 6;
    const whole: DhtValue[] = [];
    const named: Buffer[] = [];
    for (const [index, value] of found.entries()) {
      const rest = (found.length - index - 1) * KUID_BYTES;
      if (valueBytes(value) + rest <= room) {
        whole.push(value);
        room -= valueBytes(value);
      } else if (KUID_BYTES <= room) {
        named.push(value.creator.kuid);
        room -= KUID_BYTES;
      }
    }
    return { kind: 'value', load: values.loadOf(key, now), values: whole, secondaryKeys: named };
  }

  #stored(message: DhtMessage & { kind: 'store' }, from: Endpoint, bytesMax: number, now: number): DhtBody | Refusal {
    const { tokens, values, counters } = this.#parts;
    const { contact, firewalled } = message.header;
    const proven = tokens.holds({ host: from.host, port: contact.endpoint.port }, firewalled, message.token, now);
    if (proven) this.#parts.prove(from, now);
    const ballBits = this.#parts.ballBits(now);
    const statuses: StoreStatus[] = [];
    // who has the token receives at its address
    let room = (proven ? ANSWER_BYTES_MAX : Math.min(ANSWER_BYTES_MAX, bytesMax)) - DHT_HEADER_BYTES - 1;
    const add = (key: Buffer, creator: Buffer, code: StoreCode): void => {
      counters.storesIn.count(storeEnd(code));
      room -= 2 * KUID_BYTES + 4;
      if (room >= 0) statuses.push({ key, creator, code, text: '' });
    };
    if (!proven) {
      const [first] = message.values;
      // silence, but to nodes around us, whom we may have forgotten
      if (first === undefined || commonBits(this.#parts.table.own, contact.kuid) < ballBits) return 'token';
      add(first.key, first.creator.kuid, StoreCode.BadToken);
      return { kind: 'storeAck', statuses };
    }
    for (const value of message.values)
      add(value.key, value.creator.kuid, values.put(value, { contact, host: from.host }, ballBits, now));
    for (const { key, creator } of message.oversized) add(key, creator, StoreCode.TooLarge);
    return { kind: 'storeAck', statuses };
  }
}
