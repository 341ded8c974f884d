// All checkers together: they watch a network of whole servents, and say what must not have happened.

import { GUID_BYTES, Type } from '../../protocol/constants.ts';
import type { Link } from '../../protocol/overlay/links/link.ts';
import type { Search } from '../../protocol/overlay/queries/search.ts';
import type { Frame } from '../../protocol/wire/frame-reader.ts';
import type { QueryHit } from '../../protocol/wire/query-hit.ts';
import type { Host, HostWire, Medium, Observer } from '../servents/medium.ts';
import { Bounds } from './bounds.ts';
import { Deliveries } from './deliveries.ts';
import { DownloadRules } from './downloads.ts';
import { Findings } from './findings.ts';
import { Hits } from './hits.ts';
import { passingIn } from './passing.ts';
import { QueryPaths } from './query-paths.ts';
import { Relaying } from './relaying.ts';
import { Tables } from './tables.ts';
import { Truth } from './truth.ts';
import { WayBack } from './way-back.ts';

export class Checkers implements Observer {
  readonly findings: Findings;
  /** Is told of downloads by who starts them. */
  readonly downloads: DownloadRules;
  /** Descriptors that were looked at. */
  checked = 0;
  readonly #internet: Medium;
  readonly #paths = new QueryPaths();
  readonly #relaying: Relaying;
  readonly #wayBack: WayBack;
  readonly #hits: Hits;
  readonly #deliveries: Deliveries;
  readonly #tables: Tables;
  readonly #truth: Truth;
  readonly #bounds: Bounds;

  constructor(internet: Medium) {
    this.#internet = internet;
    this.findings = new Findings(() => internet.clock.ms);
    const [paths, findings] = [this.#paths, this.findings];
    this.#relaying = new Relaying(paths, findings);
    this.#wayBack = new WayBack(paths, findings);
    this.#hits = new Hits(findings);
    this.#deliveries = new Deliveries(findings);
    this.#tables = new Tables(paths, findings);
    this.#truth = new Truth(internet, findings);
    this.#bounds = new Bounds(findings);
    this.downloads = new DownloadRules(internet, findings);
  }

  onWritten(wire: HostWire, frames: Buffer): void {
    for (const passing of passingIn(frames)) {
      this.checked++;
      this.#relaying.onWritten(wire, passing);
      if (passing.type === Type.Query) {
        this.#relaying.onQueryWritten(wire, passing);
        this.#paths.written(passing.guid, passing.ttl, wire, this.#internet.clock.ms);
      } else if (passing.type === Type.QueryHit) {
        this.#relaying.onHitWritten(wire, passing);
        this.#wayBack.onHitWritten(wire, frames, passing);
        this.#hits.onHitWritten(wire, frames, passing, this.#internet.clock.ms);
      }
    }
  }

  onArrived(wire: HostWire, frames: Buffer): void {
    const now = this.#internet.clock.ms;
    this.#paths.arrived(wire, frames, now);
    this.#wayBack.arrived(wire, frames, now);
    this.#hits.arrived(wire, frames, now);
  }

  onQueryPassed(host: Host, link: Link, frame: Frame): void {
    const now = this.#internet.clock.ms;
    const { bytes, start } = frame;
    const back = host.wires.get(link.id)?.back ?? null;
    if (back !== null) this.#paths.taken(bytes.latin1Slice(start, start + GUID_BYTES), host.number, back);
    this.#deliveries.onQueryPassed(host, frame, now);
    this.#tables.onQueryPassed(host, link, frame, now);
  }

  onHit(host: Host, search: Search, hit: QueryHit): void {
    this.#truth.onHit(host, search, hit);
  }

  onUnlinked(wire: HostWire): void {
    this.#wayBack.onUnlinked(wire);
    if (wire.back !== null) this.#wayBack.onUnlinked(wire.back);
    this.#bounds.onUnlinked(wire);
  }

  onSecond(internet: Medium): void {
    this.#paths.onSecond(internet);
    this.#wayBack.onSecond(internet);
    this.#hits.onSecond(internet);
    this.#tables.onSecond(internet);
    this.#deliveries.onSecond(internet);
    this.#bounds.onSecond(internet);
    this.downloads.onSecond();
  }
}
