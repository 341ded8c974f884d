// Decides from measured criteria, with delays, whether to be an ultrapeer.

export type ElectedRole = 'leaf' | 'ultrapeer';

/** What the shell measured. Null: not known (yet). */
export interface Vitals {
  /** Milliseconds this process has been up. */
  readonly uptimeMs: number;
  /** Average milliseconds a session lasts, this one included. */
  readonly averageUptimeMs: number;
  /** A host has connected to us by TCP. */
  readonly tcpReachable: boolean | null;
  readonly udpReachable: boolean | null;
  /** Bytes a second that we have been seen to send. */
  readonly uploadBytesPerSecond: number | null;
  readonly freeMemoryBytes: number;
  /** Share of one core that this process uses, 0 to 1. */
  readonly cpuShare: number;
  /** File descriptors that we may still open. */
  readonly freeDescriptors: number;
  /** Leaf slots that the ultrapeers we know of have free. */
  readonly leafSlotsSeen: number;
  /** Refusals for lack of slots among our latest dials, 0 to 1. */
  readonly refusedShare: number;
  /** Ultrapeers that we are connected to. */
  readonly ultrapeers: number;
  /** Leaves that hang on us. */
  readonly leaves: number;
}

export interface ElectionRules {
  readonly uptimeMs: number;
  readonly averageUptimeMs: number;
  /** Ask for proof that others reach us; off on loopback, where they always do. */
  readonly reachability: boolean;
  readonly uploadBytesPerSecond: number;
  readonly memoryBytesPerLeaf: number;
  readonly cpuShareMax: number;
  readonly leavesMax: number;
  /** A leaf wants this many ultrapeers; with fewer in reach the network needs one more. */
  readonly ultrapeersWanted: number;
  /** How long all must hold before a promotion. */
  readonly promoteAfterMs: number;
  /** How long one must fail before a demotion. */
  readonly demoteAfterMs: number;
  /** Random addition to both, so that not all servents change at once. */
  readonly spreadMs: number;
  /** An ultrapeer without a leaf for so long is not needed. */
  readonly idleAfterMs: number;
  /** Least time between two changes; doubled with each change up to switchDelayMaxMs (gtk-gnutella). */
  readonly switchDelayMs: number;
  readonly switchDelayMaxMs: number;
}

/** gtk-gnutella's can_become_ultra and LimeWire's NodeAssigner, the milder of the two where they differ. */
export const PUBLIC_ELECTION: ElectionRules = {
  uptimeMs: 3_600_000,
  averageUptimeMs: 3_600_000,
  reachability: true,
  uploadBytesPerSecond: 10 * 1024,
  memoryBytesPerLeaf: 64 * 1024,
  cpuShareMax: 0.7,
  leavesMax: 200,
  ultrapeersWanted: 3,
  promoteAfterMs: 60_000,
  spreadMs: 600_000,
  demoteAfterMs: 1_800_000,
  idleAfterMs: 3_600_000,
  switchDelayMs: 1_800_000,
  switchDelayMaxMs: 61_200_000,
};

/** A lab settles in seconds. */
export const LOCAL_ELECTION: ElectionRules = {
  ...PUBLIC_ELECTION,
  uptimeMs: 0,
  averageUptimeMs: 0,
  reachability: false,
  uploadBytesPerSecond: 0,
  ultrapeersWanted: 3,
  promoteAfterMs: 1_500,
  spreadMs: 8_000,
  cpuShareMax: 1,
  demoteAfterMs: 5_000,
  idleAfterMs: 5_000,
  switchDelayMs: 3_000,
  switchDelayMaxMs: 60_000,
};

export interface Criterion {
  readonly name: string;
  /** As measured; null when not known. */
  readonly value: number | boolean | null;
  /** What it is held against. */
  readonly wanted: number | boolean;
  readonly met: boolean;
  /** For people: one clause. */
  readonly why: string;
}

export interface Assessment {
  /** We could carry leaves. */
  readonly fit: boolean;
  /** The network wants one more, or still wants us. */
  readonly needed: boolean;
  readonly criteria: readonly Criterion[];
}

export interface ElectionReport extends Assessment {
  readonly role: ElectedRole;
  /** Milliseconds until the role may change; 0 when nothing holds it. */
  readonly heldForMs: number;
}

/** What the criteria say for a servent of this role whose last leaf went `leaflessMs` ago. */
export function assess(rules: ElectionRules, vitals: Vitals, role: ElectedRole, leaflessMs: number): Assessment {
  const able = capacity(rules, vitals);
  const need = demand(rules, vitals, role, leaflessMs);
  const met = (criteria: readonly Criterion[]) => criteria.every(criterion => criterion.met);
  return { fit: met(able), needed: met(need), criteria: [...able, ...need] };
}

export class Election {
  readonly #rules: ElectionRules;
  readonly #hesitation: () => number;
  #role: ElectedRole;
  #switchDelayMs: number;
  #changedAt: number;
  /** Since when the other role has been the better one; null when it is not. */
  #leaningSince: number | null = null;
  #hesitateMs = 0;
  #leafSeenAt: number;
  /** It came to its role by an election, not by being started in it. */
  #elected = false;

  /** `hesitation`: a random share of spreadMs, 0 to 1, asked for whenever a change comes into sight. */
  constructor(rules: ElectionRules, role: ElectedRole, now: number, hesitation: () => number = () => 0) {
    this.#rules = rules;
    this.#hesitation = hesitation;
    this.#role = role;
    this.#switchDelayMs = rules.switchDelayMs;
    this.#changedAt = now;
    this.#leafSeenAt = now;
  }

