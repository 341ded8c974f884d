// Where each query has been: who asked it, which copies each host got and which it took, over which wires it went on. Checkers ask it.

import { Type } from '../../protocol/constants.ts';
import type { HostWire, Medium } from '../servents/medium.ts';
import { passingIn } from './passing.ts';

/** A query is forgotten when it has not moved for so long. */
const KEPT_MS = 60_000;

/** The copies of one query that one host got. */
export interface Arrival {
  /** That brought the copy which the servent took; null while it has taken none: it may refuse those that come too fast. */
  taken: HostWire | null;
  /** Of all copies: fewest hops, highest TTL + hops. */
  hopsMin: number;
  sum: number;
}

interface Path {
  /** Number of the host that wrote it first. */
  readonly origin: number;
  readonly arrivals: Map<number, Arrival>;
  /** Wire -> the highest TTL with which it was written there. */
  readonly written: Map<HostWire, number>;
  movedAt: number;
}

export class QueryPaths {
  readonly #paths = new Map<string, Path>();

  /** What a host got of the query of another; null without any, as when it came by datagram. */
  arrivalAt(guid: string, host: number): Arrival | null {
    const path = this.#paths.get(guid);
    return path === undefined || path.origin === host ? null : (path.arrivals.get(host) ?? null);
  }

  /** Whether the host asked the query, as far as is known. */
  isOrigin(guid: string, host: number): boolean {
    return (this.#paths.get(guid)?.origin ?? host) === host;
  }

  /** The highest TTL with which the query was written to the wire; null when it never was. */
  writtenTo(guid: string, wire: HostWire): number | null {
    return this.#paths.get(guid)?.written.get(wire) ?? null;
  }

  knows(guid: string): boolean {
    return this.#paths.has(guid);
  }

  /** Called after the checkers have compared with what was written before. */
  written(guid: string, ttl: number, wire: HostWire, now: number): void {
    const path = this.#path(guid, wire.owner.number, now);
    path.written.set(wire, Math.max(ttl, path.written.get(wire) ?? 0));
  }

  arrived(wire: HostWire, frames: Buffer, now: number): void {
    for (const { guid, type, ttl, hops } of passingIn(frames)) {
      if (type !== Type.Query) continue;
      const { arrivals } = this.#path(guid, wire.owner.number, now);
      const known = arrivals.get(wire.to.number);
      if (known === undefined) arrivals.set(wire.to.number, { taken: null, hopsMin: hops, sum: ttl + hops });
      else {
        known.hopsMin = Math.min(known.hopsMin, hops);
        known.sum = Math.max(known.sum, ttl + hops);
      }
    }
  }

  /** The host took the copy that came over this wire of another. */
  taken(guid: string, host: number, wire: HostWire): void {
    const arrival = this.#paths.get(guid)?.arrivals.get(host);
    if (arrival !== undefined) arrival.taken = wire;
  }

  #path(guid: string, writer: number, now: number): Path {
    let path = this.#paths.get(guid);
    if (path === undefined) {
      path = { origin: writer, arrivals: new Map(), written: new Map(), movedAt: now };
      this.#paths.set(guid, path);
    }
    path.movedAt = now;
    return path;
  }

  onSecond({ clock }: Medium): void {
    for (const [guid, { movedAt }] of this.#paths) if (clock.ms - movedAt > KEPT_MS) this.#paths.delete(guid);
  }
}
