// What one side of a handshake said about itself, read from its headers into one object of fixed shape.
import type { Endpoint } from '../wire/endpoint.ts';
import type { Headers } from './header-block.ts';

export type Role = 'ultrapeer' | 'leaf';
/** `legacy`: no X-Ultrapeer header, or protocol 0.4; floods like an old flat network's servent. */
export type PeerRole = Role | 'legacy';
export type ProtocolVersion = '0.4' | '0.6';

export interface Capabilities {
  /** At most 255 characters, printable. */
  userAgent: string | null;
  role: PeerRole;
  version: ProtocolVersion;
  /** 16 bytes. */
  guid: Buffer | null;
  /** Where the peer says it listens; unverified. */
  listen: Endpoint | null;
  /** Our address as the peer sees it; unverified. */
  remoteIp: string | null;
  /** As written: 0.1, 0.2; 0 when absent. */
  queryRouting: number;
  /** Last-hop QRP between ultrapeers. */
  ultrapeerQueryRouting: boolean;
  dynamicQuerying: boolean;
  degree: number | null;
  maxTtl: number | null;
  extProbes: boolean;
  /** False only when the peer says so: it does not requery on its own. */
  requeries: boolean;
  pongCaching: boolean;
  ggep: boolean;
  vendorMessages: boolean;
  bye: boolean;
  /** Accept-Encoding: it can inflate what we send. */
  deflate: boolean;
  /** Content-Encoding: it deflates what it sends. */
  contentDeflate: boolean;
  /** As written: 0.1, 0.2; 0 when absent. */
  guess: number;
  /** X-Features, lower-case name to version; at most 64. */
  features: Map<string, string>;
  /** Upgrade: TLS/1.0 was offered. */
  tlsUpgrade: boolean;
  /** Milliseconds since 1970. */
  liveSince: number | null;
  /** X-Try-Ultrapeers, at most 32. */
  tryUltrapeers: Endpoint[];
  /** X-Try, at most 32. */
  tryHosts: Endpoint[];
  /** Leaf guidance of an acceptor. */
  ultrapeerNeeded: boolean | null;
  crawler: boolean;
  /** Wants an authenticated, closed network. */
  authChallenge: boolean;
  /** Accepts Gnutella descriptors: false when its Accept or Content-Type names only others (G2). */
  gnutella: boolean;
  locale: string | null;
}

export declare function capabilitiesOf(headers: Headers, version?: ProtocolVersion): Capabilities;
