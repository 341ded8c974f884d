// Publishes who passes pushes on: our own push proxies (PROX), and that we are one of firewalled neighbours (NOPE).
import type { Endpoint } from '../wire/endpoint.ts';
import { guidKey } from '../wire/guid.ts';
import { ValueType } from './dht-value.ts';
import type { OwnLocation } from './file-publications.ts';
import { serventKey } from './kuid.ts';
import { encodeNope, NOPE_VERSION } from './nope.ts';
import { encodeProx, PROX_VERSION, PROXIES_MAX, type ProxyLocation } from './prox.ts';
import type { Publisher } from './publisher.ts';

/** Between two looks: neighbours come and go. */
const LOOK_MS = 5_000;
export const CLIENTS_MAX = 256;
/** Of transfers by UDP between firewalled servents, as LimeWire tells it. */
const STREAM_VERSION = 1;

export interface ProxyPublicationsParts {
  readonly own: (now: number) => OwnLocation;
  /** Our push proxies while we are firewalled. */
  readonly proxies: () => readonly Endpoint[];
  /** GUIDs of neighbours that have asked us to be their push proxy. */
  readonly clients: () => Iterable<Buffer>;
}

export class ProxyPublications {
  readonly #parts: ProxyPublicationsParts;
  /** GUIDs of those whose NOPE is published. */
  readonly #clients = new Map<string, Buffer>();
  #dueAt = 0;

  constructor(parts: ProxyPublicationsParts) {
    this.#parts = parts;
  }

  /** Does what is due; when to be called again. `active`: the node answers others, so that it can tell them of its neighbours. */
  tick(publisher: Publisher | null, active: boolean, now: number): number {
    if (publisher === null) {
      this.#clients.clear();
      this.#dueAt = 0;
      return Number.POSITIVE_INFINITY;
    }
    if (now < this.#dueAt) return this.#dueAt;
    this.#dueAt = now + LOOK_MS;
    const own = this.#parts.own(now);
    this.#publishProxies(publisher, own, now);
    this.#publishClients(publisher, own, active, now);
    return this.#dueAt;
  }

  /** A servent that can be connected to names itself, as gtk-gnutella does: it follows a push from any address. */
  #publishProxies(publisher: Publisher, own: OwnLocation, now: number): void {
    const { serventGuid, firewalled, endpoint, tls, stream = null } = own;
    const key = serventKey(serventGuid);
    const proxies: ProxyLocation[] = firewalled
      ? this.#parts
          .proxies()
          .slice(0, PROXIES_MAX)
          .map(proxy => ({ endpoint: proxy, tls: false }))
      : [{ endpoint, tls }];
    if (proxies.length === 0) {
      publisher.unpublish(key, ValueType.PushProxies, now);
      return;
    }
    // as LimeWire: the port of streams by UDP in place of the own one
    const streams = firewalled && stream !== null;
    const data = encodeProx({
      ...{ serventGuid, features: 0, proxies },
      firewallTransferVersion: streams ? STREAM_VERSION : 0,
      port: streams ? stream.port : endpoint.port,
    });
    publisher.publish({ key, type: ValueType.PushProxies, version: PROX_VERSION, data }, now);
  }

  #publishClients(
    publisher: Publisher,
    { firewalled, endpoint, tls }: OwnLocation,
    active: boolean,
    now: number,
  ): void {
    const clients = new Map<string, Buffer>();
    // who cannot be connected to is of no use as a proxy
    for (const guid of active && !firewalled ? this.#parts.clients() : [])
      if (clients.size < CLIENTS_MAX) clients.set(guidKey(guid), Buffer.from(guid));
    for (const [key, guid] of this.#clients) {
      if (clients.has(key)) continue;
      this.#clients.delete(key);
      publisher.unpublish(serventKey(guid), ValueType.PushProxy, now);
    }
    for (const [key, serventGuid] of clients) {
      const data = encodeNope({ serventGuid, port: endpoint.port, tls });
      const value = { key: serventKey(serventGuid), type: ValueType.PushProxy, version: NOPE_VERSION, data };
      if (publisher.publish(value, now)) this.#clients.set(key, serventGuid);
    }
  }
}
