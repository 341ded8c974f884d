// Opens the Gnutella port for TCP and UDP, and moves it to another number or address while the servent runs.
import { networkInterfaces } from 'node:os';
import type { OwnPort } from '../../protocol/overlay/reach/own-port.ts';
import { canonicalHost, type Endpoint, formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Listener, OpenedPort } from '../net/listener.ts';
import type { Udp } from '../net/udp.ts';

/** Where to listen. */
export interface PortWish {
  /** Null: nowhere for now. */
  readonly host: string | null;
  /** 0: any free port. */
  readonly port: number;
  /** Others see us at another address than the one we listen on, such as that of a VPN. */
  readonly masked: boolean;
}

export interface GnutellaPortParts {
  readonly listener: Pick<Listener, 'open' | 'pause'>;
  /** Null: UDP is off by its setting. */
  readonly udp: Pick<Udp, 'open' | 'pause'> | null;
  readonly servent: { readonly port: OwnPort };
  readonly wish: () => PortWish;
  readonly clock: Clock;
  readonly log: Log;
}

export class GnutellaPort {
  readonly #parts: GnutellaPortParts;
  #at: Endpoint;
  #listening = false;
  #turn: Promise<unknown> = Promise.resolve();
  /** Called after each move. */
  readonly onMoved: ((at: Endpoint) => void)[] = [];
  /** Where we listen, or did last: its fields follow each move. */
  readonly address: Endpoint;

  constructor(parts: GnutellaPortParts) {
    this.#parts = parts;
    const { host, port } = parts.wish();
    this.#at = { host: host ?? '0.0.0.0', port };
    const port_ = this;
    this.address = Object.freeze({
      get host() {
        return port_.#at.host;
      },
      get port() {
        return port_.#at.port;
      },
    });
  }

  /** For the first time. A UDP port that is taken leaves UDP off, with a warning. Rejects with ListenError. */
  async start(): Promise<void> {
    const { listener, udp, servent, wish, log } = this.#parts;
    const { host, port } = wish();
    if (host === null) return;
    const tcp = await listener.open({ host, port });
    tcp.use();
    this.#take(tcp.endpoint);
    servent.port.listening(...this.#announced());
    if (udp === null) return;
    try {
      (await udp.open(tcp.endpoint)).use();
      servent.port.udp = true;
    } catch (err) {
      log.warn({ err, udp: formatEndpoint(tcp.endpoint) }, 'UDP is off: the port is in use or not allowed');
    }
  }

  /** Does as wished now, one change after the other. Rejects when that port cannot be opened; then everything stays as it is. */
  follow(): Promise<void> {
    const done = this.#turn.then(() => this.#follow());
    this.#turn = Promise.allSettled([done]); // the caller gets the error
    return done;
  }

  async #follow(): Promise<void> {
    const { host, port } = this.#parts.wish();
    if (host === null) return this.#close();
    const any = port === 0 ? this.#at.port : port;
    if (this.#listening && host === this.#at.host && any === this.#at.port) return;
    await this.#move({ host, port: any });
  }

  async #move(to: Endpoint): Promise<void> {
    const { listener, udp, servent, clock } = this.#parts;
    const tcp = await listener.open(to);
    let datagrams: OpenedPort | null = null;
    try {
      datagrams = (await udp?.open(tcp.endpoint)) ?? null;
    } catch (error) {
      tcp.drop();
      throw error;
    }
    tcp.use();
    datagrams?.use();
    this.#take(tcp.endpoint);
    servent.port.udp = datagrams !== null;
    servent.port.moved(...this.#announced(), clock.now());
    for (const told of this.onMoved) told(this.#at);
  }

  #take(at: Endpoint): void {
    this.#at = at;
    this.#listening = true;
  }

  #close(): void {
    const { listener, udp, servent } = this.#parts;
    servent.port.udp = false;
    udp?.pause();
    listener.pause();
    this.#listening = false;
  }

  /** A masked address is the first candidate until peers agree on what they see. */
  #announced(): [Endpoint, string[]] {
    const { host, port } = this.#at;
    return this.#parts.wish().masked ? [{ host: '0.0.0.0', port }, [host]] : [this.#at, interfaceHosts()];
  }
}

function interfaceHosts(): string[] {
  return Object.values(networkInterfaces()).flatMap(addresses =>
    (addresses ?? []).flatMap(({ address }) => canonicalHost(address) ?? []),
  );
}
