// What a peer of a swarm knows of one that it is connected with.
import type { Transfer } from '../fluid-links.ts';

export interface Neighbour {
  readonly has: Uint8Array;
  readonly connectedAt: number;
  /** Blocks that it sent in this round and in the one before. */
  received: number;
  receivedBefore: number;
  /** When it last sent a block, or we began to want something of it. */
  usefulAt: number;
  isInterested: boolean;
  isInteresting: boolean;
  /** By us, and us by it. */
  isUnchoked: boolean;
  unchokesUs: boolean;
  /** When each block was asked of it. */
  readonly asked: Map<number, number>;
  /** Blocks that are being sent to it, the first one now. */
  readonly sending: Map<number, Transfer>;
}

export function newNeighbour(has: Uint8Array, now: number): Neighbour {
  return {
    ...{ has, connectedAt: now, usefulAt: now, received: 0, receivedBefore: 0 },
    ...{ isInterested: false, isInteresting: false, isUnchoked: false, unchokesUs: false },
    ...{ asked: new Map(), sending: new Map() },
  };
}
