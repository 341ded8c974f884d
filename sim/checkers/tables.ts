// The rule of query routing: a leaf gets each query that passes its ultrapeer and that a file of the leaf matches.

import type { Link } from '../../protocol/overlay/links/link.ts';
import type { Frame } from '../../protocol/wire/frame-reader.ts';
import { parseQuery, type Query } from '../../protocol/wire/query.ts';
import type { Host, HostWire, Medium } from '../servents/medium.ts';
import type { Findings } from './findings.ts';
import type { QueryPaths } from './query-paths.ts';

/** A leaf has sent its table this long after the link was made, or after a partition that may have held it up. */
const SETTLED_MS = 60_000;
const PASSED_ON_MS = 2_000;

interface Due {
  readonly guid: string;
  readonly wire: HostWire;
  readonly since: number;
  /** Descriptors that its queue had dropped by then. */
  readonly dropped: number;
}

export class Tables {
  readonly #paths: QueryPaths;
  readonly #findings: Findings;
  #due: Due[] = [];
  #partedAt = Number.NEGATIVE_INFINITY;

  constructor(paths: QueryPaths, findings: Findings) {
    this.#paths = paths;
    this.#findings = findings;
  }

  onQueryPassed(host: Host, from: Link, frame: Frame, now: number): void {
    // of a leaf's query its ultrapeer asks other leaves a few at a time, and only until it has enough
    if (frame.ttl === 0 || from.role === 'leaf' || now - this.#partedAt < SETTLED_MS) return;
    const { bytes, start, hops } = frame;
    let query: Query | null = null;
    for (const wire of host.wires.values()) {
      const { link } = wire;
      if (link === null || link === from || link.role !== 'leaf' || now - link.openedAt < SETTLED_MS) continue;
      if (hops + 1 >= link.queryHopsMax || wire.to.library.files === 0) continue;
      query ??= parseQuery(frame.payload());
      if (wire.to.library.match(query, 1).length === 0) continue;
      this.#due.push({
        guid: bytes.latin1Slice(start, start + 16),
        wire,
        since: now,
        dropped: link.queue.droppedTotal,
      });
    }
  }

  onSecond({ clock, conditions }: Medium): void {
    if (conditions.parted) this.#partedAt = clock.ms;
    this.#due = this.#due.filter(({ guid, wire, since, dropped }) => {
      if (clock.ms - since < PASSED_ON_MS) return true;
      const { link, owner, to } = wire;
      const excused =
        wire.closed || !owner.up || link === null || link.queue.size > 0 || link.queue.droppedTotal > dropped;
      if (!excused && this.#paths.writtenTo(guid, wire) === null)
        this.#findings.add('query kept from a leaf', owner.number, `leaf ${to.number} has a file that matches`);
      return false;
    });
  }
}
