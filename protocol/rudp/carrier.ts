// The port of a connection to what carries its bytes: LimeWire's packets, or those of the stream extension.
import type { RudpPacket } from './packet.ts';
import type { RudpEnd } from './rudp-end.ts';

export interface Carrier {
  receive(packet: RudpPacket, now: number): RudpEnd;
  /** The next datagram that may be sent now; null: none. */
  poll(now: number): Buffer | null;
  /** The next datagram that only answers, for a connection that is over; null: none. */
  pollAnswer(now: number): Buffer | null;
  /** Whether pollAnswer() has one. */
  readonly hasAnswer: boolean;
  /** Notes what is due; when to be called again. */
  tick(now: number): number;
  /** Bytes that may be written. */
  readonly room: number;
  /** Bytes were read, so there is room for others. */
  onRead(now: number): void;
  /** Nothing more is written: the peer is told when all has arrived. */
  end(now: number): void;
  /** The peer has everything, and knows that it is everything. */
  readonly sentAll: boolean;
  /** Everything of the peer has come. */
  readonly peerEnded: boolean;
  /** Why the connection cannot go on, as in a FIN; null: it can. */
  readonly failure: number | null;
  /** Shows the peer that we are there. */
  keepAlive(now: number): Buffer;
  /** Tells the peer that the connection is over. */
  farewell(reason: number): Buffer;
}