  get role(): ElectedRole {
    return this.#role;
  }

  get elected(): boolean {
    return this.#elected;
  }

  /** A neighbour asked us to be its leaf and we follow. */
  yield(now: number): void {
    if (this.#role === 'ultrapeer') this.#change('leaf', now);
  }

  /** Weighs without deciding. */
  assess(vitals: Vitals, now: number): Assessment {
    return assess(this.#rules, vitals, this.#role, now - this.#leafSeenAt);
  }

  /** Call every few seconds. The report's role is the one to have from now on. */
  evaluate(vitals: Vitals, now: number): ElectionReport {
    const rules = this.#rules;
    if (vitals.leaves > 0) this.#leafSeenAt = now;
    const assessment = this.assess(vitals, now);
    const better: ElectedRole = assessment.fit && assessment.needed ? 'ultrapeer' : 'leaf';

    if (better === this.#role) this.#leaningSince = null;
    else if (this.#leaningSince === null) {
      this.#leaningSince = now;
      this.#hesitateMs = this.#hesitation() * rules.spreadMs;
    }
    const leanMs = (better === 'ultrapeer' ? rules.promoteAfterMs : rules.demoteAfterMs) + this.#hesitateMs;
    // The first change is free of the switch delay: a servent that has just started has nothing to unsettle.
    const delayMs = this.#switchDelayMs === rules.switchDelayMs ? 0 : this.#switchDelayMs;
    const readyAt = Math.max((this.#leaningSince ?? now) + leanMs, this.#changedAt + delayMs);
    const leaning = this.#leaningSince !== null;
    if (leaning && now >= readyAt) {
      this.#change(better, now);
      this.#elected = true;
    }
    return { ...assessment, role: this.#role, heldForMs: leaning ? Math.max(0, readyAt - now) : 0 };
  }

  #change(role: ElectedRole, now: number): void {
    this.#role = role;
    this.#changedAt = now;
    this.#leaningSince = null;
    this.#leafSeenAt = now;
    this.#switchDelayMs = Math.min(2 * this.#switchDelayMs, this.#rules.switchDelayMaxMs);
  }
}

function atLeast(name: string, value: number | null, wanted: number, why: string): Criterion {
  return { name, value, wanted, met: wanted <= 0 || (value !== null && value >= wanted), why };
}

function holds(name: string, value: boolean | null, asked: boolean, why: string): Criterion {
  return { name, value, wanted: asked, met: !asked || value === true, why };
}

/** Criteria of capacity for leaves. */
function capacity(rules: ElectionRules, vitals: Vitals): Criterion[] {
  return [
    atLeast(
      'uptime',
      secondsOf(vitals.uptimeMs),
      secondsOf(rules.uptimeMs),
      'seconds up; leaves lose their place with us',
    ),
    atLeast(
      'average_uptime',
      secondsOf(vitals.averageUptimeMs),
      secondsOf(rules.averageUptimeMs),
      'seconds a session lasts',
    ),
    holds(
      'tcp_reachable',
      vitals.tcpReachable,
      rules.reachability,
      'others can connect to our port, as proven or configured',
    ),
    holds('udp_reachable', vitals.udpReachable, rules.reachability, 'datagrams come unasked, as proven or configured'),
    atLeast('upload', vitals.uploadBytesPerSecond, rules.uploadBytesPerSecond, 'bytes a second seen going out'),
    atLeast('memory', vitals.freeMemoryBytes, rules.leavesMax * rules.memoryBytesPerLeaf, 'bytes free for leaves'),
    {
      name: 'cpu',
      value: vitals.cpuShare,
      wanted: rules.cpuShareMax,
      met: vitals.cpuShare <= rules.cpuShareMax,
      why: 'share of a core in use, at most',
    },
    atLeast('descriptors', vitals.freeDescriptors, rules.leavesMax + 64, 'file descriptors free for leaves'),
  ];
}

/** Criteria of need for one more ultrapeer; an ultrapeer with leaves is needed. */
function demand(rules: ElectionRules, vitals: Vitals, role: ElectedRole, leaflessMs: number): Criterion[] {
  if (role === 'ultrapeer') {
    // with nowhere to go as a leaf it stays, and as the last free place of a full network too
    const replaceable = vitals.ultrapeers >= rules.ultrapeersWanted && vitals.leafSlotsSeen >= rules.ultrapeersWanted;
    return [
      {
        name: 'leaves',
        value: vitals.leaves,
        wanted: 1,
        met: vitals.leaves > 0 || leaflessMs < rules.idleAfterMs || !replaceable,
        why: 'leaves that hang on us; without any we are needed while too few other ultrapeers have room',
      },
    ];
  }
  const full = vitals.leafSlotsSeen === 0 || (vitals.ultrapeers === 0 && vitals.refusedShare > 0.5);
  return [
    {
      name: 'need',
      value: vitals.ultrapeers,
      wanted: rules.ultrapeersWanted,
      met: vitals.ultrapeers < rules.ultrapeersWanted && full,
      why: 'ultrapeers that took us: with fewer, and no leaf slot known to be free, one more is needed',
    },
  ];
}

function secondsOf(ms: number): number {
  return Math.round(ms / 1000);
}
