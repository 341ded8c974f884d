// Passes the servent's reports to the log, the event log, the query monitor, the searches and the waiting pushes.
import type { BootstrapReport, CacheKind } from '../../protocol/bootstrap/bootstrap-plan.ts';
import { HEADER_BYTES } from '../../protocol/constants.ts';
import type { Role } from '../../protocol/handshake/capabilities.ts';
import type { Link } from '../../protocol/overlay/links/link.ts';
import type { LinkDrop } from '../../protocol/overlay/neighbours/topology.ts';
import type { PushRequest } from '../../protocol/overlay/pushes/push-requester.ts';
import type { FoundContent } from '../../protocol/overlay/queries/found-contents.ts';
import type { SearchSession, SessionSink } from '../../protocol/overlay/queries/search-sessions.ts';
import type { ServentSink } from '../../protocol/servent-sink.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { Frame } from '../../protocol/wire/frame-reader.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { QueryMonitor } from '../queries/query-monitor.ts';

/** Callbacks for opened and closed links. */
export interface LinkReports {
  onLinked(link: Link): void;
  onUnlinked(link: Link): void;
}

export interface ServentLogOptions {
  clock: Clock;
  log: Log;
  monitor: QueryMonitor;
  reports: LinkReports;
  searches: () => SessionSink;
  onPushTimeout: (request: PushRequest) => void;
}

export class ServentLog implements ServentSink {
  readonly #options: ServentLogOptions;
  readonly #overlay: Log;
  readonly #neighbours: Log;
  readonly #role: Log;
  readonly #bootstrap: Log;

  constructor(options: ServentLogOptions) {
    const { log } = options;
    this.#options = options;
    this.#overlay = log.child({ mod: 'overlay' });
    this.#neighbours = log.child({ mod: 'neighbours' });
    this.#role = log.child({ mod: 'role' });
    this.#bootstrap = log.child({ mod: 'bootstrap' });
  }

  onHit(): void {}

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
    this.#options.monitor.note(link, frame, ownHits, this.#options.clock.wallTime());
  }

  onHitPassed(frame: Frame): void {
    this.#options.monitor.noteHit(frame, frame.bytes.readUInt8(frame.start + HEADER_BYTES));
  }

  onLinked(link: Link): void {
    this.#options.reports.onLinked(link);
  }

  onUnlinked(link: Link): void {
    this.#options.reports.onUnlinked(link);
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

  onPushTimeout(request: PushRequest): void {
    this.#options.onPushTimeout(request);
  }
}
