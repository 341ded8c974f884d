// Sends and receives datagrams on the UDP port, which equals the TCP port. The core parses them.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { DatagramQueue } from '../../protocol/bandwidth/datagram-queue.ts';
import { ReasonCounts } from '../../protocol/reason-counts.ts';
import { canonicalHost, type Endpoint, formatEndpoint, isIpv6 } from '../../protocol/wire/endpoint.ts';
import type { Log } from '../log.ts';
import { Bandwidth, type Usage } from './bandwidth.ts';

/** Most bytes waiting for the system; further datagrams are dropped. */
const QUEUED_BYTES_MAX = 1 << 20;

export const UDP_OUTCOMES = ['received', 'sent', 'forbidden', 'queue_full', 'limited', 'failed', 'closed'] as const;
export type UdpOutcome = (typeof UDP_OUTCOMES)[number];

export interface UdpOptions {
  /** Same as for TCP; `::` means IPv4 and IPv6. */
  host: string;
  port: number;
  log: Log;
  /** By default without limits. */
  bandwidth?: Bandwidth;
  /** Why nothing may be sent to an endpoint, or null. */
  forbids: (endpoint: Endpoint) => string | null;
  /** The receiver may keep `bytes`. */
  onDatagram: (bytes: Buffer, from: Endpoint) => void;
}

export class Udp {
  readonly counts = new ReasonCounts<UdpOutcome>(UDP_OUTCOMES);
  readonly #options: UdpOptions;
  readonly #ipv6: boolean;
  readonly #received: Bandwidth['received'];
  readonly #usage: Usage;
  readonly #waiting = new DatagramQueue(() => this.counts.count('limited'));
  #socket: Socket | null = null;

  constructor(options: UdpOptions) {
    this.#options = options;
    this.#ipv6 = isIpv6(options.host);
    const bandwidth = options.bandwidth ?? new Bandwidth();
    this.#received = bandwidth.received;
    this.#usage = bandwidth.usage('udp');
  }

  /** Opens the socket. Resolves with false, after a warning, when the port is taken: the servent works without UDP. */
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
      log.warn({ err, udp: formatEndpoint({ host, port }) }, 'UDP is off: the port is in use or not allowed');
      return false;
    }
    socket.removeAllListeners('error');
    // for example an ICMP error for a datagram sent; the socket stays usable
    socket.on('error', err => log.debug({ err }, 'error on the UDP socket'));
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

  /** Returns false when the datagram was dropped here. */
  send(bytes: Buffer, to: Endpoint): boolean {
    const socket = this.#socket;
    if (socket === null) return this.#drop('closed');
    // an IPv4 socket cannot send to IPv6
    if (this.#options.forbids(to) !== null || (isIpv6(to.host) && !this.#ipv6)) return this.#drop('forbidden');
    if (socket.getSendQueueSize() > QUEUED_BYTES_MAX) return this.#drop('queue_full');
    if (this.#usage.limited || this.#waiting.bytes > 0) return this.#wait(bytes, to);
    return this.#write(socket, bytes, to);
  }

  /** Datagrams beyond the limit wait for a moment, or are dropped, the least useful first. */
  #wait(bytes: Buffer, to: Endpoint): true {
    this.#waiting.push({ bytes, to, at: performance.now() });
    this.#ask();
    return true;
  }

  #ask(): void {
    if (this.#waiting.bytes > 0 && this.#usage.onGrant === null) this.#usage.want(this.#waiting.bytes, this.#onGrant);
  }

  readonly #onGrant = (granted: number): void => {
    const socket = this.#socket;
    if (socket === null || granted === 0) return;
    let sent = 0;
    while (sent < granted) {
      const next = this.#waiting.shift(performance.now());
      if (next === null) break;
      this.#write(socket, next.bytes, next.to);
      sent += next.bytes.length;
    }
    this.#usage.charge(sent - granted);
    this.#ask();
  };

  #write(socket: Socket, bytes: Buffer, to: Endpoint): true {
    this.#usage.moved(bytes.length);
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
    this.#received.udp += bytes.length;
    const zone = address.indexOf('%');
    const host = canonicalHost(zone < 0 ? address : address.slice(0, zone));
    if (host !== null) this.#options.onDatagram(bytes, { host, port });
  };

  /** Idempotent. */
  async stop(): Promise<void> {
    const socket = this.#socket;
    if (socket === null) return;
    this.#socket = null;
    this.#usage.close();
    await new Promise<void>(closed => socket.close(closed));
  }
}
