// One connection over reliable UDP: the SYNs of both sides, then bytes in order in both directions, then its end.
import type { Random } from '../ports.ts';
import type { Endpoint } from '../wire/endpoint.ts';
import { ByteQueue } from './byte-queue.ts';
import type { Carrier } from './carrier.ts';
import { ClassicCarrier } from './classic-carrier.ts';
import { CLASSIC_WINDOW } from './classic-sender.ts';
import { encodeRudpPacket, FinReason, type RudpPacket, type RudpRole, type SynPacket } from './packet.ts';
import type { RudpEnd } from './rudp-end.ts';
import { RudpError } from './rudp-error.ts';
import { StreamCarrier } from './stream-carrier.ts';
import type { StreamOffer } from './stream-offer.ts';

/** As LimeWire does. */
const SYN_EVERY_MS = 400;
/** A SYN is sent again when the peer's comes so long after it. */
const SYN_AGAIN_MS = 100;
const CONNECT_MS = 20_000;
const SILENCE_MS = 20_000;
const KEEP_ALIVE_MS = 2_500;
/** A connection in LimeWire's manner without data or acknowledgements ends after so long. */
const IDLE_MS = 60_000;
/** After the end, late packets of the peer are answered for so long. */
export const LINGER_MS = 30_000;
/** Answers to late packets. */
const LATE_ANSWERS_MAX = 8;
const VERSION = 1;
/** Before a round trip has been measured. */
const ROUND_TRIP_MS = 200;
const SYNS_FOR_MEASURE = 1;

/** Called during the connection's methods. */
export interface RudpEvents {
  onConnected(): void;
  /** Bytes came, or the end of the peer's. */
  onReadable(): void;
  /** Bytes can be written. */
  onWritable(): void;
  /** Once, unless close() did it. Null: both directions ended in order. What came before can still be read. */
  onClosed(error: RudpError | null): void;
}

export interface RudpConnectionParts {
  /** 1 to 255. */
  readonly id: number;
  readonly peer: Endpoint;
  readonly role: RudpRole;
  /** Null: LimeWire's packets alone. */
  readonly offer: StreamOffer | null;
  readonly random: Random;
  /** See StreamReceiverParts. */
  readonly mayGrow: (bytes: number) => boolean;
}

export type RudpState = 'connecting' | 'connected' | 'closed';

export class RudpConnection {
  readonly id: number;
  readonly peer: Endpoint;
  readonly role: RudpRole;
  state: RudpState = 'connecting';
  events: RudpEvents | null = null;
  /** Packets of the peer's address with another id, while it connects. */
  wrongIds = 0;
  readonly #parts: RudpConnectionParts;
  readonly #outgoing = new ByteQueue();
  readonly #incoming = new ByteQueue();
  readonly #begunAt: number;
  #peerId = 0;
  #theirs: SynPacket | null = null;
  #synAcked = false;
  #syns = 0;
  #synAt = Number.NEGATIVE_INFINITY;
  #roundTripMs = ROUND_TRIP_MS;
  /** Acknowledgements of SYNs that are still to be sent. */
  #synAcks = 0;
  #carrier: Carrier | null = null;
  #heardAt: number;
  #usedAt: number;
  #sentAt: number;
  #closedAt = 0;
  #farewell: Buffer | null = null;
  #lateAnswers = 0;
  #wasFull = false;
  #inOrder = false;
  #leftAt: number | null = null;

  constructor(parts: RudpConnectionParts, now: number) {
    this.#parts = parts;
    this.id = parts.id;
    this.peer = parts.peer;
    this.role = parts.role;
    this.#begunAt = now;
    this.#heardAt = now;
    this.#usedAt = now;
    this.#sentAt = now;
  }

  /** Both sides know the stream extension. False before the peer's SYN. */
  get extended(): boolean {
    return this.#parts.offer !== null && this.#theirs?.offer != null;
  }

  get carrier(): Carrier | null {
    return this.#carrier;
  }

  // --- packets

  /** A packet from the peer's address for this connection. */
  receive(packet: RudpPacket, now: number): RudpEnd {
    const end = this.#take(packet, now);
    if (end === 'taken' || end === 'duplicate') this.#heardAt = now;
    this.#after(now);
    return end;
  }

