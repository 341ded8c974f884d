// Sends and receives datagrams on the UDP port, which equals the TCP port. The core parses them.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { DatagramQueue } from '../../protocol/bandwidth/datagram-queue.ts';
import { ReasonCounts } from '../../protocol/reason-counts.ts';
import { RUDP_TYPE, TYPE_AT } from '../../protocol/rudp/packet-header.ts';
import { canonicalHost, type Endpoint, formatEndpoint, isIpv6 } from '../../protocol/wire/endpoint.ts';
import type { Log } from '../log.ts';
import { Bandwidth, type Usage } from './bandwidth.ts';
import type { OpenedPort } from './listener.ts';
import { OVERHEAD_BYTES_MAX } from './rudp/rudp-dialer.ts';

/** Room in the kernel for datagrams that are not read yet, where the system allows so much. */
const RECEIVE_BYTES = 1 << 20;
/** Most bytes waiting for the system; further datagrams are dropped. */
const QUEUED_BYTES_MAX = 1 << 20;

const UDP_OUTCOMES = ['received', 'sent', 'forbidden', 'queue_full', 'limited', 'failed', 'closed'] as const;
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
  #ipv6: boolean;
  #at: Endpoint;
  readonly #received: Bandwidth['received'];
  readonly #usage: Usage;
  readonly #waiting = new DatagramQueue(() => this.counts.count('limited'));
  #socket: Socket | null = null;

  constructor(options: UdpOptions) {
    this.#options = options;
    this.#ipv6 = isIpv6(options.host);
    this.#at = { host: options.host, port: 0 };
    const bandwidth = options.bandwidth ?? new Bandwidth();
    this.#received = bandwidth.received;
    this.#usage = bandwidth.usage('udp');
  }

  /** Opens the socket. Resolves with false, after a warning, when the port is taken: the servent works without UDP. */
  async start(): Promise<boolean> {
    const { host, port, log } = this.#options;
    try {
      (await this.open({ host, port })).use();
      return true;
    } catch (err) {
      log.warn({ err, udp: formatEndpoint({ host, port }) }, 'UDP is off: the port is in use or not allowed');
      return false;
    }
  }

  /** Opens another address beside the present one; `use` closes that. */
  async open(at: Endpoint): Promise<OpenedPort> {
    const ipv6 = isIpv6(at.host);
    const socket = createSocket({ type: ipv6 ? 'udp6' : 'udp4' });
    try {
      await new Promise<void>((bound, failed) => {
        socket.once('error', failed);
        socket.bind({ address: at.host, port: at.port, exclusive: true }, bound);
      });
    } catch (error) {
      socket.close();
      throw error;
    }
    socket.removeAllListeners('error');
    try {
      socket.setRecvBufferSize(RECEIVE_BYTES);
    } catch (err) {
      this.#options.log.debug({ err }, 'the receive buffer of UDP stays as it is');
    }
    // for example an ICMP error for a datagram sent; the socket stays usable
    socket.on('error', err => this.#options.log.debug({ err }, 'error on the UDP socket'));
    socket.on('message', this.#onMessage);
    return {
      endpoint: { host: at.host, port: socket.address().port },
      use: () => {
        this.#socket?.close();
        this.#socket = socket;
        this.#ipv6 = ipv6;
        this.#at = { host: at.host, port: 0 };
      },
      drop: () => void socket.close(),
    };
  }

  get isOpen(): boolean {
    return this.#socket !== null;
  }

  /** Port 0 when closed. */
  get endpoint(): Endpoint {
    if (this.#socket === null) return this.#at;
    const { address, port } = this.#socket.address();
    return { host: address, port };
  }

  /** Sends a datagram of a connection: its peer was checked when it was opened, and limits are kept by those that send. */
  sendNow(bytes: Buffer, to: Endpoint): void {
    const socket = this.#socket;
    if (socket === null) this.#drop('closed');
    else if (socket.getSendQueueSize() > QUEUED_BYTES_MAX) this.#drop('queue_full');
    else this.#hand(socket, bytes, to);
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
    return this.#hand(socket, bytes, to);
  }

  #hand(socket: Socket, bytes: Buffer, to: Endpoint): true {
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
    // of connections, the bytes of files are counted by the downloads
    this.#received.udp += bytes[TYPE_AT] === RUDP_TYPE ? Math.min(bytes.length, OVERHEAD_BYTES_MAX) : bytes.length;
    const zone = address.indexOf('%');
    const host = canonicalHost(zone < 0 ? address : address.slice(0, zone));
    if (host !== null) this.#options.onDatagram(bytes, { host, port });
  };

  /** Closes the socket, until open() gives another one. */
  pause(): void {
    this.#socket?.close();
    this.#socket = null;
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    const socket = this.#socket;
    if (socket === null) return;
    this.#socket = null;
    this.#usage.close();
    await new Promise<void>(closed => socket.close(closed));
  }
}
