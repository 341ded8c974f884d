// Keeps the bans of uploads over a restart, and bans and lifts by hand.
import type { Ban, BanRecord } from '../../protocol/transfer/uploads/conduct/bans.ts';
import type { Conduct } from '../../protocol/transfer/uploads/conduct/conduct.ts';
import { BAN_REASONS, type BanReason, OFFENCE_TEXTS } from '../../protocol/transfer/uploads/conduct/offence.ts';
import { subjectText } from '../../protocol/transfer/uploads/conduct/subject.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Table } from '../store/table.ts';
import { WriteBehind } from '../store/write-behind.ts';

/** A kill loses the bans of this interval. */
const WRITE_EVERY_MS = 1000;

/** A ban with times as milliseconds since 1970. */
export interface BanSnapshot extends BanRecord {
  readonly subject: string;
  readonly turnedAway: number;
}

export interface KeptBansOptions {
  readonly conduct: Conduct;
  readonly table: Table<BanRecord>;
  readonly clock: Clock;
  readonly log: Log;
  readonly onBanned: (ban: BanSnapshot) => void;
  readonly onLifted: (ban: BanSnapshot) => void;
}

export class KeptBans {
  readonly #options: KeptBansOptions;
  readonly #written: WriteBehind<BanRecord>;

  constructor(options: KeptBansOptions) {
    const { conduct, table, log } = options;
    this.#options = options;
    this.#written = new WriteBehind(table, log, WRITE_EVERY_MS);
    conduct.onBanned = ban => this.#onBanned(ban);
    conduct.onForgotten = subject => this.#written.delete(subject);
  }

  /** Reads what is stored. Rejects with StoreError. */
  async start(): Promise<void> {
    const { conduct, table, clock } = this.#options;
    const [now, date] = [clock.now(), clock.wallTime()];
    for await (const [subject, record] of table.entries())
      if (!isBan(record) || !conduct.bans.restore(subject, record, now, date)) this.#written.delete(subject);
  }

  stop(): Promise<void> {
    return this.#written.stop();
  }

  /** Newest first. */
  list(): BanSnapshot[] {
    const { conduct, clock } = this.#options;
    return conduct.bans.list(clock.now()).map(ban => this.#snapshotOf(ban));
  }

  get running(): number {
    return this.#options.conduct.bans.running(this.#options.clock.now());
  }

  /** `ms` Infinity: until it is lifted. Null: too many are banned by hand. */
  add(subject: string, ms: number, note: string | null): BanSnapshot | null {
    const ban = this.#options.conduct.banByHand(subject, ms, note, this.#options.clock.now());
    return ban === null ? null : this.#snapshotOf(ban);
  }

  /** False: it is not banned. */
  lift(subject: string): boolean {
    const { conduct, clock, log, onLifted } = this.#options;
    const ban = conduct.bans.of(subject, clock.now());
    if (ban === null || !conduct.lift(subject, clock.now())) return false;
    this.#written.delete(subject);
    log.info({ address: subjectText(subject) }, 'a ban was lifted');
    onLifted(this.#snapshotOf(ban));
    return true;
  }

  #onBanned(ban: Ban): void {
    const { conduct, clock, log, onBanned } = this.#options;
    const snapshot = this.#snapshotOf(ban);
    this.#written.put(ban.subject, conduct.bans.recordOf(ban, clock.now(), clock.wallTime()));
    const { reason, until, times } = snapshot;
    const end = until === null ? null : new Date(until).toISOString();
    log.info({ address: subjectText(ban.subject), reason, until: end, times }, `banned: ${banText(snapshot)}`);
    onBanned(snapshot);
  }

  #snapshotOf(ban: Ban): BanSnapshot {
    const { conduct, clock } = this.#options;
    const record = conduct.bans.recordOf(ban, clock.now(), clock.wallTime());
    return { ...record, subject: ban.subject, turnedAway: ban.turnedAway };
  }
}

/** Why, for people. */
export function banText({ reason, note }: Pick<BanRecord, 'reason' | 'note'>): string {
  return reason === 'by_hand' ? (note ?? 'banned by hand') : OFFENCE_TEXTS[reason];
}

/** A record may be of another version. */
function isBan(record: unknown): record is BanRecord {
  if (typeof record !== 'object' || record === null) return false;
  const { reason, note, since, until, times } = record as Record<keyof BanRecord, unknown>;
  return (
    BAN_REASONS.includes(reason as BanReason) &&
    (note === null || typeof note === 'string') &&
    Number.isFinite(since) &&
    (until === null || Number.isFinite(until)) &&
    Number.isInteger(times) &&
    (times as number) >= 1
  );
}
