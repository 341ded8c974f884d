// Push proxies, both sides: ultrapeers take pushes for firewalled neighbours; as a firewalled leaf we name the ultrapeers
// that do so for us in our hits.
import { LazyMap } from '../../lazy-map.ts';
import { type Endpoint, isIpv6, type Reach, reachOf } from '../../wire/endpoint.ts';
import { PUSH_PROXIES_MAX } from '../../wire/query-hit-trailer.ts';
import { encodePushProxyAck, encodePushProxyCancel, encodePushProxyRequest } from '../../wire/vendor/push-proxy.ts';
import { VendorId } from '../../wire/vendor-message.ts';
import type { Identity } from '../identity.ts';
import type { Link } from '../links/link.ts';

export interface PushProxyParts {
  readonly identity: Identity;
  readonly reaches: readonly Reach[];
  /** Routes pushes for a servent GUID to this neighbour; false when another one has the GUID. */
  readonly adopt: (link: Link, guid: Buffer) => boolean;
  readonly send: (link: Link, payload: Buffer, guid?: Buffer) => void;
  readonly supporting: (id: string) => Link[];
  readonly supports: (link: Link, id: string) => boolean;
}

export class PushProxies {
  readonly #parts: PushProxyParts;
  /** Neighbours that said yes, newest last; at most PUSH_PROXIES_MAX. */
  readonly #proxies = new LazyMap<Link, Endpoint>();
  #firewalled = false;
  /** Neighbours whose pushes we take, with their GUIDs. */
  readonly #clients = new LazyMap<Link, Buffer>();
  /** Requests that we granted and that we refused. */
  granted = 0;
  refused = 0;

  constructor(parts: PushProxyParts) {
    this.#parts = parts;
  }

  /** For hits and headers; none while we can be connected to. */
  get endpoints(): readonly Endpoint[] {
    return [...this.#proxies.values()];
  }

  /** GUIDs of neighbours that have asked us to be their push proxy. */
  get clients(): Iterable<Buffer> {
    return this.#clients.values();
  }

  /** LIME/21: a neighbour wants its pushes from us. `guid` is its servent's. */
  onRequest(link: Link, guid: Buffer): void {
    const { identity, adopt, send } = this.#parts;
    const own = identity.listen();
    // its answer has room for IPv4 only
    const able = link.ourRole === 'ultrapeer' && !isIpv6(own.host) && !guid.equals(identity.serventGuid);
    if (!able || !adopt(link, guid)) {
      this.refused++;
      return;
    }
    this.granted++;
    this.#clients.set(link, Buffer.from(guid));
    send(link, encodePushProxyAck(own), guid);
  }

  /** LIME/22. `host` null: the link's own. */
  onAck(link: Link, guid: Buffer, host: string | null, port: number): void {
    const { identity, reaches } = this.#parts;
    if (!this.#firewalled || !guid.equals(identity.serventGuid)) return;
    const endpoint = { host: host ?? link.endpoint.host, port };
    if (port === 0 || !reaches.includes(reachOf(endpoint.host))) return;
    this.#proxies.set(link, endpoint);
    if (this.#proxies.size <= PUSH_PROXIES_MAX) return;
    const [oldest] = this.#proxies.keys();
    if (oldest !== undefined) this.#proxies.delete(oldest);
  }

  onSupported(link: Link): void {
    if (this.#firewalled) this.#ask(link);
  }

  onUnlinked(link: Link): void {
    this.#proxies.delete(link);
    this.#clients.delete(link);
  }

  /** GTKG/21: the neighbour can be connected to. Its pushes still find it. */
  onCancel(link: Link): void {
    this.#clients.delete(link);
  }

  /** Asks neighbours when nobody can connect to us, and lets them go when somebody can. */
  tick(now: number): void {
    const { identity, supporting, send } = this.#parts;
    const firewalled = identity.firewalled(now);
    if (firewalled === this.#firewalled) return;
    this.#firewalled = firewalled;
    if (firewalled) {
      for (const link of supporting(VendorId.PushProxyRequest)) this.#ask(link);
      return;
    }
    for (const link of this.#proxies.keys()) send(link, encodePushProxyCancel());
    this.#proxies.clear();
  }

  /** Only of an ultrapeer that we are a leaf of, as LimeWire does; gtk-gnutella complains of ultrapeers that ask. */
  #ask(link: Link): void {
    if (link.ourRole !== 'leaf' || !this.#parts.supports(link, VendorId.PushProxyRequest)) return;
    this.#parts.send(link, encodePushProxyRequest(), this.#parts.identity.serventGuid);
  }
}
