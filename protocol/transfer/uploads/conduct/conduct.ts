// Judges addresses by what they do on upload connections, and bans those that do too much of it. Pure: time comes in.
import { ReasonCounts } from '../../../reason-counts.ts';
import type { QueueViolation } from '../queue/admission.ts';
import type { UploadOutcome } from '../upload-context.ts';
import { type Ban, Bans } from './bans.ts';
import { Copies } from './copies.ts';
import { BAN_REASONS, type BanReason, OFFENCE_OF, OFFENCES, type Offence, POINTS } from './offence.ts';
import { Scores } from './scores.ts';
import { subjectOf } from './subject.ts';

export interface ConductRules {
  /** Whether addresses are banned for their conduct; by hand they always can be. */
  readonly bans: boolean;
  /** Addresses that are not banned for their conduct. Asked once a connection. */
  readonly spares: (address: string) => boolean;
}

const NOBODY: ConductRules = { bans: false, spares: () => true };

export class Conduct {
  readonly offences = new ReasonCounts<Offence>(OFFENCES);
  /** Bans so far, by reason. */
  readonly counts = new ReasonCounts<BanReason>(BAN_REASONS);
  /** Connections of banned addresses closed without a word. */
  turnedAway = 0;
  /** Told of each new ban, during the call that led to it. */
  onBanned: (ban: Ban) => void = () => undefined;
  /** A ban that was remembered makes room for another. */
  onForgotten: (subject: string) => void = () => undefined;
  readonly bans = new Bans(subject => this.onForgotten(subject));
  readonly #rules: ConductRules;
  readonly #scores = new Scores();
  readonly #copies = new Copies();

  constructor(rules: ConductRules = NOBODY) {
    this.#rules = rules;
  }

  /** Addresses with a score, and contents counted: both bounded. */
  get remembered(): { scores: number; copies: number } {
    return { scores: this.#scores.size, copies: this.#copies.size };
  }

  /**
   * An upload connection begins. `pushed`: we opened it because of a push, whose sender chose the address, so it says nothing about the
   * address. Null: it is to be closed without a word.
   */
  visit(address: string, pushed: boolean, now: number): Visit | null {
    const subject = subjectOf(address);
    const ban = subject === null ? null : this.bans.of(subject, now);
    if (ban?.told === true) {
      ban.turnedAway++;
      this.turnedAway++;
      return null;
    }
    const judged = this.#rules.bans && subject !== null && !this.#rules.spares(address);
    return new Visit(this, { subject, judged, pushed }, now);
  }

  /** The upload queue reports what a client did. */
  violated(violation: QueueViolation, address: string, now: number): void {
    const subject = subjectOf(address);
    if (subject === null || !this.#rules.bans || this.#rules.spares(address)) return;
    this.offend(subject, OFFENCE_OF[violation], now);
  }

  offend(subject: string, offence: Offence, now: number, points = POINTS[offence]): void {
    this.offences.count(offence);
    if (this.bans.of(subject, now) !== null || !this.#scores.add(subject, points, now)) return;
    this.#scores.forget(subject);
    this.#tell(this.bans.add(subject, offence, now));
  }

  forgive(subject: string, offence: Offence, now: number): void {
    this.#scores.add(subject, -POINTS[offence], now);
  }

  /** `share` of a file was sent. */
  sent(subject: string, content: string, share: number, now: number): void {
    const tooMany = this.#copies.add(subject, content, share, now);
    if (tooMany > 0) this.offend(subject, 'same_file', now, POINTS.same_file * tooMany);
  }

  /** `ms` Infinity: until it is lifted. Null: too many are banned by hand. */
  banByHand(subject: string, ms: number, note: string | null, now: number): Ban | null {
    const ban = this.bans.addByHand(subject, ms, note, now);
    if (ban !== null) this.#tell(ban);
    return ban;
  }

  /** False: it is not banned. */
  lift(subject: string, now: number): boolean {
    this.#scores.forget(subject);
    return this.bans.lift(subject, now);
  }

  #tell(ban: Ban): void {
    this.counts.count(ban.reason);
    this.onBanned(ban);
  }
}

interface Visitor {
  readonly subject: string | null;
  readonly judged: boolean;
  readonly pushed: boolean;
}

const SERVED: ReadonlySet<UploadOutcome> = new Set(['whole', 'partial', 'tree', 'push_passed']);
/** Our own fault, or told by other calls. */
const NOT_COUNTED: ReadonlySet<UploadOutcome> = new Set(['unreadable', 'no_tree', 'queued', 'early', 'banned']);

/** One upload connection. */
export class Visit {
  readonly #conduct: Conduct;
  readonly #visitor: Visitor;
  /** The points of the connection are counted and not taken back. */
  #charged = false;
  #asked = false;

  constructor(conduct: Conduct, visitor: Visitor, now: number) {
    this.#conduct = conduct;
    this.#visitor = visitor;
    this.#charged = !visitor.pushed;
    if (this.#charged) this.#offend('connections', now);
  }

  /** A request begins. The address's ban, which it is told of once. */
  ask(now: number): Ban | null {
    this.#asked = true;
    const { subject } = this.#visitor;
    const ban = subject === null ? null : this.#conduct.bans.of(subject, now);
    if (ban !== null) ban.told = true;
    return ban;
  }

  /** A request is answered, but for a place in the queue. */
  ended(outcome: UploadOutcome, now: number): void {
    if (SERVED.has(outcome)) this.#forgive(now);
    else if (!NOT_COUNTED.has(outcome)) this.#offend('requests', now);
  }

  /** A place in the queue was told to a client that asked `early`, in time, or for the first time: null. */
  queued(early: boolean | null, now: number): void {
    if (early === true) this.#offend('requests', now);
    else if (early === false) this.#forgive(now);
  }

  /** `bytes` of a file of `size` were sent. */
  sent(content: string, bytes: number, size: number, now: number): void {
    const { subject, judged } = this.#visitor;
    if (judged && subject !== null && size > 0) this.#conduct.sent(subject, content, Math.min(1, bytes / size), now);
  }

  close(now: number): void {
    if (!this.#asked && !this.#visitor.pushed) this.#offend('never_asked', now);
  }

  #offend(offence: Offence, now: number): void {
    const { subject, judged } = this.#visitor;
    if (judged && subject !== null) this.#conduct.offend(subject, offence, now);
  }

  #forgive(now: number): void {
    const { subject, judged } = this.#visitor;
    if (!this.#charged || !judged || subject === null) return;
    this.#charged = false;
    this.#conduct.forgive(subject, 'connections', now);
  }
}
