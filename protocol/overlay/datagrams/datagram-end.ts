// How a datagram ended.

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
  /** Of reliable UDP, to no connection of ours. */
  'no_connection',
  'unknown',
  /** We failed on it: a bug of ours. */
  'internal',
] as const;
export type DatagramEnd = (typeof DATAGRAM_ENDS)[number];
