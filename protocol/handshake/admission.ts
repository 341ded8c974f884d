// Accept or refuse this peer: roles, slots and headers in, verdict out. Pure.
import type { Capabilities, PeerRole, Role } from './capabilities.ts';

export interface Slots {
  used: number;
  max: number;
}

export interface AdmissionContext {
  direction: 'in' | 'out';
  /** Ours, now. */
  role: Role;
  leaves: Slots;
  /** Links to ultrapeers, whatever our own role; legacy peers count here. */
  ultrapeers: Slots;
  /** A link to the peer's address and port is up. */
  addressConnected: boolean;
  /** A link to a servent of the peer's GUID is up, or that GUID is our own. */
  guidConnected: boolean;
  /** Address on the hostile list. */
  hostile: boolean;
  /** Too many connects of this address lately. */
  hammering: boolean;
  closing: boolean;
  /** Take peers without X-Ultrapeer, and 0.4, as neighbours like ultrapeers. */
  acceptLegacy: boolean;
  /** As ultrapeer: may a peer's guidance make us its leaf? */
  mayBecomeLeaf: boolean;
  /** When we started, milliseconds since 1970: the younger of two ultrapeers gives way. Null when unknown. */
  liveSince: number | null;
}

export type Verdict =
  | { kind: 'accept'; peerRole: PeerRole; ourRole: Role; ultrapeerNeeded: boolean | null }
  | { kind: 'refuse'; code: number; text: string };

export declare function admit(peer: Capabilities, context: AdmissionContext): Verdict;
