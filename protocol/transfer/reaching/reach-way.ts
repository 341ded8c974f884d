// The ways to reach a source of a download, in the order in which they are tried.

export const REACH_WAYS = [
  /** We connect to it. */
  'direct',
  /** A push by datagram to it, or to its push proxies. */
  'datagram',
  /** A push that a push proxy was asked for over HTTP. */
  'proxy',
  /** The same of a push proxy that the DHT named. */
  'dht',
  /** A push along the links that its hits came over. */
  'overlay',
  /** Both are firewalled: a stream by UDP. */
  'rudp',
  /** Both are firewalled: an ultrapeer that volunteered passes the bytes on. */
  'relay',
] as const;
export type ReachWay = (typeof REACH_WAYS)[number];

export function isReachWay(text: string): text is ReachWay {
  return (REACH_WAYS as readonly string[]).includes(text);
}
