// What we are, leaf or ultrapeer: as the settings say, or as an election does that is held again and again.
import type { Role } from '../../protocol/handshake/capabilities.ts';
import {
  type Assessment,
  Election,
  type ElectionRules,
  LOCAL_ELECTION,
  PUBLIC_ELECTION,
  type Vitals,
} from '../../protocol/overlay/election.ts';
import type { Clock } from '../../protocol/ports.ts';
import type { Log } from '../log.ts';
import type { Settings } from '../settings.ts';

/** Long enough to find an ultrapeer that would rather have us as a leaf, if there is one. */
const SETTLE_MS = 1_500;
const LAB_ROUND_MS = 500;
const ROUND_MS = 5_000;
/** Random steps of hesitation between none and all of it. */
const HESITATION_STEPS = 1_000;

export interface OwnRoleOptions {
  settings: Settings;
  /** It looks for its neighbours by itself. A place in the network that was given by hand is kept, and so is the role. */
  seeks: boolean;
  clock: Clock;
  random: { below(bound: number): number };
  log: Log;
  vitals: () => Vitals;
  onChange: (role: Role) => void;
}

export interface RoleReport extends Assessment {
  mode: Settings['gnutella']['mode'];
  /** Elections are held; else the role stays what it is. */
  active: boolean;
  role: Role;
  /** Milliseconds until the role may change; 0 when it has no reason to. */
  heldForMs: number;
}

export class OwnRole {
  readonly #options: OwnRoleOptions;
  readonly #rules: ElectionRules;
  readonly #election: Election;
  readonly #active: boolean;
  readonly #roundMs: number;
  readonly #createdAt: number;
  #heldForMs = 0;
  #timer: NodeJS.Timeout | null = null;
  #role: Role;

  constructor(options: OwnRoleOptions) {
    const { settings, seeks, clock, random } = options;
    const { mode, maxLeaves } = settings.gnutella;
    const lab = settings.profile !== 'public';
    this.#options = options;
    this.#createdAt = clock.now();
    this.#rules = { ...(lab ? LOCAL_ELECTION : PUBLIC_ELECTION), leavesMax: maxLeaves };
    this.#active = mode === 'auto' && seeks;
    this.#roundMs = lab ? LAB_ROUND_MS : ROUND_MS;
    // Somebody must begin, where all start at once; on the public network others did long ago.
    this.#role = mode === 'leaf' || (this.#active && !lab) ? 'leaf' : 'ultrapeer';
    const hesitation = () => random.below(HESITATION_STEPS) / HESITATION_STEPS;
    this.#election = new Election(this.#rules, this.#role, clock.now(), hesitation);
  }

  get role(): Role {
    return this.#role;
  }

  /** An ultrapeer by default gives way to a neighbour that asks it to; one that was elected was needed. */
  get mayBecomeLeaf(): boolean {
    return this.#active && !this.#election.elected;
  }

  get active(): boolean {
    return this.#active;
  }

  /** Others may be told of us as an ultrapeer: an election made us one, or nobody asked us to be a leaf for a while. */
  get settled(): boolean {
    const { clock } = this.#options;
    return !this.#active || this.#election.elected || clock.now() - this.#createdAt >= SETTLE_MS;
  }

  start(): void {
    if (this.#active) this.#timer = setInterval(() => this.#hold(), this.#roundMs).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** A link was made on which we are a leaf: from now on we are one. */
  yield(): void {
    this.#election.yield(this.#options.clock.now());
    this.#become('leaf', 'a neighbour with room for leaves asked us to be one');
  }

  report(): RoleReport {
    const { settings, vitals, clock } = this.#options;
    return {
      ...this.#election.assess(vitals(), clock.now()),
      mode: settings.gnutella.mode,
      active: this.#active,
      role: this.#role,
      heldForMs: this.#heldForMs,
    };
  }

  #hold(): void {
    const { vitals, clock } = this.#options;
    const { role, criteria, heldForMs } = this.#election.evaluate(vitals(), clock.now());
    this.#heldForMs = heldForMs;
    if (role === this.#role) return;
    const deciding = criteria.filter(({ met }) => met === (role === 'ultrapeer'));
    this.#become(role, deciding.map(({ name, value }) => `${name} ${value}`).join(', '));
  }

  #become(role: Role, why: string): void {
    if (role === this.#role) return;
    this.#role = role;
    this.#heldForMs = 0;
    this.#options.log.info({ role, why }, role === 'leaf' ? 'becoming a leaf' : 'becoming an ultrapeer');
    this.#options.onChange(role);
  }
}
