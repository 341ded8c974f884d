// Our requests to other nodes: each at a pace that their limits allow, with what its answer or silence says about the node told to the
// routing table.

import type { Random } from '../ports.ts';
import { KeyedRateLimit, RateLimit } from '../rate-limit.ts';
import { TimedKeys } from '../timed-keys.ts';
import { type Endpoint, endpointKey } from '../wire/endpoint.ts';
import type { DhtContact } from './dht-contact.ts';
import { type DhtCounters, storeEnd } from './dht-counters.ts';
import type { DhtMessage } from './dht-message.ts';
import type { DhtRules } from './dht-rules.ts';
import { type KnownNode, timeoutMs } from './known-node.ts';
import type { RoutingTable, Sighting } from './routing-table.ts';
import { type AnswerEnd, Rpcs } from './rpcs.ts';
import type { StoreStatus } from './store-status.ts';

type Bare<Message> = Message extends unknown ? Omit<Message, 'header'> : never;
/** A message without its header. */
export type DhtBody = Bare<DhtMessage>;
export type RequestBody = Extract<DhtBody, { kind: 'ping' | 'store' | 'findNode' | 'findValue' }>;

const ANSWERS: Readonly<Record<RequestBody['kind'], readonly DhtMessage['kind'][]>> = {
  ping: ['pong'],
  store: ['storeAck'],
  findNode: ['foundNode'],
  findValue: ['foundNode', 'value'],
};

/** Whom to ask. Without a KUID any node at that address may answer. */
export interface Addressee {
  readonly kuid: Buffer | null;
  readonly endpoint: Endpoint;
}

export interface RequestEnds {
  /** `same`: the node that was asked has answered, not another one at its address. */
  readonly onAnswer?: (answer: DhtMessage, same: boolean, now: number) => void;
  /** No answer came. */
  readonly onSilence?: (now: number) => void;
}

export interface RequestPorts {
  readonly rules: DhtRules;
  readonly random: Random;
  readonly counters: DhtCounters;
  readonly send: (body: RequestBody, muid: Buffer, to: Endpoint) => void;
  /** A node has got a place among the good ones. */
  readonly onGoodNode: (node: KnownNode, now: number) => void;
}

/** Addresses that pace and proof are remembered of. */
const ADDRESSES_MAX = 8_192;
const PROOF_MS = 60 * 60_000;
/** Milliseconds for which an address that nobody has answered at twice is not asked again, whichever node names it. */
const SILENCE_MS = 5 * 60_000;

export class Requests {
  readonly #ports: RequestPorts;
  readonly #table: RoutingTable;
  readonly #rpcs: Rpcs<DhtMessage>;
  readonly #pingPace: KeyedRateLimit;
  readonly #findPace: KeyedRateLimit;
  readonly #proven: TimedKeys;
  /** Addresses at which one request was not answered, and two. */
  readonly #silent: TimedKeys;
  readonly #gone: TimedKeys;

  constructor(ports: RequestPorts, table: RoutingTable, now: number) {
    this.#ports = ports;
    this.#table = table;
    this.#rpcs = new Rpcs(ports.random);
    this.#pingPace = new KeyedRateLimit(new RateLimit(ports.rules.pingMs, 1), ADDRESSES_MAX);
    this.#findPace = new KeyedRateLimit(new RateLimit(ports.rules.findMs, 1), ADDRESSES_MAX);
    this.#proven = new TimedKeys(PROOF_MS, ADDRESSES_MAX, now);
    this.#silent = new TimedKeys(SILENCE_MS, ADDRESSES_MAX, now);
    this.#gone = new TimedKeys(SILENCE_MS, ADDRESSES_MAX, now);
  }

  get nextAt(): number {
    return this.#rpcs.nextAt;
  }

  get waiting(): number {
    return this.#rpcs.waiting;
  }

  /** Whether the address has answered a request of ours within the last hour, so that nobody can have forged it. */
  isProven(endpoint: Endpoint, now: number): boolean {
    return this.#proven.has(endpointKey(endpoint), now);
  }

  /** What came from there shows that it receives there. */
  prove(endpoint: Endpoint, now: number): void {
    this.#proven.add(endpointKey(endpoint), now);
  }

