// Pongs heard lately, by distance: what a ping is answered with instead of being flooded (0.6 pong caching).
import type { Random } from '../../ports.ts';

export interface CachedPong {
  /** The payload as it came, each byte a character, as that takes a fifth of a small Buffer. Its extensions are passed on untouched. */
  readonly payload: string;
  /** host:port, to keep one pong a host. */
  readonly key: string;
  /** Hops from us, 0 for a neighbour's own. */
  readonly hops: number;
  readonly ultrapeer: boolean;
  readonly linkId: number;
  readonly at: number;
}

/** Lines for 0 to 4 hops, as in gtk-gnutella; farther pongs count as the last. */
export const PONG_LINES = 5;
/** Pongs kept in a line; the oldest gives way. */
export const PONGS_PER_LINE = 32;

export class PongCache {
  readonly #lines: CachedPong[][] = Array.from({ length: PONG_LINES }, () => []);
  readonly #random: Random;
  readonly #lifeMs: number;

  constructor(random: Random, lifeMs: number) {
    this.#random = random;
    this.#lifeMs = lifeMs;
  }

  get size(): number {
    let size = 0;
    for (const line of this.#lines) size += line.length;
    return size;
  }

  /** A fresh pong of a host replaces the older one on the same line. */
  add(pong: CachedPong): void {
    const line = this.#lines[Math.min(pong.hops, PONG_LINES - 1)];
    if (line === undefined) return;
    const known = line.findIndex(other => other.key === pong.key);
    if (known >= 0) line.splice(known, 1);
    else if (line.length >= PONGS_PER_LINE) line.shift();
    line.push(pong);
  }

  /**
   * At most `count`, spread over the distances, no host twice, none that `linkId` itself brought, and not the asker's
   * own, whose key is `itself`. Leaves get only ultrapeers.
   */
  pick(
    count: number,
    linkId: number,
    ultrapeersOnly: boolean,
    now: number,
    itself: string | null = null,
  ): CachedPong[] {
    const picked: CachedPong[] = [];
    const keys = new Set<string>();
    const offset = this.#random.below(PONGS_PER_LINE);
    for (let round = 0; round < PONGS_PER_LINE; round++) {
      for (const line of this.#lines) {
        if (picked.length >= count) return picked;
        if (round >= line.length) continue;
        const pong = line[(offset + round) % line.length];
        if (pong === undefined || now - pong.at > this.#lifeMs || pong.linkId === linkId) continue;
        if ((ultrapeersOnly && !pong.ultrapeer) || keys.has(pong.key) || pong.key === itself) continue;
        keys.add(pong.key);
        picked.push(pong);
      }
    }
    return picked;
  }

  /** Forgets what is too old, so that a quiet servent holds nothing; when there is more to forget. */
  expire(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const line of this.#lines) {
      let stale = 0;
      while (stale < line.length && now - (line[stale]?.at ?? now) > this.#lifeMs) stale++;
      line.splice(0, stale);
      const [oldest] = line;
      if (oldest !== undefined) next = Math.min(next, oldest.at + this.#lifeMs + 1);
    }
    return next;
  }

  /** A link is gone: its pongs may be as well. */
  forgetLink(linkId: number): void {
    for (const line of this.#lines) {
      for (let i = line.length - 1; i >= 0; i--) if (line[i]?.linkId === linkId) line.splice(i, 1);
    }
  }
}
