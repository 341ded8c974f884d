// All connections over reliable UDP: gives each packet to its connection, by the id that we chose and the peer's address.
import { ProtocolError } from '../errors.ts';
import { LazyMap } from '../lazy-map.ts';
import type { Random } from '../ports.ts';
import { ReasonCounts } from '../reason-counts.ts';
import { type Endpoint, formatEndpoint } from '../wire/endpoint.ts';
import { parseRudpPacket, type RudpPacket, type RudpRole } from './packet.ts';
import { RudpConnection, type RudpEvents, type RudpState } from './rudp-connection.ts';
import { RudpCounters } from './rudp-counters.ts';
import { RUDP_ENDS, type RudpEnd } from './rudp-end.ts';
import { RudpError } from './rudp-error.ts';
import { OFFER_DATAGRAM_BYTES_MAX } from './stream-offer.ts';

/** An id is a byte, and 0 means none. */
const IDS = 255;
/** Connections that are made or open; ended ones that still answer are dropped when there is no id left. */
const OPEN_MAX = 128;
/** Bytes that peers may be promised room for, beyond what each connection has at first. */
const PROMISED_BYTES_MAX = 64 << 20;
/** Packets in the name of a peer with another id than ours, while a connection to it is made: more are guesses of one who forges its address. */
const WRONG_IDS_MAX = 4;
/** A malformed packet costs little, but a longer one than any of ours and LimeWire's nothing. */
const DATAGRAM_BYTES_MAX = 4_096 + 23;

export interface RudpTableParts {
  readonly random: Random;
  /** Whether connections offer the stream extension. */
  readonly extended: boolean;
}

export class RudpTable {
  readonly ends = new ReasonCounts<RudpEnd>(RUDP_ENDS);
  readonly counters = new RudpCounters();
  readonly #parts: RudpTableParts;
  /** By our id, in the order of their opening. */
  readonly #connections = new LazyMap<number, RudpConnection>();
  /** Bytes promised beyond the first, all together and by id. */
  #promised = 0;
  readonly #promises = new LazyMap<number, number>();

  constructor(parts: RudpTableParts) {
    this.#parts = parts;
  }

  /** Those that have ended and still answer late packets too. */
  get size(): number {
    return this.#connections.size;
  }

  /** How many connections are in each state. */
  get states(): Record<RudpState, number> {
    const states = { connecting: 0, connected: 0, closed: 0 };
    for (const { state } of this.connections) states[state]++;
    return states;
  }

  get connections(): Iterable<RudpConnection> {
    return this.#connections.values();
  }

  /** Begins to connect; `events` is told how it goes. Throws RudpError. */
  open(peer: Endpoint, role: RudpRole, events: RudpEvents, now: number): RudpConnection {
    let open = 0;
    for (const each of this.connections) {
      if (each.state === 'closed') continue;
      open++;
      if (each.state === 'connecting' && isAt(each, peer))
        throw new RudpError('RUDP_TWICE', `a connection to ${formatEndpoint(peer)} by UDP is being made`);
    }
    if (open >= OPEN_MAX) throw new RudpError('RUDP_BUSY', `${OPEN_MAX} connections by UDP are open`);
    const id = this.#freeId();
    const { random, extended } = this.#parts;
    const tag = random.below(0x1_0000) * 0x1_0000 + random.below(0x1_0000);
    const offer = extended ? { datagramBytes: OFFER_DATAGRAM_BYTES_MAX, tag } : null;
    const mayGrow = (bytes: number) => this.#promise(id, bytes);
    const connection = new RudpConnection({ id, peer, role, offer, random, mayGrow }, now);
    connection.events = this.#counted(connection, events);
    this.#connections.set(id, connection);
    this.counters.opened++;
    return connection;
  }

