// What we say about ourselves on one upload connection: all of it with the first reply, push proxies again when they change.
import { formatEndpoint } from '../../wire/endpoint.ts';
import { transferFeatures } from '../features.ts';
import { firewalledNode, formatPushProxies } from '../mesh/firewalled-location.ts';
import type { TransferIdentity } from '../transfer-identity.ts';
import type { Header } from './upload-reply.ts';

/** Level of queueing of our replies. */
const QUEUE_LEVEL = '1.1';

export class Introduction {
  readonly #identity: TransferIdentity;
  readonly #browsable: boolean;
  /** The peer asked for this connection by push. */
  readonly #pushed: boolean;
  #introduced = false;
  #proxiesSaid = '';

  constructor(identity: TransferIdentity, browsable: boolean, pushed: boolean) {
    this.#identity = identity;
    this.#browsable = browsable;
    this.#pushed = pushed;
  }

  /** Of the next reply. The most important first: a reply that has no room leaves the last ones out. */
  headers(now: number): Header[] {
    const identity = this.#identity;
    const firewalled = identity.firewalled(now);
    const headers: Header[] = [];
    if (!this.#introduced) headers.push(['X-Features', transferFeatures(identity, this.#browsable, QUEUE_LEVEL, now)]);
    if (firewalled) headers.push(...this.#firewalled());
    else if (!this.#introduced) headers.push(...this.#open());
    this.#introduced = true;
    return headers;
  }

  #firewalled(): Header[] {
    const said = formatPushProxies(this.#identity.pushProxies());
    const headers: Header[] = [];
    if (said !== this.#proxiesSaid) headers.push(['X-Push-Proxy', said]);
    this.#proxiesSaid = said;
    if (!this.#introduced) headers.push(['X-FW-Node-Info', firewalledNode(this.#identity)]);
    return headers;
  }

  #open(): Header[] {
    const listen = formatEndpoint(this.#identity.listen());
    const headers: Header[] = [['X-Node', listen]];
    // the next connection needs no push (gtk-gnutella)
    if (this.#pushed) headers.push(['X-Host', listen]);
    headers.push(['X-GUID', this.#identity.serventGuid.toString('hex')]);
    return headers;
  }
}
