// How a datagram ended, and what takes the datagrams of one descriptor type.
import type { Endpoint } from '../../wire/endpoint.ts';
import type { Frame } from '../../wire/frame-reader.ts';

export const DATAGRAM_ENDS = [
  'taken',
  'too_long',
  'malformed',
  'address',
  'rate',
  'answer_rate',
  'answer_too_long',
  'pong_unasked',
  'hit_unasked',
  'offer_unasked',
  'push_unasked',
  'not_spoken',
  'unknown',
  /** We failed on it: a bug of ours. */
  'internal',
] as const;
export type DatagramEnd = (typeof DATAGRAM_ENDS)[number];

/** Takes one datagram within the limits of its sender. The frame ends with the call. May throw ProtocolError: malformed. */
export type DatagramHandler = (frame: Frame, from: Endpoint, now: number) => DatagramEnd;