  /** From when on FIND_NODE or FIND_VALUE may be sent there; Infinity: the address is silent. */
  admitsAt(endpoint: Endpoint, now: number): number {
    if (this.#gone.has(endpointKey(endpoint), now)) return Number.POSITIVE_INFINITY;
    return this.#findPace.admitsAt(endpoint.host);
  }

  /**
   * False: not sent, because it would be too soon for the address or too many are pending. No end is called then. A request that is sent
   * `again`, because its first datagram may have been lost, does not wait.
   */
  ask({ kuid, endpoint }: Addressee, body: RequestBody, now: number, ends: RequestEnds = {}, again = false): boolean {
    if (!this.#rpcs.hasRoom || !(again || this.#admits(body, endpoint, now))) return false;
    const node = kuid === null ? null : this.#nodeAt(kuid, endpoint);
    const muid = this.#rpcs.start(
      {
        to: endpoint,
        timeoutMs: node?.timeoutMs ?? timeoutMs(0, 0),
        fits: ({ kind }) => ANSWERS[body.kind].includes(kind),
        onAnswer: (answer, rttMs, at) => {
          const same = kuid === null || kuid.equals(answer.header.contact.kuid);
          if (answer.kind === 'storeAck') this.#countStores(answer.statuses);
          this.#onAnswer(answer, same ? null : node, endpoint, rttMs, at);
          ends.onAnswer?.(answer, same, at);
        },
        onTimeout: at => {
          if (body.kind === 'store') this.#ports.counters.storesOut.count('silent', body.values.length);
          this.#onTimeout(node, endpoint, at);
          ends.onSilence?.(at);
        },
        onLate: rttMs => node?.learnRtt(rttMs),
      },
      now,
    );
    if (muid === null) return false;
    this.#ports.send(body, muid, endpoint);
    return true;
  }

  #admits(body: RequestBody, { host }: Endpoint, now: number): boolean {
    if (body.kind === 'ping') return this.#pingPace.admit(host, now);
    // the rest of a value that its keeper has named
    if (body.kind === 'store' || (body.kind === 'findValue' && body.secondaryKeys.length > 0)) return true;
    return this.#findPace.admit(host, now);
  }

  #nodeAt(kuid: Buffer, endpoint: Endpoint): KnownNode | null {
    const node = this.#table.find(kuid);
    return node?.isAt(endpoint) === true ? node : null;
  }

  /** `changed`: the node that was at that address before. */
  #onAnswer(answer: DhtMessage, changed: KnownNode | null, endpoint: Endpoint, rttMs: number, now: number): void {
    if (changed !== null) this.#table.remove(changed);
    this.prove(endpoint, now);
    this.hear(answer, { ...answer.header.contact, endpoint }, now, rttMs);
  }

  #countStores(statuses: readonly StoreStatus[]): void {
    for (const { code } of statuses) this.#ports.counters.storesOut.count(storeEnd(code));
  }

  #isThere(endpoint: Endpoint): void {
    const key = endpointKey(endpoint);
    this.#silent.delete(key);
    this.#gone.delete(key);
  }

  #onTimeout(node: KnownNode | null, endpoint: Endpoint, now: number): void {
    this.#ports.counters.silences++;
    if (node === null) {
      // one that has answered before may have lost a datagram
      const key = endpointKey(endpoint);
      if (!this.#proven.has(key, now)) (this.#silent.has(key, now) ? this.#gone : this.#silent).add(key, now);
      return;
    }
    node.checking = false;
    const waiting = this.#table.timedOut(node, !this.#rpcs.isCutOff);
    if (waiting !== null) this.check(waiting, now);
  }

  /**
   * Teaches the table the sender of a valid message. `contact.endpoint` is where it came from; `rttMs` null for a message that was not
   * asked for. Returns whether a PING was sent to that address.
   */
  hear({ header }: DhtMessage, contact: DhtContact, now: number, rttMs: number | null): boolean {
    const known = this.#nodeAt(contact.kuid, contact.endpoint);
    if (known !== null) known.checking = false;
    this.#isThere(contact.endpoint); // or one forged datagram brings it two of ours
    if (header.firewalled || header.leaving) {
      return known !== null && this.#onUnavailable(known, rttMs !== null, now);
    }
    const wasGood = known?.state === 'good';
    const sighting: Sighting = this.#table.heard(contact, header.instance, now, rttMs);
    if (sighting.node?.state === 'good' && !wasGood) this.#ports.onGoodNode(sighting.node, now);
    const { check } = sighting;
    return check !== null && this.check(check, now) && check.isAt(contact.endpoint);
  }

  /** The node says that it answers no requests or is leaving; unless that is an answer, it may be forged, and true: a PING was sent. */
  #onUnavailable(node: KnownNode, certain: boolean, now: number): boolean {
    if (certain) {
      this.#table.remove(node);
      return false;
    }
    this.#table.leaving(node);
    return this.check(node, now);
  }

  /** Pings a node of the table. */
  check(node: KnownNode, now: number): boolean {
    if (node.checking || !this.ask(node, { kind: 'ping' }, now)) return false;
    node.checking = true;
    return true;
  }

  receive(answer: DhtMessage, from: Endpoint, now: number): AnswerEnd {
    return this.#rpcs.receive(answer.header.muid, answer, from, now);
  }

  tick(now: number): void {
    this.#rpcs.tick(now);
  }
}
