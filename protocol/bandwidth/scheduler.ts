// Decides which transfers may move how many bytes now, under limits in total, of a direction, a part, a group and a flow.
import { Bucket } from './bucket.ts';
import { type Claim, divide, QUANTUM_BYTES } from './share.ts';

export const PARTS = ['upload', 'download', 'overlay', 'udp'] as const;
/** What uses bandwidth: bodies of uploads and of downloads, what is sent on links, datagrams sent. */
export type Part = (typeof PARTS)[number];
export type Direction = 'out' | 'in';

export const DIRECTION_OF: Readonly<Record<Part, Direction>> = {
  upload: 'out',
  overlay: 'out',
  udp: 'out',
  download: 'in',
};

/** What can be limited; `slot`: each upload. */
export type LimitName = Part | 'total' | Direction | 'slot';

/** A limit over others: the total, a direction, a part, or a group in a part. */
class Branch implements Claim {
  readonly bucket = new Bucket();
  readonly above: Branch | null;
  readonly below: Branch[] = [];
  /** In a round: what wants bytes below it. */
  claims: Claim[] = [];
  cap = 0;
  weight = 0;
  granted = 0;
  served = 0;
  /** See divide(). */
  since = 0;

  constructor(above: Branch | null) {
    this.above = above;
    above?.below.push(this);
  }

  get limited(): boolean {
    return this.bucket.rate > 0 || (this.above?.limited ?? false);
  }
}

/** What one transfer or link uses. `want` is set by its owner before grant(), which sets `granted`. */
export class Flow implements Claim {
  readonly bucket = new Bucket();
  readonly branch: Branch;
  want = 0;
  cap = 0;
  readonly weight = 1;
  granted = 0;
  served = 0;

  constructor(branch: Branch) {
    this.branch = branch;
  }

  /** Whether anything limits it; without a limit nobody needs to be asked. */
  get limited(): boolean {
    return this.bucket.rate > 0 || this.branch.limited;
  }
}

/**
 * Parts share what is above them equally, flows what their part has; what one cannot use is lent to the others in the same round.
 * Each limit holds in any window of T ms: rate · T / 1000 + burstBytes(rate) bytes. No flow starves: the one that
 * got least is the next to get some.
 */
export class Scheduler {
  readonly #total = new Branch(null);
  readonly #directions = { out: new Branch(this.#total), in: new Branch(this.#total) };
  readonly #parts: Readonly<Record<Part, Branch>> = {
    upload: new Branch(this.#directions.out),
    overlay: new Branch(this.#directions.out),
    udp: new Branch(this.#directions.out),
    download: new Branch(this.#directions.in),
  };
  readonly #partBranches: ReadonlySet<Branch> = new Set(Object.values(this.#parts));
  /** Of configured groups only, by part and name. */
  readonly #groups = new Map<string, Branch>();

  /** `group` counts from the moment it is limited; unknown ones are as none. */
  flow(part: Part, group: string | null = null): Flow {
    return new Flow((group === null ? undefined : this.#groups.get(`${part} ${group}`)) ?? this.#parts[part]);
  }

  /** Sets a limit in bytes per second; 0: none. A limit of a slot is one of its flow. */
  limit(name: Exclude<LimitName, 'slot'>, bytesPerSecond: number, now: number): void {
    this.#branch(name).bucket.limit(bytesPerSecond, now);
  }

  /** Limits all flows of a group together; flows made later belong to it. */
  limitGroup(part: Part, group: string, bytesPerSecond: number, now: number): void {
    const key = `${part} ${group}`;
    const branch = this.#groups.get(key) ?? new Branch(this.#parts[part]);
    this.#groups.set(key, branch);
    branch.bucket.limit(bytesPerSecond, now);
  }

  limited(part: Part): boolean {
    return this.#parts[part].limited;
  }

  /** Sets `granted` of each flow. The bytes count as used. */
  grant(now: number, flows: readonly Flow[]): void {
    forget(this.#total);
    for (const flow of flows) {
      flow.granted = 0;
      flow.cap = Math.min(flow.want, flow.bucket.available(now));
      if (flow.cap > 0) flow.branch.claims.push(flow);
    }
    this.#gather(this.#total, now);
    this.#share(this.#total, this.#total.cap);
    for (const flow of flows) flow.bucket.spend(flow.granted);
  }

  /** Milliseconds until a flow that did not get all of what it wants can get a useful amount; Infinity: no flow waits. */
  waitMs(now: number, flows: readonly Flow[]): number {
    let least = Number.POSITIVE_INFINITY;
    for (const flow of flows) {
      const bytes = Math.min(flow.want - flow.granted, QUANTUM_BYTES);
      if (bytes <= 0) continue;
      let ms = flow.bucket.msUntil(bytes, now);
      for (let branch: Branch | null = flow.branch; branch !== null; branch = branch.above)
        ms = Math.max(ms, branch.bucket.msUntil(bytes, now));
      least = Math.min(least, ms);
    }
    return least;
  }

  /** Counts bytes that were sent without a grant, or beyond it; they are paid for before more is granted. `debtMs`: most time to pay. */
  charge(flow: Flow, bytes: number, debtMs?: number): void {
    flow.bucket.spend(bytes, debtMs);
    for (let branch: Branch | null = flow.branch; branch !== null; branch = branch.above)
      branch.bucket.spend(bytes, debtMs);
  }

  #branch(name: Exclude<LimitName, 'slot'>): Branch {
    if (name === 'total') return this.#total;
    return name === 'in' || name === 'out' ? this.#directions[name] : this.#parts[name];
  }

  /** From below: what each branch can use. */
  #gather(branch: Branch, now: number): void {
    for (const lower of branch.below) {
      this.#gather(lower, now);
      if (lower.cap > 0) branch.claims.push(lower);
    }
    let wanted = 0;
    let weight = 0;
    for (const claim of branch.claims) {
      wanted += claim.cap;
      weight += claim.weight;
    }
    branch.cap = Math.min(wanted, branch.bucket.available(now));
    branch.weight = this.#partBranches.has(branch) ? 1 : weight; // parts are equals, however many flows they have
  }

  /** From above: what each gets. */
  #share(branch: Branch, bytes: number): void {
    const { claims } = branch;
    branch.since = divide(bytes, claims, branch.since);
    branch.bucket.spend(bytes);
    for (const claim of claims) if (claim instanceof Branch) this.#share(claim, claim.granted);
  }
}

function forget(branch: Branch): void {
  branch.claims = [];
  for (const lower of branch.below) forget(lower);
}
