// Passes the servent's reports to the log, the event log, the query monitor, the recorder and the searches.
import type { BootstrapReport, CacheKind } from '../../protocol/bootstrap/bootstrap-plan.ts';
import { HEADER_BYTES } from '../../protocol/constants.ts';
import type { LookupResult } from '../../protocol/dht/lookup-result.ts';
import type { Role } from '../../protocol/handshake/capabilities.ts';
import type { Link } from '../../protocol/overlay/links/link.ts';
import type { LinkDrop } from '../../protocol/overlay/neighbours/topology.ts';
import type { FoundContent } from '../../protocol/overlay/queries/found-content.ts';
import type { Search } from '../../protocol/overlay/queries/search.ts';
import type { SearchSession, SessionSink } from '../../protocol/overlay/queries/search-sessions.ts';
import type { DhtSink, DhtStanding } from '../../protocol/servent-dht-parts.ts';
import type { ServentSink } from '../../protocol/servent-sink.ts';
import type { SourceOffer } from '../../protocol/transfer/downloads/hit-sources.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { Frame } from '../../protocol/wire/frame-reader.ts';
import type { QueryHit } from '../../protocol/wire/query-hit.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { QueryMonitor } from '../queries/query-monitor.ts';
import type { Recorder } from '../recording/recorder.ts';

/** Callbacks for opened and closed links. */
export interface LinkReports {
  onLinked(link: Link): void;
  onUnlinked(link: Link): void;
}

export interface ServentReports extends LinkReports, DhtSink {}

export interface ServentLogOptions {
  clock: Clock;
  log: Log;
  monitor: QueryMonitor;
  reports: ServentReports;
  /** Null: nothing is recorded. */
  recorder: Recorder | null;
  searches: () => SessionSink;
  /** Something was found for a search of ours. */
  onHit: (hit: QueryHit) => void;
  /** The DHT names servents that have a content of a download. */
  onSourceOffer: (offer: SourceOffer) => void;
}

export class ServentLog implements ServentSink {
  readonly #options: ServentLogOptions;
  readonly #overlay: Log;
  readonly #neighbours: Log;
  readonly #role: Log;
  readonly #bootstrap: Log;
  readonly #dht: Log;

  constructor(options: ServentLogOptions) {
    const { log } = options;
    this.#options = options;
    this.#overlay = log.child({ mod: 'overlay' });
    this.#neighbours = log.child({ mod: 'neighbours' });
    this.#role = log.child({ mod: 'role' });
    this.#bootstrap = log.child({ mod: 'bootstrap' });
    this.#dht = log.child({ mod: 'dht' });
  }

  onHit(_search: Search, hit: QueryHit): void {
    this.#options.onHit(hit);
  }

  onSourceOffer(offer: SourceOffer): void {
    this.#options.onSourceOffer(offer);
  }

  onFound(session: SearchSession, content: FoundContent): void {
    this.#options.searches().onFound(session, content);
  }

  onSearchEnded(session: SearchSession): void {
    this.#options.searches().onSearchEnded(session);
  }

  onSearchForgotten(session: SearchSession): void {
    this.#options.searches().onSearchForgotten(session);
  }

  onQueryPassed(link: Link, frame: Frame, ownHits: number): void {
    const { clock, monitor, recorder } = this.#options;
    const at = clock.wallTime();
    monitor.note(link, frame, ownHits, at);
    recorder?.query(link, frame, ownHits, at);
  }

  onHitPassed(frame: Frame): void {
    const { clock, monitor, recorder } = this.#options;
    monitor.noteHit(frame, frame.bytes.readUInt8(frame.start + HEADER_BYTES));
    recorder?.hit(frame, clock.wallTime());
  }

  onPong(link: Link, frame: Frame): void {
    this.#options.recorder?.pong(link, frame, this.#options.clock.wallTime());
  }

  onLinked(link: Link): void {
    const { clock, recorder, reports } = this.#options;
    reports.onLinked(link);
    recorder?.opened(link, clock.wallTime());
  }

  onUnlinked(link: Link): void {
    const { clock, recorder, reports } = this.#options;
    reports.onUnlinked(link);
    recorder?.closed(link, (clock.now() - link.openedAt) / 1000, clock.wallTime());
  }

  onBye({ id, endpoint }: Link, code: number, text: string): void {
    this.#overlay.info({ link: id, peer: formatEndpoint(endpoint), code, text }, 'a neighbour said Bye');
  }

  onLinkEnded({ id, endpoint }: Link, code: number, text: string): void {
    this.#overlay.info({ link: id, peer: formatEndpoint(endpoint), code, text }, 'ended a link');
  }

  onLeaving({ id, endpoint }: Link, { cause }: LinkDrop): void {
    this.#neighbours.info({ link: id, peer: formatEndpoint(endpoint), cause }, 'leaving a neighbour');
  }

  onMissing(address: string, why: string, waitMs: number): void {
    const seconds = Math.round(waitMs / 1000);
    this.#neighbours.warn({ address, why, seconds }, 'a configured neighbour cannot be reached; trying again');
  }

  onRole(role: Role, why: string): void {
    this.#options.recorder?.row('roles', { role, why }, this.#options.clock.wallTime());
    this.#role.info({ role, why }, role === 'leaf' ? 'becoming a leaf' : 'becoming an ultrapeer');
  }

  onCacheAnswered(kind: CacheKind, cache: string, hosts: number, told: boolean): void {
    this.#bootstrap.info({ cache, hosts, told }, kind === 'udp' ? 'a UDP host cache answered' : 'a GWebCache answered');
  }

  onCacheFailed(kind: CacheKind, cache: string, why: string): void {
    const said = kind === 'udp' ? 'a UDP host cache did not answer' : 'a GWebCache gave no hosts';
    this.#bootstrap.info({ cache, why }, said);
  }

  onNoNeighbour({ round, caches: { udp, web } }: BootstrapReport): void {
    const counts = { round, asked: udp.asked + web.asked, answered: udp.answered + web.answered };
    this.#bootstrap.info(counts, 'no neighbour found yet; asking the caches again');
  }

  onDhtChanged(dht: DhtStanding): void {
    const { node, state, cause } = dht;
    this.#dht.info({ mode: node.mode, state, cause }, 'mode or state of the DHT changed');
    this.#options.reports.onDhtChanged(dht);
  }

  onDhtLookup(result: LookupResult): void {
    this.#options.reports.onDhtLookup(result);
  }
}
