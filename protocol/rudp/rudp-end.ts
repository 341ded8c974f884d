// How a packet of reliable UDP ended.

export const RUDP_ENDS = [
  'taken',
  /** It had arrived before. */
  'duplicate',
  'malformed',
  /** No connection of ours has this id and this peer. */
  'stranger',
  /** Its connection is not in a state for it. */
  'unexpected',
  /** Farther ahead than we said we have room for. */
  'beyond_window',
  /** It acknowledges what we never sent. */
  'never_sent',
  /** Without the tag that we gave the peer: somebody else sent it. */
  'wrong_tag',
  /** For a connection that is over. */
  'late',
] as const;
export type RudpEnd = (typeof RUDP_ENDS)[number];