  #counted(connection: RudpConnection, events: RudpEvents): RudpEvents {
    const { counters } = this;
    return {
      onConnected: () => {
        counters.connected++;
        if (connection.extended) counters.extended++;
        events.onConnected();
      },
      onReadable: () => events.onReadable(),
      onWritable: () => events.onWritable(),
      onClosed: error => {
        if (error !== null && error.code !== 'RUDP_CLOSED') counters.failed++;
        events.onClosed(error);
      },
    };
  }

  #promise(id: number, bytes: number): boolean {
    if (this.#promised + bytes > PROMISED_BYTES_MAX) return false;
    this.#promised += bytes;
    this.#promises.set(id, (this.#promises.get(id) ?? 0) + bytes);
    return true;
  }

  /** By chance: one in turn could be foretold. */
  #freeId(): number {
    let id = this.#parts.random.below(IDS);
    for (let tries = 0; tries < IDS; tries++) {
      id = (id % IDS) + 1;
      if (!this.#connections.has(id)) return id;
    }
    for (const connection of this.connections) {
      if (connection.state !== 'closed') continue;
      this.#remove(connection);
      return connection.id;
    }
    throw new RudpError('RUDP_BUSY', 'all ids of connections are taken');
  }

  #remove(connection: RudpConnection): void {
    this.#connections.delete(connection.id);
    this.#promised -= this.#promises.get(connection.id) ?? 0;
    this.#promises.delete(connection.id);
  }

  /** One datagram of function byte 0x41; how it ended, counted already. `bytes` is kept. */
  receive(bytes: Buffer, from: Endpoint, now: number): RudpEnd {
    const end = this.#receive(bytes, from, now);
    this.ends.count(end);
    return end;
  }

  #receive(bytes: Buffer, from: Endpoint, now: number): RudpEnd {
    if (bytes.length > DATAGRAM_BYTES_MAX || bytes.length < 2) return 'malformed';
    // strangers cost no more than this
    const connection = this.#connectionOf(bytes, from);
    if (connection === null) {
      this.#onWrongId(bytes, from, now);
      return 'stranger';
    }
    const { counters } = this;
    counters.packetsIn++;
    counters.bytesIn += bytes.length;
    let packet: RudpPacket;
    try {
      packet = parseRudpPacket(bytes);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return 'malformed';
    }
    return connection.receive(packet, now);
  }

  /** Without the tag of the extension an id is all that a peer proves its address with: it is not to be found by trying. */
  #onWrongId(bytes: Buffer, from: Endpoint, now: number): void {
    const connection = bytes[0] === 0 ? null : this.#connectingTo(from);
    if (connection !== null && ++connection.wrongIds > WRONG_IDS_MAX) connection.abort(now);
  }

  /** Whether a datagram belongs to a connection: its sender and the id in it are known. */
  knows(bytes: Buffer, from: Endpoint): boolean {
    return bytes.length > 1 && this.#connectionOf(bytes, from) !== null;
  }

  #connectionOf(bytes: Buffer, from: Endpoint): RudpConnection | null {
    const id = bytes[0] ?? 0;
    if (id === 0) return (bytes[1] ?? 0) >> 4 === 0 ? this.#connectingTo(from) : null;
    const connection = this.#connections.get(id);
    return connection !== undefined && isAt(connection, from) ? connection : null;
  }

  /** A SYN whose sender does not know our id: nothing is made of a stranger's. */
  #connectingTo(peer: Endpoint): RudpConnection | null {
    for (const each of this.connections) if (each.state === 'connecting' && isAt(each, peer)) return each;
    return null;
  }

  /** Sends all that may be sent now. `most`: bytes at most, about. Returns how many went out. */
  flush(now: number, send: (bytes: Buffer, to: Endpoint) => void, most = Number.POSITIVE_INFINITY): number {
    let sent = 0;
    let last: RudpConnection | null = null;
    for (const connection of this.connections) {
      if (sent >= most) break;
      last = connection;
      while (sent < most) {
        const bytes = connection.poll(now);
        if (bytes === null) break;
        sent += bytes.length;
        this.counters.packetsOut++;
        send(bytes, connection.peer);
      }
    }
    if (last !== null && sent >= most) {
      // the others come first the next time
      this.#connections.delete(last.id);
      this.#connections.set(last.id, last);
    }
    this.counters.bytesOut += sent;
    return sent;
  }

  /** Does what is due; when to be called again, with a flush() after it. Infinity: there are no connections. */
  tick(now: number): number {
    let due = Number.POSITIVE_INFINITY;
    for (const connection of this.connections) {
      if (connection.isOver(now)) this.#remove(connection);
      else due = Math.min(due, connection.tick(now));
    }
    return due;
  }

  /** Ends all connections at once; a last flush() tells the peers. */
  close(now: number): void {
    for (const connection of this.connections) connection.abort(now);
  }
}

function isAt({ peer }: RudpConnection, { host, port }: Endpoint): boolean {
  return peer.port === port && peer.host === host;
}
