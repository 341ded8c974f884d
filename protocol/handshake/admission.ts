// Decides whether to accept a peer, by roles, slots and headers. Pure. Status codes and texts are gtk-gnutella's; LimeWire
// always says 503.
import { type Capabilities, isGoodUltrapeer, type PeerRole, type Role } from './capabilities.ts';

export interface Slots {
  /** Established links only: an incoming peer is judged again when it acknowledges. */
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
  /** Too many recent connects from this address. */
  hammering: boolean;
  closing: boolean;
  /** Accept peers without X-Ultrapeer and of protocol 0.4, in ultrapeer slots. */
  acceptLegacy: boolean;
  /** As a leaf, accept only ultrapeers with dynamic querying and a high degree, as gtk-gnutella does: others flood. */
  demandDynamicQuerying: boolean;
  /** As an ultrapeer without leaves, become a peer's leaf when it asks for it. */
  mayBecomeLeaf: boolean;
  /** When we started, milliseconds since 1970, or null: the younger of two ultrapeers becomes the leaf. */
  liveSince: number | null;
  /** Decides between two ultrapeers that started in the same second: the greater GUID becomes the leaf. */
  guid: Buffer | null;
  /**
   * Ask ultrapeers to be our leaves while most leaf slots are free, as LimeWire does. Otherwise only when the ultrapeer
   * slots are full: gtk-gnutella refuses peers that ask it.
   */
  wantsLeaves: boolean;
}

export type Verdict =
  | {
      kind: 'accept';
      peerRole: PeerRole;
      ourRole: Role;
      /** X-Ultrapeer-Needed of the answer: false asks an ultrapeer to become our leaf; null: no header. */
      ultrapeerNeeded: boolean | null;
      /** Refuse the peer if it stays an ultrapeer in its acknowledgement. */
      onlyAsLeaf?: true;
    }
  | { kind: 'refuse'; code: number; text: string };

/** Degree that a gtk-gnutella leaf demands of ultrapeers: it refuses those that say less in X-Degree. */
export const LEAF_DEMANDS_DEGREE = 16;
/** LimeWire asks ultrapeers to be leaves below this share of its leaf slots. */
const LEAVES_WANTED_SHARE = 0.9;

/**
 * Whether to keep the link of this direction when two servents have dialled each other at once. Both keep the one dialled
 * by the greater GUID.
 */
export function staysOfCrossed(direction: 'in' | 'out', ours: Buffer, theirs: Buffer): boolean {
  return ours.compare(theirs) > 0 === (direction === 'out');
}

/** Judges a peer by its headers: a connector's at step 1, an acceptor's at step 2. */
export function admit(peer: Capabilities, context: AdmissionContext): Verdict {
  const objection = objectionTo(peer, context);
  if (objection !== null) return objection;
  if (peer.role === 'legacy' && !context.acceptLegacy) return refuse(403, 'Normal nodes refused');
  return context.role === 'leaf' ? admitAsLeaf(peer, context) : admitAsUltrapeer(peer, context);
}

/** Reasons to refuse the peer whatever slots are free. */
function objectionTo(peer: Capabilities, context: AdmissionContext): Verdict | null {
  if (context.closing) return refuse(503, 'Servent shutting down');
  if (context.hostile) return refuse(550, 'Hostile IP address');
  if (context.hammering && context.direction === 'in') return refuse(429, 'Too many connects, come back later');
  if (peer.authChallenge) return refuse(403, 'Not a network member');
  if (!peer.gnutella) return refuse(406, 'Protocol not acceptable');
  if (context.addressConnected || context.guidConnected) return refuse(409, 'Already connected');
  return null;
}

function admitAsLeaf(peer: Capabilities, context: AdmissionContext): Verdict {
  const { ultrapeers } = context;
  if (peer.role === 'leaf') {
    // a connector takes 204 as a refusal; an acceptor that said 200 would take any 2xx as success
    const code = context.direction === 'in' ? 204 : 503;
    return refuse(code, `Shielded leaf node (${ultrapeers.max} peers max)`);
  }
  const querying = peer.dynamicQuerying && (peer.degree ?? 0) >= LEAF_DEMANDS_DEGREE;
  if (context.demandDynamicQuerying && peer.role === 'ultrapeer' && !querying) {
    return refuse(403, 'High Outdegree and Dynamic Querying Required');
  }
  return isFree(ultrapeers) ? accept(peer.role, 'leaf', null) : tooManyUltrapeers(ultrapeers);
}

function admitAsUltrapeer(peer: Capabilities, context: AdmissionContext): Verdict {
  const { leaves, ultrapeers, direction } = context;
  if (peer.role === 'leaf') {
    return isFree(leaves)
      ? accept('leaf', 'ultrapeer', null)
      : refuse(503, `Too many leaf connections (${leaves.max} max)`);
  }
  if (peer.role === 'legacy') {
    return isFree(ultrapeers) ? accept('legacy', 'ultrapeer', null) : tooManyUltrapeers(ultrapeers);
  }
  if (direction === 'out') {
    if (peer.ultrapeerNeeded === false && obeysGuidance(peer, context)) return accept('ultrapeer', 'leaf', null);
    return isFree(ultrapeers) ? accept('ultrapeer', 'ultrapeer', null) : tooManyUltrapeers(ultrapeers);
  }
  if (isFree(ultrapeers)) {
    const roomy = leaves.used < LEAVES_WANTED_SHARE * leaves.max;
    return accept('ultrapeer', 'ultrapeer', !(context.wantsLeaves && roomy));
  }
  if (!isFree(leaves)) return tooManyUltrapeers(ultrapeers);
  return { kind: 'accept', peerRole: 'ultrapeer', ourRole: 'ultrapeer', ultrapeerNeeded: false, onlyAsLeaf: true };
}

/** Whether to become the peer's leaf: if it has been up longer (gtk-gnutella), or without X-Live-Since if it is a good ultrapeer (LimeWire). */
function obeysGuidance(peer: Capabilities, context: AdmissionContext): boolean {
  if (!context.mayBecomeLeaf || context.leaves.used > 0) return false;
  if (peer.liveSince === null || context.liveSince === null) return isGoodUltrapeer(peer);
  const older = secondOf(context.liveSince) - secondOf(peer.liveSince);
  if (older !== 0 || peer.guid === null || context.guid === null) return older > 0;
  return peer.guid.compare(context.guid) < 0;
}

/** Truncates to the unit of X-Live-Since. */
function secondOf(ms: number): number {
  return Math.floor(ms / 1000);
}

function isFree(slots: Slots): boolean {
  return slots.used < slots.max;
}

function accept(peerRole: PeerRole, ourRole: Role, ultrapeerNeeded: boolean | null): Verdict {
  return { kind: 'accept', peerRole, ourRole, ultrapeerNeeded };
}

function refuse(code: number, text: string): Verdict {
  return { kind: 'refuse', code, text };
}

function tooManyUltrapeers(slots: Slots): Verdict {
  return refuse(503, `Too many ultra connections (${slots.max} max)`);
}
