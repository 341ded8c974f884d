// Rules of a hit on a wire: not more often than it came, its hops rise, and TTL + hops never grows.

import { HEADER_BYTES, Type } from '../../protocol/constants.ts';
import type { HostWire, Medium } from '../servents/medium.ts';
import { TraceHash } from '../trace-hash.ts';
import type { Findings } from './findings.ts';
import { type Passing, passingIn } from './passing.ts';

/** A hit is forgotten when it has not moved for so long. */
const KEPT_MS = 60_000;

/** One hit at one host. */
interface Stay {
  /** Copies that came; fewest hops, highest TTL + hops of them. */
  came: number;
  hopsMin: number;
  sum: number;
  /** Copies that went on over each wire. */
  readonly written: Map<HostWire, number>;
  movedAt: number;
}

export class Hits {
  readonly #findings: Findings;
  /** By host, GUID and a hash of the payload. */
  readonly #stays = new Map<string, Stay>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  onHitWritten(wire: HostWire, frames: Buffer, passing: Passing, now: number): void {
    const { owner, to, link } = wire;
    const { ttl, hops } = passing;
    const stay = this.#stay(owner.number, frames, passing, now);
    const count = (stay.written.get(wire) ?? 0) + 1;
    stay.written.set(wire, count);
    if (count > Math.max(1, stay.came))
      this.#findings.add(
        'sent twice',
        owner.number,
        `a hit to ${to.number}, ${count} times; it came ${stay.came} times`,
      );
    if (stay.came === 0) return;
    if (hops <= stay.hopsMin)
      this.#findings.add('hops not raised', owner.number, `a hit with ${hops} hops on, ${stay.hopsMin} when it came`);
    // the last hop to a leaf has TTL 1 whatever is left
    if (ttl + hops > stay.sum + (link?.role === 'leaf' ? 1 : 0))
      this.#findings.add(
        'TTL grew',
        owner.number,
        `a hit with TTL ${ttl} and ${hops} hops on, ${stay.sum} together before`,
      );
  }

  arrived(wire: HostWire, frames: Buffer, now: number): void {
    for (const passing of passingIn(frames)) {
      if (passing.type !== Type.QueryHit) continue;
      const stay = this.#stay(wire.to.number, frames, passing, now);
      stay.came++;
      stay.hopsMin = Math.min(stay.hopsMin, passing.hops);
      stay.sum = Math.max(stay.sum, passing.ttl + passing.hops);
    }
  }

  #stay(host: number, frames: Buffer, { guid, start, end }: Passing, now: number): Stay {
    const hash = new TraceHash();
    hash.addBytes(frames.subarray(start + HEADER_BYTES, end));
    const key = `${host} ${guid} ${hash.hex}`;
    let stay = this.#stays.get(key);
    if (stay === undefined) {
      stay = { came: 0, hopsMin: Number.POSITIVE_INFINITY, sum: 0, written: new Map(), movedAt: now };
      this.#stays.set(key, stay);
    }
    stay.movedAt = now;
    return stay;
  }

  onSecond({ clock }: Medium): void {
    for (const [key, { movedAt }] of this.#stays) if (clock.ms - movedAt > KEPT_MS) this.#stays.delete(key);
  }
}
