// Our role, leaf or ultrapeer: from the settings, or from periodic elections.
import type { Role } from '../../handshake/capabilities.ts';
import type { NetworkRules } from '../../network-rules.ts';
import type { RoleMode } from '../../servent-settings.ts';
import { type Assessment, Election, type Vitals } from './election.ts';

/** Time for which an ultrapeer that no election made one waits for a neighbour that asks it to be a leaf. */
const SETTLE_MS = 1_500;
/** Resolution of the random delay of a role change. */
const HESITATION_STEPS = 1_000;

export interface OwnRoleOptions {
  readonly rules: Pick<NetworkRules, 'election' | 'electionMs' | 'firstRole'>;
  readonly mode: RoleMode;
  readonly leavesMax: number;
  /** Whether the servent looks for neighbours. One with configured neighbours only keeps its role. */
  readonly seeks: boolean;
  readonly random: { below(bound: number): number };
  readonly now: number;
  readonly onChange: (role: Role, why: string, now: number) => void;
}

export interface RoleReport extends Assessment {
  readonly mode: RoleMode;
  /** Elections are held; if not, the role is fixed. */
  readonly active: boolean;
  readonly role: Role;
  /** Milliseconds until the role may change; 0 when it has no reason to. */
  readonly heldForMs: number;
  /** Why it is a leaf whatever elections and the setting say; null: they decide. */
  readonly heldBecause: string | null;
}

export class OwnRole {
  readonly active: boolean;
  readonly #options: OwnRoleOptions;
  readonly #election: Election;
  #heldForMs = 0;
  #role: Role;
  #electionAt: number;
  /** A leaf with enough ultrapeers stays one, whatever else changes: no election until it has fewer. */
  #content = false;
  /** Why it is a leaf whatever elections and the setting say; null: they decide. */
  #heldBecause: string | null = null;

  constructor(options: OwnRoleOptions) {
    const { rules, mode, leavesMax, seeks, random, now } = options;
    this.#options = options;
    this.active = mode === 'auto' && seeks;
    this.#role = mode === 'leaf' ? 'leaf' : this.active ? rules.firstRole : 'ultrapeer';
    this.#electionAt = now + rules.electionMs;
    const hesitation = () => random.below(HESITATION_STEPS) / HESITATION_STEPS;
    this.#election = new Election({ ...rules.election, leavesMax }, this.#role, now, hesitation);
  }

  get role(): Role {
    return this.#role;
  }

  /** Whether to become the leaf of a neighbour that asks for it. An elected ultrapeer does not: the network needs it. */
  get mayBecomeLeaf(): boolean {
    return this.active && !this.#election.elected;
  }

  /** Whether caches may list us as an ultrapeer: after an election, or when nobody has asked us to be a leaf within SETTLE_MS of the start. */
  settled(now: number): boolean {
    return !this.active || this.#election.elected || now - this.#options.now >= SETTLE_MS;
  }

  /** Becomes a leaf, because a link was accepted on which we are one. */
  yield(now: number): void {
    this.#election.yield(now);
    this.#become('leaf', 'a neighbour with room for leaves asked us to be one', now);
  }

  /** While it is held we are a leaf, whatever settings and elections say. */
  hold(held: boolean, why: string, now: number): void {
    if (held === (this.#heldBecause !== null)) return;
    this.#heldBecause = held ? why : null;
    if (held) {
      this.#election.yield(now);
      this.#become('leaf', why, now);
    } else if (!this.active && this.#options.mode !== 'leaf') this.#become('ultrapeer', why, now);
  }

  report(vitals: Vitals, now: number): RoleReport {
    return {
      ...this.#election.assess(vitals, now),
      mode: this.#options.mode,
      active: this.active,
      role: this.#role,
      heldForMs: this.#heldForMs,
      heldBecause: this.#heldBecause,
    };
  }

  /** Holds the election when it is due. Returns the time of the next one; Infinity when none is due with so many ultrapeers. */
  tick(now: number, ultrapeers: number, vitals: () => Vitals): number {
    if (!this.active || this.#heldBecause !== null) return Number.POSITIVE_INFINITY;
    const { election, electionMs } = this.#options.rules;
    const enough = this.#role === 'leaf' && ultrapeers >= election.ultrapeersWanted;
    if (this.#content && enough) return Number.POSITIVE_INFINITY;
    if (this.#content) {
      // elections keep their times, however many were left out
      this.#electionAt += Math.ceil(Math.max(0, now - this.#electionAt) / electionMs) * electionMs;
      this.#content = false;
    }
    if (now >= this.#electionAt) {
      this.#electionAt = now + electionMs;
      this.#hold(vitals(), now);
      this.#content = enough;
    }
    return this.#content ? Number.POSITIVE_INFINITY : this.#electionAt;
  }

  #hold(vitals: Vitals, now: number): void {
    const { role, criteria, heldForMs } = this.#election.evaluate(vitals, now);
    this.#heldForMs = heldForMs;
    if (role === this.#role) return;
    const deciding = criteria.filter(({ met }) => met === (role === 'ultrapeer'));
    this.#become(role, deciding.map(({ name, value }) => `${name} ${value}`).join(', '), now);
  }

  #become(role: Role, why: string, now: number): void {
    if (role === this.#role) return;
    this.#role = role;
    this.#heldForMs = 0;
    this.#options.onChange(role, why, now);
  }
}
