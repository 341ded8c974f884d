// The UDP port that others see our datagrams come from, once several of them agree: then a router keeps it for all that we send to.

import { LazyMap } from '../../lazy-map.ts';

/** Peers of different networks that must have seen the same port. */
const VOTERS_MIN = 2;
const VOTERS_MAX = 16;
/** What was seen so long ago says nothing. */
const VOTE_MS = 1_800_000;

interface Vote {
  readonly port: number;
  readonly at: number;
}

export class ExternalPort {
  /** By network of the peer that saw it; the oldest gives way. At most VOTERS_MAX. */
  readonly #votes = new LazyMap<string, Vote>();

  /** A peer told at which port it sees us. */
  seen(port: number, voter: string, now: number): void {
    if (port === 0) return;
    this.#votes.delete(voter);
    this.#votes.set(voter, { port, at: now });
    if (this.#votes.size <= VOTERS_MAX) return;
    for (const oldest of this.#votes.keys()) {
      this.#votes.delete(oldest);
      return;
    }
  }

  /** Null: too few have told, or not all saw the same. */
  stable(now: number): number | null {
    const ports = this.#fresh(now);
    return ports.length >= VOTERS_MIN && new Set(ports).size === 1 ? (ports[0] ?? null) : null;
  }

  /** Peers saw us at different ports. */
  varies(now: number): boolean {
    return new Set(this.#fresh(now)).size > 1;
  }

  #fresh(now: number): number[] {
    return [...this.#votes.values()].filter(({ at }) => now - at <= VOTE_MS).map(({ port }) => port);
  }

  /** Whether more peers should be asked: too few have told, or their word is old soon. */
  wantsVotes(now: number): boolean {
    let fresh = 0;
    for (const { at } of this.#votes.values()) if (now - at < (VOTE_MS * 2) / 3) fresh++;
    return fresh < VOTERS_MIN;
  }
}