  #take(packet: RudpPacket, now: number): RudpEnd {
    if (packet.kind === 'syn') return this.#onSyn(packet, now);
    if (this.state === 'closed') return this.#onLate(packet, now);
    if (this.state === 'connecting') {
      const early = this.#onEarly(packet, now);
      if (early !== null) return early;
    }
    const carrier = this.#carrier;
    if (carrier === null) return 'unexpected';
    if (packet.kind === 'ack' && this.extended) return packet.sequence === 0 ? 'duplicate' : 'unexpected';
    const end = carrier.receive(packet, now);
    if (end === 'taken' && packet.kind !== 'keep_alive') this.#usedAt = now;
    return end;
  }

  /** Null: the packet shows that the peer is connected, as we are from then on, and is taken as usual. */
  #onEarly(packet: RudpPacket, now: number): RudpEnd | null {
    if (packet.kind === 'ack') {
      if (packet.sequence !== 0) return 'never_sent';
      if (!this.#synAcked && this.#syns === SYNS_FOR_MEASURE) this.#roundTripMs = Math.max(1, now - this.#synAt);
      this.#synAcked = true;
      this.#connectIfReady(now);
      return 'taken';
    }
    // it is sent to our id, which the peer knows by our SYN alone
    if (this.#theirs === null || this.extended !== 'tag' in packet) return 'unexpected';
    if ('tag' in packet && packet.tag !== this.#parts.offer?.tag) return 'wrong_tag';
    this.#synAcked = true;
    this.#connectIfReady(now);
    return null;
  }

  #onSyn(syn: SynPacket, now: number): RudpEnd {
    const isOther = syn.role !== null && syn.role === this.role;
    if (isOther || (this.#theirs !== null && syn.id !== this.#theirs.id)) return 'unexpected';
    if (this.state === 'closed') return 'late';
    this.#synAcks = Math.min(this.#synAcks + 1, 2);
    if (this.#theirs !== null) return 'duplicate';
    this.#theirs = syn;
    this.#peerId = syn.id;
    // our SYNs before were probably lost: routers let packets in only now
    if (now - this.#synAt > SYN_AGAIN_MS) this.#synAt = Number.NEGATIVE_INFINITY;
    this.#connectIfReady(now);
    return 'taken';
  }

  #connectIfReady(now: number): void {
    if (this.state !== 'connecting' || this.#theirs === null || !this.#synAcked) return;
    this.state = 'connected';
    this.#usedAt = now;
    const { offer, random, mayGrow } = this.#parts;
    const theirs = this.#theirs.offer;
    const outgoing = this.#outgoing;
    const incoming = this.#incoming;
    const peerId = this.#peerId;
    this.#carrier =
      offer === null || theirs === null
        ? new ClassicCarrier(outgoing, incoming, peerId)
        : new StreamCarrier(
            {
              ...{ outgoing, incoming, peerId, random, mayGrow },
              tag: theirs.tag,
              ownTag: offer.tag,
              datagramBytes: Math.min(offer.datagramBytes, theirs.datagramBytes),
              roundTripMs: this.#roundTripMs,
            },
            now,
          );
    this.events?.onConnected();
  }

  /** What comes late is answered as before the end, or the end is told again; a few times. */
  #onLate(packet: RudpPacket, now: number): RudpEnd {
    const carrier = this.#carrier;
    const isAnswered = packet.kind === 'data' || packet.kind === 'segment' || packet.kind === 'fin';
    if (carrier === null || !isAnswered || this.#lateAnswers >= LATE_ANSWERS_MAX) return 'late';
    if ('tag' in packet && packet.tag !== this.#parts.offer?.tag) return 'wrong_tag';
    this.#lateAnswers++;
    if (this.#inOrder) carrier.receive(packet, now);
    else this.#farewell = carrier.farewell(FinReason.YouClosed);
    return 'late';
  }

  /** Tells what has changed. */
  #after(now: number): void {
    const carrier = this.#carrier;
    if (carrier === null || this.state !== 'connected') return;
    if (this.#leftAt !== null) this.#afterLeaving(carrier, now);
    else this.#afterReading(carrier, now);
  }

  #afterReading(carrier: Carrier, now: number): void {
    if (this.#incoming.length > 0 || carrier.peerEnded) this.events?.onReadable();
    if (carrier.failure !== null) this.#fail(carrier.failure, now);
    if (this.#wasFull && carrier.room > 0) {
      this.#wasFull = false;
      this.events?.onWritable();
    }
    if (carrier.sentAll && carrier.peerEnded) this.#close(null, now);
  }

  /** Nobody reads any more; what was written still goes out. */
  #afterLeaving(carrier: Carrier, now: number): void {
    this.#incoming.clear();
    const gaveUp = now >= (this.#leftAt ?? 0) + LINGER_MS;
    if (carrier.failure === null && !carrier.sentAll && !gaveUp) return;
    if (carrier.failure === null && !carrier.peerEnded) this.#farewell = carrier.farewell(FinReason.Normal);
    this.#close(null, now);
  }

  #fail(reason: number, now: number): void {
    const text = REASONS[reason] ?? 'the peer ended the connection';
    this.#close(new RudpError(reason === FinReason.Timeout ? 'RUDP_SILENT' : 'RUDP_BROKEN', text), now);
  }

  // --- bytes

  /** Takes as many bytes as there is room for, which may be none: then onWritable() is called later. */
  write(bytes: Buffer): number {
    const room = this.state === 'connected' ? (this.#carrier?.room ?? 0) : 0;
    const some = Math.min(room, bytes.length);
    if (some > 0) this.#outgoing.push(bytes, 0, some);
    if (some < bytes.length) this.#wasFull = true;
    return some;
  }

  /** Bytes that can be read. */
  get readable(): number {
    return this.#incoming.length;
  }

  /** The next bytes, at most `most`, or null. */
  read(most: number, now: number): Buffer | null {
    const bytes = this.#incoming.take(most);
    if (bytes !== null) this.#carrier?.onRead(now);
    return bytes;
  }

  /** The peer has said that nothing more comes, and everything was read. */
  get ended(): boolean {
    return this.#incoming.length === 0 && (this.#carrier?.peerEnded ?? false);
  }

  /** Nothing more is written. */
  end(now: number): void {
    this.#carrier?.end(now);
  }

  /** After end(): nobody reads any more, and no event is wanted. What was written is still sent. */
  leave(now: number): void {
    this.events = null;
    this.#leftAt ??= now;
    this.#after(now);
  }

  /** Ends both directions at once; onClosed() is called unless it was. */
  abort(now: number): void {
    if (this.state === 'closed') return;
    if (this.state === 'connected') this.#farewell = this.#carrier?.farewell(FinReason.Normal) ?? null;
    this.#close(new RudpError('RUDP_CLOSED', 'the connection was closed'), now);
  }

  #close(error: RudpError | null, now: number): void {
    if (this.state === 'closed') return;
    this.#inOrder = error === null;
    this.state = 'closed';
    this.#closedAt = now;
    this.#outgoing.clear();
    this.events?.onClosed(error);
    this.events = null;
  }

  // --- time

  /** The next datagram to send; null: none now. */
  poll(now: number): Buffer | null {
    const bytes = this.#next(now);
    if (bytes !== null) this.#sentAt = now;
    return bytes;
  }

  #next(now: number): Buffer | null {
    if (this.#farewell !== null) {
      const farewell = this.#farewell;
      this.#farewell = null;
      return farewell;
    }
    if (this.#synAcks > 0) {
      this.#synAcks--;
      return encodeRudpPacket({
        kind: 'ack',
        peerId: this.#peerId,
        sequence: 0,
        windowStart: 1,
        windowSpace: CLASSIC_WINDOW,
      });
    }
    if (this.state === 'connecting') return this.#syn(now);
    const carrier = this.#carrier;
    if (carrier === null) return null;
    if (this.state === 'closed') return carrier.pollAnswer(now);
    const bytes = carrier.poll(now);
    if (bytes !== null) return bytes;
    return now >= this.#sentAt + KEEP_ALIVE_MS ? carrier.keepAlive(now) : null;
  }

  #syn(now: number): Buffer | null {
    // both SYNs have come: what is missing is the acknowledgement of ours, which a new one asks for
    if (now < this.#synAt + SYN_EVERY_MS) return null;
    this.#synAt = now;
    this.#syns++;
    const { id, role, offer } = this.#parts;
    return encodeRudpPacket({ kind: 'syn', peerId: this.#peerId, id, version: VERSION, role, offer });
  }

  /** Does what is due; when to be called again. Before that, poll() has nothing unless something comes in. */
  tick(now: number): number {
    switch (this.state) {
      case 'connecting':
        if (now >= this.#begunAt + CONNECT_MS) {
          this.#close(new RudpError('RUDP_NO_ANSWER', 'the peer did not answer by UDP'), now);
          return now + LINGER_MS;
        }
        return this.#synAcks > 0 ? now : Math.min(this.#synAt + SYN_EVERY_MS, this.#begunAt + CONNECT_MS);
      case 'connected':
        return this.#tickConnected(now);
      case 'closed':
        return this.#tellsMore ? now : this.#closedAt + LINGER_MS;
    }
  }

  #tickConnected(now: number): number {
    const carrier = this.#carrier;
    if (carrier === null) return Number.POSITIVE_INFINITY;
    const due = carrier.tick(now);
    this.#after(now);
    if (this.state !== 'connected') return now;
    const silentAt = this.#heardAt + SILENCE_MS;
    const idleAt = this.extended ? Number.POSITIVE_INFINITY : this.#usedAt + IDLE_MS;
    if (now >= Math.min(silentAt, idleAt)) {
      this.#farewell = carrier.farewell(FinReason.Timeout);
      this.#fail(FinReason.Timeout, now);
      return now;
    }
    return this.#synAcks > 0 ? now : Math.min(due, silentAt, idleAt, this.#sentAt + KEEP_ALIVE_MS);
  }

  get #tellsMore(): boolean {
    return this.#farewell !== null || this.#synAcks > 0 || (this.#carrier?.hasAnswer ?? false);
  }

  /** Nothing of it is needed any more. */
  isOver(now: number): boolean {
    const lingers = this.#carrier !== null && now < this.#closedAt + LINGER_MS;
    return this.state === 'closed' && !lingers && !this.#tellsMore;
  }
}

const REASONS: Readonly<Record<number, string>> = {
  [FinReason.Normal]: 'the peer ended the connection',
  [FinReason.YouClosed]: 'the peer ended the connection',
  [FinReason.Timeout]: 'nothing was heard of the peer for too long',
  [FinReason.LargePacket]: 'a packet was too large for the peer',
  [FinReason.TooManyResends]: 'packets do not arrive at the peer',
  [FinReason.SendError]: 'the peer could not send, or took what was never sent',
};
