// To whom a peer of a swarm uploads (Cohen, "Incentives build robustness in BitTorrent", 2003, section 3.2): every 10 s to the four from whom
// it gets most, and to one more at random, the optimistic unchoke, that stays for 30 s.
// A finished peer serves five, each for the same time, as of BitTorrent 4.0.2 (Legout et al., "Rarest first and choke algorithms are
// enough", 2006, section II.C.2).
import type { SeededRandom } from '../seeded-random.ts';

export const ROUND_MS = 10_000;
/** An optimistic unchoke stays for so many rounds. */
const OPTIMISTIC_ROUNDS = 3;
const BEST = 4;
/** Without a block for so long, a peer from which we want something has snubbed us. */
export const SNUBBED_MS = 60_000;
/** A peer that came within so long is drawn three times as often, for it has nothing to give yet. */
const NEW_MS = 60_000;

export interface Candidate {
  readonly peer: number;
  readonly interested: boolean;
  /** It has sent nothing for a minute though we want something: it is served by optimistic unchokes alone. */
  readonly snubs: boolean;
  /** Units that came from it during the last two rounds. */
  readonly received: number;
  readonly connectedAt: number;
}

export class Choker {
  readonly #random: SeededRandom;
  #rounds = 0;
  #optimistic: number[] = [];
  /** By us as a seed, the one that is served longest first. */
  #served: number[] = [];
  /** Round in which each was last served by us as a seed. */
  readonly #servedIn = new Map<number, number>();

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** The peers to unchoke in this round, five at most; all others are choked. */
  choose(candidates: readonly Candidate[], isSeed: boolean, now: number): Set<number> {
    const interested = candidates.filter(candidate => candidate.interested);
    const turns = this.#rounds++ % OPTIMISTIC_ROUNDS === 0;
    return isSeed ? this.#inTurn(interested, turns) : this.#titForTat(interested, turns, now);
  }

  #titForTat(interested: readonly Candidate[], turns: boolean, now: number): Set<number> {
    const best = interested
      .filter(({ snubs, received }) => !snubs && received > 0)
      .sort((a, b) => b.received - a.received || a.peer - b.peer)
      .slice(0, BEST)
      .map(({ peer }) => peer);
    const others = interested.filter(({ peer }) => !best.includes(peer));
    const kept = turns ? [] : this.#optimistic.filter(peer => others.some(other => other.peer === peer));
    // places that nobody has earned are filled by further optimistic unchokes
    const places = BEST + 1 - best.length;
    this.#optimistic = [...kept, ...this.#draw(others, kept, places - kept.length, now)].slice(0, places);
    return new Set([...best, ...this.#optimistic]);
  }

  #draw(others: readonly Candidate[], kept: readonly number[], count: number, now: number): number[] {
    const lots = others
      .filter(({ peer }) => !kept.includes(peer))
      .flatMap(({ peer, connectedAt }) => (now - connectedAt < NEW_MS ? [peer, peer, peer] : [peer]));
    return [...new Set(this.#random.shuffle(lots))].slice(0, Math.max(0, count));
  }

  /** Every 30 s the one that was served longest makes room for the one that has waited longest. */
  #inTurn(interested: readonly Candidate[], turns: boolean): Set<number> {
    const served = this.#served.filter(peer => interested.some(other => other.peer === peer));
    if (turns && served.length > BEST && interested.length > served.length) served.shift();
    const waiting = this.#random
      .shuffle(interested.map(({ peer }) => peer).filter(peer => !served.includes(peer)))
      .sort((a, b) => (this.#servedIn.get(a) ?? -1) - (this.#servedIn.get(b) ?? -1));
    this.#served = [...served, ...waiting].slice(0, BEST + 1);
    for (const peer of this.#served) this.#servedIn.set(peer, this.#rounds);
    return new Set(this.#served);
  }
}
