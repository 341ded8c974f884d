// The connection handshake as a state machine without sockets: 0.6 in three steps and 0.4, both directions.
import type { Endpoint } from '../wire/endpoint.ts';
import type { Verdict } from './admission.ts';
import type { Capabilities, PeerRole, ProtocolVersion, Role } from './capabilities.ts';

/** What we say about ourselves. */
export interface LocalHello {
  /** "name/version"; deployed ultrapeers refuse peers without it. */
  userAgent: string;
  role: Role;
  listen: Endpoint | null;
  /** 16 bytes. */
  guid: Buffer | null;
  degree: number;
  maxTtl: number;
  /** Offer and use stream deflate. */
  deflate: boolean;
  /** "name/version", in order; gtk-gnutella never sees the first one, so a dummy goes before them. */
  features: readonly string[];
  /** RFC 822 date of our start, e.g. "Sun, 01 Jun 2025 10:23:29 +0000". */
  liveSince: string | null;
  /** "0.2" when GUESS is served. */
  guess: string | null;
  /** More headers, exact case; at most 4. */
  extras: readonly (readonly [name: string, value: string])[];
}

export interface Neighbours {
  peers: Endpoint[];
  leaves: Endpoint[];
}

export interface HandshakeOptions {
  direction: 'in' | 'out';
  local: LocalHello;
  /** The peer's IP as the socket has it; becomes Remote-IP. */
  remoteAddress: string;
  /** Called once, when the peer has introduced itself. Use admit() of admission.ts for it. */
  admit: (peer: Capabilities) => Verdict;
  /** Fresh hosts for X-Try-Ultrapeers; the first 10 are sent. */
  tryUltrapeers: () => Endpoint[];
  /** Answer to a crawler; null refuses it (403). */
  crawl: () => Neighbours | null;
  /** What a connector speaks. */
  version?: ProtocolVersion;
}

export type Outcome =
  | {
      kind: 'accepted';
      version: ProtocolVersion;
      capabilities: Capabilities;
      peerRole: PeerRole;
      ourRole: Role;
      /** What the peer sends is deflated, from the first byte of `rest` on. */
      deflateIn: boolean;
      /** What we send must be deflated, from the first byte after the handshake on. */
      deflateOut: boolean;
      /** Bytes that followed the handshake, still deflated when deflateIn. */
      rest: Buffer;
    }
  | {
      kind: 'refused';
      by: 'us' | 'peer';
      /** Status code; 0 when nothing was or could be said. */
      code: number;
      text: string;
      /** What the peer's own refusal offered. */
      tryUltrapeers: Endpoint[];
      tryHosts: Endpoint[];
      /** When it got as far as introducing itself. */
      capabilities: Capabilities | null;
    }
  | { kind: 'crawled'; userAgent: string | null };

export declare class Handshake {
  constructor(options: HandshakeOptions);
  /** Never throws. Ignored once `outcome` is there, save that bytes after acceptance join `rest`. */
  feed(chunk: Buffer): void;
  /** Bytes to send now, empty when none. A connector's hello is there from the start. */
  take(): Buffer;
  /** Null while under way. Send what take() gives before obeying it: close on refused and crawled. */
  readonly outcome: Outcome | null;
  /** Bytes held while waiting for a blank line: bounded by the header limits. */
  readonly heldBytes: number;
}
