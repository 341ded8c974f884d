// Which links to look for and which to give up for better ones. Pure: facts about the links in, a plan out; the shell
// dials and says Bye.
import type { PeerRole, Role } from '../../handshake/capabilities.ts';
import { LazyMap } from '../../lazy-map.ts';
import { ByeCode } from '../../wire/bye.ts';

export interface TopologyRules {
  /** Ultrapeers that a leaf looks for. */
  readonly leafUltrapeers: number;
  /** It takes so many when others dial it. */
  readonly leafUltrapeersMax: number;
  /** Dials under way at a time. */
  readonly dialsMax: number;
  /** Links are judged by what they did in this time, so none younger is. */
  readonly windowMs: number;
  /** No more than one link is given up in this time. */
  readonly replaceEveryMs: number;
}

/** gtk-gnutella looks for 4 ultrapeers as leaf and takes 5, LimeWire 5. */
export const PUBLIC_TOPOLOGY: TopologyRules = {
  leafUltrapeers: 4,
  leafUltrapeersMax: 5,
  dialsMax: 4,
  windowMs: 600_000,
  replaceEveryMs: 300_000,
};
/** Short periods, for a test network with few ultrapeers. */
export const LOCAL_TOPOLOGY: TopologyRules = {
  leafUltrapeers: 3,
  leafUltrapeersMax: 3,
  dialsMax: 4,
  windowMs: 4_000,
  replaceEveryMs: 3_000,
};

/** Fewest frames from which a share of losses is computed. */
const FRAMES_JUDGED_MIN = 20;
/** Share of lost frames above which a link counts as clogged. */
const LOST_SHARE_MAX = 0.5;
/** A link is idle when the median of our links brings this many times more. */
const IDLE_FACTOR = 20;
/** A leaf that wants queries of no more hops than this wants none (gtk-gnutella's node_remove_useless_leaf). */
const USELESS_HOPS = 1;
/** Fewest free slots for which a leaf moves there from a full ultrapeer. */
const ROOM_WORTH_MOVING = 2;

export interface LinkFacts {
  readonly id: number;
  readonly role: PeerRole;
  /** Since the link was opened: frames received, frames sent, and frames lost (shed when sending, or refused when received). */
  readonly framesIn: number;
  readonly framesOut: number;
  readonly dropped: number;
  /** Hops flow. */
  readonly queryHopsMax: number;
  /** Configured by the user: never given up. */
  readonly pinned: boolean;
  /** Leaf slots that it says are free; null when not known. */
  readonly leafSlotsFree: number | null;
}

export interface TopologyFacts {
  readonly role: Role;
  readonly links: readonly LinkFacts[];
  /** Ultrapeers to look for, and to have at most. */
  readonly seek: number;
  readonly ultrapeersMax: number;
  readonly leavesMax: number;
  /** Dials to ultrapeers under way. */
  readonly dialling: number;
  /** Most leaf slots free at an ultrapeer that we have no link to; 0 when none is known. */
  readonly roomElsewhere: number;
  /** There is another ultrapeer to be tried in place of one given up. */
  readonly spare: () => boolean;
}

export type DropCause = 'clogged' | 'idle' | 'useless_leaf' | 'crowded';

export interface LinkDrop {
  readonly id: number;
  readonly cause: DropCause;
  /** For the Bye. */
  readonly code: number;
  readonly text: string;
}

export interface TopologyPlan {
  /** Dials to begin now. */
  readonly dial: number;
  readonly drop: LinkDrop | null;
  /** When to plan again if nothing comes in; now, when the plan depends on chance. */
  readonly nextAt: number;
}

interface Sample {
  readonly framesIn: number;
  readonly framesOut: number;
  readonly dropped: number;
}

/** What a link did in the last whole window; null when it is too young to be judged. */
interface Judged {
  readonly link: LinkFacts;
  readonly framesIn: number;
  readonly lostShare: number;
}

/** Ultrapeers that a servent of this role looks for. */
export function ultrapeersSought(rules: TopologyRules, role: Role, seek: number, ultrapeersMax: number): number {
  return Math.min(seek, ultrapeersMax, role === 'leaf' ? rules.leafUltrapeers : seek);
}

/** Slots for ultrapeers in this role. */
export function ultrapeerSlots(rules: TopologyRules, role: Role, ultrapeersMax: number): number {
  return role === 'leaf' ? Math.min(ultrapeersMax, rules.leafUltrapeersMax) : ultrapeersMax;
}

export class Topology {
  readonly #rules: TopologyRules;
  #sampledAt: number;
  /** Counts at the last sample, and what they grew by before it, by link: as many as there are links. */
  #counts = new LazyMap<number, Sample>();
  #grown = new LazyMap<number, Sample>();
  #replacedAt: number;
  /** A link should be given up, but no replacement is known yet. */
  #hopes = false;

