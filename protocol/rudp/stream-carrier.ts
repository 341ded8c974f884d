// Carries the bytes of a connection between two servents that know the stream extension. Each direction ends by itself.

import type { Carrier } from './carrier.ts';
import { encodeRudpPacket, FinReason, type RudpPacket } from './packet.ts';
import type { RudpEnd } from './rudp-end.ts';
import { StreamReceiver, type StreamReceiverParts } from './stream-receiver.ts';
import { StreamSender, type StreamSenderParts } from './stream-sender.ts';

export interface StreamCarrierParts extends StreamSenderParts, StreamReceiverParts {
  /** The tag that we offered. */
  readonly ownTag: number;
}

export class StreamCarrier implements Carrier {
  readonly sender: StreamSender;
  readonly receiver: StreamReceiver;
  readonly #parts: StreamCarrierParts;
  #failure: number | null = null;

  constructor(parts: StreamCarrierParts, now: number) {
    this.#parts = parts;
    this.sender = new StreamSender(parts, now);
    this.receiver = new StreamReceiver(parts, now);
  }

  receive(packet: RudpPacket, now: number): RudpEnd {
    if (packet.kind !== 'segment' && packet.kind !== 'report' && packet.kind !== 'abort') return 'unexpected';
    if (packet.tag !== this.#parts.ownTag) return 'wrong_tag';
    switch (packet.kind) {
      case 'segment':
        return this.receiver.onSegment(packet, now);
      case 'report':
        return this.sender.onReport(packet, now);
      case 'abort':
        this.#failure ??= packet.reason;
        return 'taken';
    }
  }

  pollAnswer(now: number): Buffer | null {
    return now >= this.receiver.reportAt ? this.keepAlive(now) : null;
  }

  get hasAnswer(): boolean {
    return this.receiver.reportAt < Number.POSITIVE_INFINITY;
  }

  poll(now: number): Buffer | null {
    return this.pollAnswer(now) ?? this.sender.poll(now);
  }

  tick(now: number): number {
    return Math.min(this.sender.tick(now), this.receiver.reportAt);
  }

  get room(): number {
    return this.sender.room;
  }

  onRead(now: number): void {
    this.receiver.onRead(now);
  }

  end(): void {
    this.sender.end();
  }

  get sentAll(): boolean {
    return this.sender.sentAll;
  }

  get peerEnded(): boolean {
    return this.receiver.ended;
  }

  get failure(): number | null {
    return this.sender.cheated ? FinReason.SendError : this.#failure;
  }

  keepAlive(now: number): Buffer {
    return encodeRudpPacket(this.receiver.report(this.#parts.peerId, this.#parts.tag, now));
  }

  farewell(reason: number): Buffer {
    return encodeRudpPacket({ kind: 'abort', peerId: this.#parts.peerId, tag: this.#parts.tag, reason });
  }
}
