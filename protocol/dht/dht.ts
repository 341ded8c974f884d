// A node of Mojito, the Gnutella DHT: Kademlia over UDP. Datagrams and time go in, datagrams and the results of lookups come out; it opens no
// socket and reads no clock.
import { ProtocolError } from '../errors.ts';
import type { Random } from '../ports.ts';
import { type Endpoint, endpointKey, isIpv6, reachOf } from '../wire/endpoint.ts';
import { UNPROVEN_FACTOR } from './answers.ts';
import { K } from './bucket.ts';
import { CONTACT_VERSION, type DhtContact } from './dht-contact.ts';
import { DhtCounters } from './dht-counters.ts';
import { DHT_HEADER_BYTES, type DhtHeader } from './dht-header.ts';
import { type DhtMessage, encodeDhtMessage, parseDhtMessage } from './dht-message.ts';
import { type DhtParts, dhtParts } from './dht-parts.ts';
import type { DhtRules } from './dht-rules.ts';
import { creatorKey, valueBytes } from './dht-value.ts';
import { randomKuid } from './kuid.ts';
import { KuidCollision } from './kuid-collision.ts';
import type { LookupResult } from './lookup-result.ts';
import type { OnLookupEnd } from './lookups.ts';
import { networkOf } from './network-limits.ts';
import type { Publishable } from './publisher.ts';
import type { DhtBody } from './requests.ts';
import { SizeEstimate } from './size-estimate.ts';
import { type TokenSecrets, Tokens } from './tokens.ts';
import type { StoredValue } from './value-store.ts';

/** `passive`: asks others and answers nobody, as a firewalled node does. */
export type DhtMode = 'off' | 'passive' | 'active';

/** Longest STORE that keeps a found value at one more node (gtk-gnutella). */
const CACHE_BYTES_MAX = 640;

export interface DhtOptions {
  readonly kuid: Buffer;
  /** Four characters. */
  readonly vendor: string;
  /** 1 to 255; another one after each start. */
  readonly instance: number;
  readonly rules: DhtRules;
  readonly random: Random;
  /** Where others reach us: IPv4. */
  readonly endpoint: () => Endpoint;
  readonly send: (bytes: Buffer, to: Endpoint) => void;
  /** Addresses that are not asked, also when a node names them; none unless given. */
  readonly refuses?: (endpoint: Endpoint) => boolean;
  /** Of an earlier run; `since` counts from the zero of `now`. */
  readonly tokenSecrets?: TokenSecrets | null;
  /** Of every lookup, those that keep the routing table among them. */
  readonly onLookup?: OnLookupEnd;
}

export class Dht {
  readonly counters = new DhtCounters();
  readonly #options: DhtOptions;
  readonly #size = new SizeEstimate();
  #kuid: Buffer;
  #mode: DhtMode = 'off';
  #collision: KuidCollision | null = null;
  #parts: DhtParts | null = null;
  /** Others keep the tokens that they have while the mode changes. */
  #tokens: Tokens | null = null;
  /** Of the time when it answered others, for when it does again. */
  #kept: StoredValue[] = [];

  constructor(options: DhtOptions) {
    this.#options = options;
    this.#kuid = options.kuid;
  }

  readonly #refuses = (endpoint: Endpoint): boolean => this.#options.refuses?.(endpoint) ?? false;

  get kuid(): Buffer {
    return this.#kuid;
  }

  get mode(): DhtMode {
    return this.#mode;
  }

  /** Nodes of the network, estimated. */
  get networkSize(): number {
    return this.#size.size;
  }

  /** What it consists of, for views and tests; null while it is off. */
  get parts(): DhtParts | null {
    return this.#parts;
  }

  /** Nodes are known, and their surroundings have been looked at. */
  get joined(): boolean {
    return this.#parts?.upkeep.joined ?? false;
  }

  /** Publications go on with the new mode, and known nodes are its seeds. */
  setMode(mode: DhtMode, now: number): void {
    if (mode !== this.#mode) this.#become(mode, now);
  }

  #become(mode: DhtMode, now: number): void {
    const known = this.contacts(2 * K);
    const publications = this.#parts?.publisher.views() ?? [];
    if (this.#mode === 'active') this.#kept = [...(this.#parts?.values.held() ?? [])];
    this.#mode = mode;
    this.#parts = mode === 'off' ? null : this.#build(mode === 'active', now);
    this.#parts?.seeds.add(known, now);
    for (const publication of publications) this.#parts?.publisher.publish(publication, now);
    if (mode === 'active') this.#parts?.values.restore(this.#kept.splice(0), now);
  }

  /** Values of an earlier run, which are others' to find again once the node answers them. */
  remember(values: readonly StoredValue[]): void {
    this.#kept = [...values];
  }

  /** To be kept over a restart; null: it has never been on. */
  tokenSecrets(now: number): TokenSecrets | null {
    return this.#tokens?.secrets(now) ?? null;
  }

  #build(active: boolean, now: number): DhtParts {
    const { rules, random } = this.#options;
    const { kuid } = this;
    this.#collision ??= this.#watch(now);
    const contact = (): DhtContact => this.#contact();
    const send = (body: DhtBody, muid: Buffer, to: Endpoint): number => this.#send(body, muid, to);
    const { counters } = this;
    this.#tokens ??= new Tokens(random, now, this.#options.tokenSecrets);
    const tokens = this.#tokens;
    const onLookup = (result: LookupResult, at: number): void => {
      counters.countLookup(result);
      this.#learnSize(result, at);
      this.#options.onLookup?.(result, at);
    };
    return dhtParts(
      {
        kuid,
        rules,
        random,
        active,
        tokens,
        size: this.#size,
        contact,
        counters,
        refuses: this.#refuses,
        send,
        onLookup,
      },
      now,
    );
  }