  constructor(rules: TopologyRules, now: number) {
    this.#rules = rules;
    this.#sampledAt = now;
    this.#replacedAt = now;
  }

  /** Call every second or so. */
  plan(facts: TopologyFacts, now: number): TopologyPlan {
    const { role, links, seek, ultrapeersMax, dialling } = facts;
    if (now >= this.#sampledAt + this.#rules.windowMs) this.#sample(links, now);
    const ultrapeers = links.filter(link => link.role !== 'leaf').length;
    const missing = ultrapeersSought(this.#rules, role, seek, ultrapeersMax) - ultrapeers - dialling;
    const dial = Math.max(0, Math.min(missing, this.#rules.dialsMax - dialling));
    const judges = now >= this.#replacedAt + this.#rules.replaceEveryMs;
    this.#hopes = false;
    const drop = judges ? this.#worst(facts, missing > 0) : null;
    if (drop !== null) this.#replacedAt = now;
    const sampleAt = this.#sampledAt + this.#rules.windowMs;
    const judgedAt = judges && drop === null ? sampleAt : this.#replacedAt + this.#rules.replaceEveryMs;
    return { dial, drop, nextAt: missing > 0 || this.#hopes ? now : Math.min(sampleAt, judgedAt) };
  }

  #sample(links: readonly LinkFacts[], now: number): void {
    const counts = new LazyMap<number, Sample>();
    const grown = new LazyMap<number, Sample>();
    for (const { id, framesIn, framesOut, dropped } of links) {
      counts.set(id, { framesIn, framesOut, dropped });
      const before = this.#counts.get(id);
      if (before === undefined) continue; // younger than a window
      grown.set(id, {
        framesIn: framesIn - before.framesIn,
        framesOut: framesOut - before.framesOut,
        dropped: dropped - before.dropped,
      });
    }
    this.#counts = counts;
    this.#grown = grown;
    this.#sampledAt = now;
  }

  #worst(facts: TopologyFacts, short: boolean): LinkDrop | null {
    const { role, links, leavesMax, roomElsewhere } = facts;
    if (role === 'ultrapeer') {
      const leaves = links.filter(link => link.role === 'leaf');
      if (leaves.length >= leavesMax) {
        const useless = leaves.find(leaf => leaf.queryHopsMax <= USELESS_HOPS && this.#grown.has(leaf.id));
        if (useless !== undefined) return drop(useless, 'useless_leaf', ByeCode.NoSlot, 'Leaf takes no queries');
      }
    }
    if (short) return null; // nothing to be given up while there is too little
    const judged = links.filter(link => link.role !== 'leaf' && !link.pinned).flatMap(link => this.#judge(link));
    const poor = this.#poor(judged);
    if (poor !== null && facts.spare()) return poor;
    const crowded = role === 'leaf' ? judged.find(({ link }) => link.leafSlotsFree === 0) : undefined;
    this.#hopes = poor !== null || crowded !== undefined;
    if (crowded === undefined || roomElsewhere < ROOM_WORTH_MOVING) return null;
    return drop(crowded.link, 'crowded', ByeCode.NodePreferred, 'Making room for other leaves');
  }

  #judge(link: LinkFacts): Judged[] {
    const grown = this.#grown.get(link.id);
    if (grown === undefined) return [];
    const passed = grown.framesOut + grown.dropped;
    return [{ link, framesIn: grown.framesIn, lostShare: passed < FRAMES_JUDGED_MIN ? 0 : grown.dropped / passed }];
  }

  /** Against our other links, never absolutely: in a quiet network all are quiet. */
  #poor(judged: readonly Judged[]): LinkDrop | null {
    const clogged = judged.find(({ lostShare }) => lostShare > LOST_SHARE_MAX);
    if (clogged !== undefined) {
      return drop(clogged.link, 'clogged', ByeCode.NodePreferred, 'Too little gets through');
    }
    const frames = judged.map(({ framesIn }) => framesIn).sort((a, b) => a - b);
    const middling = frames[Math.floor(frames.length / 2)] ?? 0;
    if (middling < FRAMES_JUDGED_MIN) return null;
    const idle = judged.find(({ framesIn }) => framesIn * IDLE_FACTOR < middling);
    return idle === undefined ? null : drop(idle.link, 'idle', ByeCode.NodePreferred, 'Too little comes this way');
  }
}

function drop({ id }: LinkFacts, cause: DropCause, code: number, text: string): LinkDrop {
  return { id, cause, code, text };
}
