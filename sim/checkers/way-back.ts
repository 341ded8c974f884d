// Rules of a hit on its way: it goes only to whom had asked over that wire, and a servent that gets one passes it on.

import { Type } from '../../protocol/constants.ts';
import type { HostWire, Medium } from '../servents/medium.ts';
import type { Findings } from './findings.ts';
import { type Passing, passingIn } from './passing.ts';
import type { QueryPaths } from './query-paths.ts';

/** A servent passes a hit on at once; this long it may wait in a queue. */
const PASSED_ON_MS = 2_000;

interface Due {
  readonly wire: HostWire;
  /** How often it came and has not been passed on. */
  count: number;
  readonly since: number;
  /** Descriptors that its queue had dropped by then. */
  readonly dropped: number;
}

export class WayBack {
  readonly #paths: QueryPaths;
  readonly #findings: Findings;
  readonly #due = new Map<string, Due>();
  readonly #wireKeys = new Map<HostWire, number>();

  constructor(paths: QueryPaths, findings: Findings) {
    this.#paths = paths;
    this.#findings = findings;
  }

  onHitWritten(wire: HostWire, frames: Buffer, passing: Passing): void {
    const { back } = wire;
    if (back !== null && this.#paths.knows(passing.guid) && this.#paths.writtenTo(passing.guid, back) === null)
      this.#findings.add('hit off its way', wire.owner.number, `a hit to ${wire.to.number}, which did not ask it`);
    const key = this.#key(wire, frames, passing);
    const due = this.#due.get(key);
    if (due !== undefined && --due.count === 0) this.#due.delete(key);
  }

  arrived(wire: HostWire, frames: Buffer, now: number): void {
    for (const passing of passingIn(frames)) {
      if (passing.type !== Type.QueryHit || wire.back?.link?.ourRole === 'leaf') continue;
      const first = this.#paths.arrivalAt(passing.guid, wire.to.number)?.taken ?? null;
      const onward = first?.back ?? null;
      if (first === null || onward === null || onward.closed || first === wire) continue;
      if (passing.ttl <= 1 && onward.link?.role !== 'leaf') continue;
      const key = this.#key(onward, frames, passing);
      const due = this.#due.get(key);
      if (due === undefined)
        this.#due.set(key, { wire: onward, count: 1, since: now, dropped: onward.link?.queue.droppedTotal ?? 0 });
      else due.count++;
    }
  }

  /** Of a hit on a wire; two hits of one servent for one query differ by length, mostly, and are counted together otherwise. */
  #key(wire: HostWire, frames: Buffer, { guid, start, end }: Passing): string {
    let number = this.#wireKeys.get(wire);
    if (number === undefined) {
      number = this.#wireKeys.size;
      this.#wireKeys.set(wire, number);
    }
    return `${number} ${guid} ${end - start} ${frames.latin1Slice(end - 16, end)}`;
  }

  onUnlinked(wire: HostWire): void {
    this.#wireKeys.delete(wire);
  }

  onSecond({ clock, conditions }: Medium): void {
    for (const [key, { wire, since, dropped }] of this.#due) {
      if (clock.ms - since < PASSED_ON_MS) continue;
      this.#due.delete(key);
      const { owner, to, link } = wire;
      const excused =
        wire.closed || !owner.up || link === null || link.queue.size > 0 || link.queue.droppedTotal > dropped;
      if (excused || !conditions.reaches(owner.number, to.number)) continue;
      this.#findings.add('hit lost', owner.number, `a hit for ${to.number} was not passed on`);
    }
  }
}
