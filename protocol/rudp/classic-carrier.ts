// Carries the bytes of a connection in LimeWire's packets. A FIN ends both directions.
import type { ByteQueue } from './byte-queue.ts';
import type { Carrier } from './carrier.ts';
import { ClassicReceiver } from './classic-receiver.ts';
import { ClassicSender } from './classic-sender.ts';
import { encodeRudpPacket, FinReason, type RudpPacket } from './packet.ts';
import type { RudpEnd } from './rudp-end.ts';
import { low, SPAN_16 } from './sequence.ts';

const WRITE_BYTES_MAX = 32_768;
const FIN_AGAIN_MS = 400;
const FIN_SENDS_MAX = 2;
/** After a FIN, missing packets are waited for so long. */
const GAP_MS = 5_000;

export class ClassicCarrier implements Carrier {
  readonly sender: ClassicSender;
  readonly #receiver: ClassicReceiver;
  readonly #outgoing: ByteQueue;
  readonly #peerId: number;
  #ending = false;
  #finSends = 0;
  #finAt = Number.POSITIVE_INFINITY;
  #finAcked = false;
  #gapEndsAt = Number.POSITIVE_INFINITY;
  #failure: number | null = null;
  /** The room that the peer was told of last. */
  #spaceTold: number;
  #tell = false;

  constructor(outgoing: ByteQueue, incoming: ByteQueue, peerId: number) {
    this.#outgoing = outgoing;
    this.sender = new ClassicSender(outgoing);
    this.#receiver = new ClassicReceiver(incoming);
    this.#spaceTold = this.#receiver.space;
    this.#peerId = peerId;
  }

  receive(packet: RudpPacket, now: number): RudpEnd {
    switch (packet.kind) {
      case 'ack':
        return this.#onAck(packet.sequence, packet.windowStart, packet.windowSpace, now);
      case 'keep_alive':
        return this.sender.onWindow(packet.windowStart, packet.windowSpace, now) ? 'taken' : 'never_sent';
      case 'data':
        return this.#receiver.onData(packet.sequence, packet.payload);
      case 'fin':
        return this.#onFin(packet.sequence, packet.reason, now);
      default:
        return 'unexpected';
    }
  }

  #onAck(sequence: number, windowStart: number, windowSpace: number, now: number): RudpEnd {
    if (this.#finSends > 0 && sequence === low(this.sender.next, SPAN_16)) {
      this.#finAcked = true;
      return 'taken';
    }
    return this.sender.onAck(sequence, windowStart, windowSpace, now) ? 'taken' : 'never_sent';
  }

  #onFin(sequence: number, reason: number, now: number): RudpEnd {
    const end = this.#receiver.onFin(sequence);
    if (end === 'taken') this.#gapEndsAt = now + GAP_MS;
    if (reason !== FinReason.Normal && reason !== FinReason.YouClosed) this.#failure ??= reason;
    this.sender.clear();
    return end;
  }

  pollAnswer(): Buffer | null {
    const acked = this.#receiver.nextAck();
    return acked === null ? null : this.#ack(acked);
  }

  get hasAnswer(): boolean {
    return this.#receiver.acksWait;
  }

  poll(now: number): Buffer | null {
    const answer = this.pollAnswer();
    if (answer !== null) return answer;
    if (this.#tell) return this.keepAlive(now);
    if (this.#receiver.finArrived) return null;
    const data = this.sender.poll(now);
    if (data !== null) {
      const { sequence, payload } = data;
      return encodeRudpPacket({ kind: 'data', peerId: this.#peerId, sequence: low(sequence, SPAN_16), payload });
    }
    if (this.sender.failed) this.#failure ??= FinReason.TooManyResends;
    if (!this.#ending || !this.sender.empty || this.#finSends >= FIN_SENDS_MAX || now < this.#finDueAt) return null;
    this.#finSends++;
    this.#finAt = now;
    return this.farewell(FinReason.Normal);
  }

  get #finDueAt(): number {
    return this.#finSends === 0 ? 0 : this.#finAt + FIN_AGAIN_MS;
  }

  #ack(sequence: number): Buffer {
    return encodeRudpPacket({ kind: 'ack', peerId: this.#peerId, sequence: low(sequence, SPAN_16), ...this.#window() });
  }

  #window(): { windowStart: number; windowSpace: number } {
    this.#tell = false;
    this.#spaceTold = this.#receiver.space;
    return { windowStart: low(this.#receiver.next, SPAN_16), windowSpace: this.#spaceTold };
  }

  tick(now: number): number {
    if (now >= this.#gapEndsAt && !this.#receiver.ended) this.#failure ??= FinReason.Timeout;
    if (this.#finSends === FIN_SENDS_MAX && now >= this.#finDueAt) this.#finAcked = true; // nobody is there any more
    if (this.#receiver.acksWait || this.#tell) return now;
    if (this.#receiver.finArrived) return this.#gapEndsAt;
    const finAt = this.#ending && this.sender.empty && !this.#finAcked ? this.#finDueAt : Number.POSITIVE_INFINITY;
    return Math.min(this.sender.dueAt(now), Math.max(finAt, now));
  }

  get room(): number {
    return this.#ending || this.#receiver.finArrived ? 0 : Math.max(0, WRITE_BYTES_MAX - this.#outgoing.length);
  }

  onRead(): void {
    const { space } = this.#receiver;
    if (this.#spaceTold < 4 && space > this.#spaceTold + 4) this.#tell = true;
  }

  end(): void {
    this.#ending = true;
  }

  get sentAll(): boolean {
    return this.#finAcked || this.#receiver.finArrived;
  }

  get peerEnded(): boolean {
    return this.#finAcked || this.#receiver.ended;
  }

  get failure(): number | null {
    return this.#failure;
  }

  keepAlive(_now: number): Buffer {
    return encodeRudpPacket({ kind: 'keep_alive', peerId: this.#peerId, ...this.#window() });
  }

  farewell(reason: number): Buffer {
    return encodeRudpPacket({
      kind: 'fin',
      peerId: this.#peerId,
      sequence: low(this.sender.next, SPAN_16),
      reason,
    });
  }
}
