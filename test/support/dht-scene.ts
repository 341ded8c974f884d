// One node of the DHT, and those that write to it: messages as datagrams, what it sends, and a clock.
import { Dht, type DhtMode } from '../../protocol/dht/dht.ts';
import type { DhtContact } from '../../protocol/dht/dht-contact.ts';
import type { DhtHeader } from '../../protocol/dht/dht-header.ts';
import { type DhtMessage, encodeDhtMessage, parseDhtMessage } from '../../protocol/dht/dht-message.ts';
import { type DhtRules, PUBLIC_DHT } from '../../protocol/dht/dht-rules.ts';
import { randomKuid } from '../../protocol/dht/kuid.ts';
import type { DhtBody } from '../../protocol/dht/requests.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import { SeededRandom } from '../../sim/seeded-random.ts';
import { anyContact, contactOf, endpointOf } from './dht-contacts.ts';

const REQUESTS: readonly DhtMessage['kind'][] = ['ping', 'store', 'findNode', 'findValue'];

export interface SentMessage {
  readonly message: DhtMessage;
  readonly to: Endpoint;
  readonly bytes: number;
}

export class DhtScene {
  readonly random: SeededRandom;
  readonly dht: Dht;
  readonly endpoint = { host: '200.1.1.1', port: 6346 };
  now = 1_000_000;
  sent: SentMessage[] = [];

  constructor({
    mode = 'active',
    rules = PUBLIC_DHT,
    seed = 1,
    refuses,
  }: { mode?: DhtMode; rules?: DhtRules; seed?: number; refuses?: (endpoint: Endpoint) => boolean } = {}) {
    this.random = new SeededRandom(seed);
    this.dht = new Dht({
      kuid: randomKuid(this.random),
      vendor: 'SRVT',
      instance: 1,
      rules,
      random: this.random.fork(),
      endpoint: () => this.endpoint,
      ...(refuses === undefined ? {} : { refuses }),
      send: (bytes, to) => {
        const message = parseDhtMessage(Buffer.from(bytes));
        if (message !== null) this.sent.push({ message, to, bytes: bytes.length });
      },
    });
    this.dht.setMode(mode, this.now);
  }

  /** A message from a contact; `from` when the datagram comes from elsewhere. Returns what is sent because of it. */
  receive(
    contact: DhtContact,
    body: DhtBody,
    { from = contact.endpoint, muid = this.random.guid(), ...changes }: Partial<DhtHeader> & { from?: Endpoint } = {},
  ): SentMessage[] {
    const header = { muid, contact, instance: 1, firewalled: false, leaving: false, ...changes };
    return this.receiveBytes(encodeDhtMessage({ ...body, header }), from);
  }

  receiveBytes(bytes: Buffer, from: Endpoint): SentMessage[] {
    const before = this.sent.length;
    this.dht.receive(bytes, from, this.now);
    return this.sent.slice(before);
  }

  /** Lets so much time pass; returns what is sent meanwhile. */
  pass(ms: number): SentMessage[] {
    const before = this.sent.length;
    const end = this.now + ms;
    for (let steps = 0; steps < 10_000; steps++) {
      const at = Math.max(this.now, this.dht.nextAt);
      if (at > end) break;
      this.now = at;
      this.dht.tick(this.now);
    }
    this.now = end;
    return this.sent.slice(before);
  }

  /** Answers what the node has sent last to that contact. */
  answer(contact: DhtContact, body: DhtBody, changes: Partial<DhtHeader> & { from?: Endpoint } = {}): SentMessage[] {
    const { host, port } = contact.endpoint;
    const request = this.sent.findLast(
      ({ message, to }) => REQUESTS.includes(message.kind) && to.host === host && to.port === port,
    );
    if (request === undefined) throw new Error('nothing was asked');
    return this.receive(contact, body, { muid: request.message.header.muid, ...changes });
  }

  /** A node that has asked, and has proven its address if it was asked to. */
  acquaint(contact: DhtContact): DhtContact {
    const sent = this.receive(contact, { kind: 'ping' });
    if (!sent.some(({ message }) => message.kind === 'ping')) return contact;
    this.answer(contact, { kind: 'pong', requester: this.endpoint, networkSize: 1n });
    return contact;
  }

  /** So many good nodes in networks of their own. */
  acquaintAll(count: number): DhtContact[] {
    return Array.from({ length: count }, (_, i) => this.acquaint(this.contact(i)));
  }

  contact(number: number): DhtContact {
    return anyContact(this.random, endpointOf(number));
  }

  contactAt(endpoint: Endpoint): DhtContact {
    return contactOf(randomKuid(this.random), endpoint);
  }
}