  /** Over all modes: how often the KUID may change is bounded. */
  #watch(now: number): KuidCollision {
    const { random, rules, endpoint } = this.#options;
    const { reaches, limits } = rules;
    const ports = {
      random,
      own: () => this.kuid,
      ownEndpoint: endpoint,
      mayAsk: (to: Endpoint) => reaches.includes(reachOf(to.host)) && !this.#refuses(to),
      neighbours: () => this.#parts?.table.closest(this.kuid, 2 * K) ?? [],
      networkOf: (to: Endpoint) => (limits.oneKuidAnAddress ? networkOf(to.host) : endpointKey(to)),
      send: (body: DhtBody, muid: Buffer, to: Endpoint, as: Buffer) => {
        const contact = { ...this.#contact(), kuid: as };
        this.#sendAs({ contact, firewalled: true, leaving: false }, body, muid, to);
      },
      onProven: (at: number) => {
        this.counters.kuidChanges++;
        this.#kuid = randomKuid(random);
        this.#become(this.#mode, at);
      },
    };
    return new KuidCollision(ports, now);
  }

  /** Addresses at which there may be nodes: saved, in pongs, configured. */
  seed(endpoints: readonly Endpoint[], now: number): void {
    const asked = endpoints.filter(endpoint => !this.#refuses(endpoint));
    this.#parts?.seeds.add(asked, now);
  }

  /** Good nodes, for the next start and for others that ask: those nearest to us first. */
  contacts(max: number): Endpoint[] {
    return this.#parts?.table.closest(this.kuid, max).map(({ endpoint }) => endpoint) ?? [];
  }

  /** The datagram is a view that is not kept. */
  receive(bytes: Buffer, from: Endpoint, now: number): void {
    const { counters } = this;
    counters.bytesIn += bytes.length;
    const parts = this.#parts;
    if (parts === null) {
      counters.dropped.count('off');
      return;
    }
    const message = this.#parse(bytes, from);
    if (message === null) return;
    counters.received.count(message.kind);
    if (message.header.contact.kuid.equals(this.kuid)) {
      counters.dropped.count('own_kuid');
      this.#collision?.onOwnKuid(message, from, now);
    } else if (this.#collision?.take(message, from) === true) return;
    else if (isAnswer(message)) this.#onAnswer(parts, message, from, now);
    else if (this.#mode === 'passive') counters.dropped.count('passive');
    else this.#onRequest(parts, message, bytes.length, from, now);
  }

  #parse(bytes: Buffer, from: Endpoint): DhtMessage | null {
    const { dropped } = this.counters;
    if (isIpv6(from.host) || !this.#options.rules.reaches.includes(reachOf(from.host)) || from.port === 0) {
      dropped.count('address');
      return null;
    }
    try {
      const message = parseDhtMessage(bytes);
      if (message === null) dropped.count('obsolete');
      return message;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      dropped.count('malformed');
      return null;
    }
  }

  #onAnswer({ requests }: DhtParts, message: DhtMessage, from: Endpoint, now: number): void {
    const end = requests.receive(message, from, now);
    if (end !== 'taken') this.counters.dropped.count(end);
    else if (message.kind === 'pong') this.#size.fromOther(Number(message.networkSize), now);
  }

  #onRequest({ requests, answers }: DhtParts, message: DhtMessage, bytesIn: number, from: Endpoint, now: number): void {
    const { contact, muid } = message.header;
    const proven = requests.isProven(from, now);
    // behind a router that has changed the port, nobody reaches it there
    const pinged =
      contact.endpoint.port === from.port && requests.hear(message, { ...contact, endpoint: from }, now, null);
    const room = UNPROVEN_FACTOR * bytesIn - (pinged ? DHT_HEADER_BYTES : 0);
    const answer = answers.to({ message, from, bytesMax: proven ? Number.POSITIVE_INFINITY : room }, now);
    if (typeof answer === 'string') {
      this.counters.dropped.count(answer);
      return;
    }
    const bytesOut = this.#send(answer, muid, from);
    // values that only a proven address gets: let it prove itself, as long as that is no more bytes either
    const isCut = answer.kind === 'value' && answer.secondaryKeys.length > 0;
    if (isCut && !proven && !pinged && bytesOut + DHT_HEADER_BYTES <= room)
      requests.ask({ kuid: contact.kuid, endpoint: from }, { kind: 'ping' }, now);
  }

