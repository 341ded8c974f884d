// The UDP socket, on the same port as TCP. Knows no descriptor: bytes go to the core and come from it.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { ReasonCounts } from '../../protocol/reason-counts.ts';
import { canonicalHost, type Endpoint, formatEndpoint, isIpv6 } from '../../protocol/wire/endpoint.ts';
import type { Log } from '../log.ts';

/** Bytes that the system has not taken yet; what comes on top is dropped, as a network would. */
const QUEUED_BYTES_MAX = 1 << 20;

export const UDP_OUTCOMES = ['received', 'sent', 'forbidden', 'queue_full', 'failed', 'closed'] as const;
export type UdpOutcome = (typeof UDP_OUTCOMES)[number];

export interface UdpOptions {
  /** As TCP listens; `::` is IPv4 and IPv6. */
  host: string;
  port: number;
  log: Log;
  /** Why nothing may be sent to an endpoint, or null. */
  forbids: (endpoint: Endpoint) => string | null;
  /** `bytes` are the receiver's to keep. */
  onDatagram: (bytes: Buffer, from: Endpoint) => void;
}

export class Udp {
  readonly counts = new ReasonCounts<UdpOutcome>(UDP_OUTCOMES);
  readonly #options: UdpOptions;
  readonly #ipv6: boolean;
  #socket: Socket | null = null;

  constructor(options: UdpOptions) {
    this.#options = options;
    this.#ipv6 = isIpv6(options.host);
  }

  /** False, with a line in the log, when the port is not to be had: a servent without UDP still works. */
  async start(): Promise<boolean> {
    const { host, port, log } = this.#options;
    const socket = createSocket({ type: this.#ipv6 ? 'udp6' : 'udp4' });
    try {
      await new Promise<void>((bound, failed) => {
        socket.once('error', failed);
        socket.bind({ address: host, port, exclusive: true }, bound);
      });
    } catch (err) {
      socket.close();
      log.warn({ err, udp: formatEndpoint({ host, port }) }, 'no UDP: the port is taken or not allowed');
      return false;
    }
    socket.removeAllListeners('error');
    // an ICMP answer to something sent, for one: nothing that the socket does not survive
    socket.on('error', err => log.debug({ err }, 'the UDP socket complains'));
    socket.on('message', this.#onMessage);
    this.#socket = socket;
    return true;
  }

  get open(): boolean {
    return this.#socket !== null;
  }

  /** Port 0 when closed. */
  get endpoint(): Endpoint {
    if (this.#socket === null) return { host: this.#options.host, port: 0 };
    const { address, port } = this.#socket.address();
    return { host: address, port };
  }

  /** False when it was dropped here already. */
  send(bytes: Buffer, to: Endpoint): boolean {
    const socket = this.#socket;
    if (socket === null) return this.#drop('closed');
    // a socket for IPv4 cannot send to IPv6
    if (this.#options.forbids(to) !== null || (isIpv6(to.host) && !this.#ipv6)) return this.#drop('forbidden');
    if (socket.getSendQueueSize() > QUEUED_BYTES_MAX) return this.#drop('queue_full');
    const address = this.#ipv6 && !isIpv6(to.host) ? `::ffff:${to.host}` : to.host;
    socket.send(bytes, to.port, address, error => {
      if (error !== null) this.counts.count('failed');
    });
    this.counts.count('sent');
    return true;
  }

  #drop(outcome: UdpOutcome): false {
    this.counts.count(outcome);
    return false;
  }

  readonly #onMessage = (bytes: Buffer, { address, port }: RemoteInfo): void => {
    this.counts.count('received');
    const zone = address.indexOf('%');
    const host = canonicalHost(zone < 0 ? address : address.slice(0, zone));
    if (host !== null) this.#options.onDatagram(bytes, { host, port });
  };

  /** Idempotent. */
  async stop(): Promise<void> {
    const socket = this.#socket;
    if (socket === null) return;
    this.#socket = null;
    await new Promise<void>(closed => socket.close(closed));
  }
}
