// An attack on one key: nodes that say to lie around it, name only each other, keep nothing that they say to keep, and may answer with values
// that they have invented.
import { CONTACT_VERSION, type DhtContact } from '../../protocol/dht/dht-contact.ts';
import { encodeDhtMessage, parseDhtMessage } from '../../protocol/dht/dht-message.ts';
import { randomKuid } from '../../protocol/dht/kuid.ts';
import type { DhtBody } from '../../protocol/dht/requests.ts';
import { StoreCode } from '../../protocol/dht/store-status.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import type { DhtHost } from './dht-host.ts';
import type { DhtNetwork } from './dht-network.ts';

const NAMED = 20;

interface Sybil {
  readonly host: DhtHost;
  readonly contact: DhtContact;
}

export class Sybils {
  readonly #internet: DhtNetwork;
  readonly #sybils: Sybil[] = [];
  /** What they answer when values are looked for; null: contacts. */
  invented: Buffer | null = null;
  /** STOREs that they have said yes to. */
  swallowed = 0;

  /** So many, each in a network of its own, that share at least `bits` with the key. */
  constructor(internet: DhtNetwork, key: Buffer, count: number, bits: number) {
    this.#internet = internet;
    for (let i = 0; i < count; i++) {
      const host = internet.add();
      const kuid = randomKuid(internet.random, key, bits);
      const sybil = { host, contact: { vendor: 'SRVT', version: CONTACT_VERSION, kuid, endpoint: host.endpoint } };
      this.#sybils.push(sybil);
      host.impostor = (bytes, from) => this.#receive(sybil, bytes, from);
    }
  }

  /** They make themselves known to hosts. */
  greet(hosts: readonly DhtHost[]): void {
    for (const sybil of this.#sybils)
      for (const host of hosts) this.#send(sybil, { kind: 'ping' }, this.#internet.random.guid(), host.endpoint);
  }

  #send({ host, contact }: Sybil, body: DhtBody, muid: Buffer, to: Endpoint): void {
    const header = { muid, contact, instance: 1, firewalled: false, leaving: false };
    this.#internet.deliver(host.number, encodeDhtMessage({ ...body, header }), to);
  }

  #receive(sybil: Sybil, bytes: Buffer, from: Endpoint): void {
    const message = parseDhtMessage(bytes);
    const body = message === null ? null : this.#answer(message, sybil, from);
    if (message !== null && body !== null) this.#send(sybil, body, message.header.muid, from);
  }

  #answer(body: DhtBody, { contact }: Sybil, requester: Endpoint): DhtBody | null {
    switch (body.kind) {
      case 'ping':
        return { kind: 'pong', requester, networkSize: 1_000n };
      case 'findValue':
      case 'findNode': {
        if (body.kind === 'findValue' && this.invented !== null) {
          const value = { creator: contact, key: body.key, type: body.type, version: 1, data: this.invented };
          return { kind: 'value', load: 0, values: [value], secondaryKeys: [] };
        }
        const others = this.#sybils.filter(other => other.contact !== contact);
        const contacts = this.#internet.random.sample(others, NAMED).map(other => other.contact);
        return { kind: 'foundNode', token: Buffer.alloc(4), contacts };
      }
      case 'store': {
        this.swallowed += body.values.length;
        const statuses = body.values.map(({ key, creator }) => ({
          key: Buffer.from(key),
          creator: Buffer.from(creator.kuid),
          code: StoreCode.Ok,
          text: '',
        }));
        return { kind: 'storeAck', statuses };
      }
      default:
        return null;
    }
  }
}