  /** Does what is due; returns when to call it again. */
  tick(now: number): number {
    const parts = this.#parts;
    if (parts === null) return Number.POSITIVE_INFINITY;
    parts.requests.tick(now);
    parts.upkeep.tick(now);
    parts.replicator.tick(now);
    parts.publisher.tick(now);
    parts.lookups.tick(now);
    parts.values.tick(now);
    this.#collision?.tick(now); // last: it may put other parts in place of these
    return this.nextAt;
  }

  /** When tick() has something to do; calls and datagrams may bring it forward. */
  get nextAt(): number {
    const parts = this.#parts;
    if (parts === null) return Number.POSITIVE_INFINITY;
    const { requests, upkeep, replicator, publisher, lookups, values } = parts;
    const ofNode = Math.min(requests.nextAt, upkeep.nextAt, replicator.nextAt, publisher.nextAt, lookups.nextAt);
    return Math.min(ofNode, values.nextAt, this.#collision?.nextAt ?? Number.POSITIVE_INFINITY);
  }

  /** The nodes nearest to a key, or to the KUID of a node. Without effect while it is off. */
  findNode(target: Buffer, now: number, onEnd: OnLookupEnd, ofNode = false): void {
    this.#parts?.lookups.start({ target, type: null, ofNode }, now, onEnd);
  }

  /** Values of a type under a key, those that we keep ourselves among them. */
  findValue(key: Buffer, type: string, now: number, onEnd: OnLookupEnd): void {
    const parts = this.#parts;
    parts?.lookups.start({ target: key, type, ofNode: false }, now, (result, at) => {
      this.#keepNear(parts, result, at);
      const own = parts.values.get(key, type, [], at);
      const all = [...own, ...result.values].map(value => [creatorKey(value), value] as const);
      onEnd({ ...result, values: [...new Map(all).values()] }, at);
    });
  }

  /** Keeps found values at the nearest node that had none, so that the next lookup ends sooner. */
  #keepNear({ requests }: DhtParts, { values, nearest }: LookupResult, now: number): void {
    const place = nearest.find(({ token }) => token !== null);
    if (place === undefined || place.token === null) return;
    let room = CACHE_BYTES_MAX - DHT_HEADER_BYTES - 2 - place.token.length;
    const fitting = values.filter(value => {
      const fits = !value.creator.kuid.equals(this.kuid) && valueBytes(value) <= room;
      if (fits) room -= valueBytes(value);
      return fits;
    });
    if (fitting.length > 0)
      requests.ask(place.contact, { kind: 'store', token: place.token, values: fitting, oversized: [] }, now);
  }

  /** Publishes until it is withdrawn. False: off, or too many publications. */
  publish(value: Publishable, now: number): boolean {
    return this.#parts?.publisher.publish(value, now) ?? false;
  }

  unpublish(key: Buffer, type: string, now: number): boolean {
    return this.#parts?.publisher.unpublish(key, type, now) ?? false;
  }

  /** Tells the nodes around us that we leave, as LimeWire does, and turns the DHT off. */
  leave(now: number): void {
    for (const endpoint of this.#mode === 'active' ? this.contacts(2 * K) : [])
      this.#send({ kind: 'ping' }, this.#options.random.guid(), endpoint, true);
    this.setMode('off', now);
  }

  #learnSize({ kind, target, nearest, cutShort }: LookupResult, now: number): void {
    if (kind !== 'value' && !cutShort && !target.equals(this.kuid))
      this.#size.aroundTarget(
        target,
        nearest.map(({ contact }) => contact.kuid),
        now,
      );
  }

  #contact(): DhtContact {
    const { vendor, endpoint } = this.#options;
    return { vendor, version: CONTACT_VERSION, kuid: this.kuid, endpoint: endpoint() };
  }

  /** Returns the bytes of the datagram. */
  #send(body: DhtBody, muid: Buffer, to: Endpoint, leaving = false): number {
    const header = { contact: this.#contact(), firewalled: this.#mode === 'passive', leaving };
    return this.#sendAs(header, body, muid, to);
  }

  #sendAs(about: Omit<DhtHeader, 'muid' | 'instance'>, body: DhtBody, muid: Buffer, to: Endpoint): number {
    const { instance, send } = this.#options;
    const header = { ...about, muid, instance };
    const bytes = encodeDhtMessage({ ...body, header });
    this.counters.sent.count(body.kind);
    this.counters.bytesOut += bytes.length;
    send(bytes, to);
    return bytes.length;
  }
}

function isAnswer({ kind }: DhtMessage): boolean {
  return kind === 'pong' || kind === 'foundNode' || kind === 'value' || kind === 'storeAck';
}
