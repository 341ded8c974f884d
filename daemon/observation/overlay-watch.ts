// Hears what the overlay core has to tell and passes it on: searches, query monitor, host cache, log.
import { HEADER_BYTES } from '../../protocol/constants.ts';
import type { FreeSlots } from '../../protocol/overlay/free-slots.ts';
import type { HostCache, HostSighting } from '../../protocol/overlay/host-cache.ts';
import type { Link } from '../../protocol/overlay/link.ts';
import type { Search } from '../../protocol/overlay/search.ts';
import type { OverlaySink } from '../../protocol/overlay/sink.ts';
import type { Clock } from '../../protocol/ports.ts';
import { type Endpoint, formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { Frame } from '../../protocol/wire/frame-reader.ts';
import type { Push } from '../../protocol/wire/push.ts';
import type { QueryHit } from '../../protocol/wire/query-hit.ts';
import type { Log } from '../log.ts';
import type { ReachPolicy } from '../net/reach.ts';
import type { Searches } from '../overlay/searches.ts';
import type { QueryMonitor } from './query-monitor.ts';

export interface OverlayWatchOptions {
  clock: Clock;
  log: Log;
  hosts: HostCache;
  reach: ReachPolicy;
  monitor: QueryMonitor;
  slots: FreeSlots;
  onPush: (push: Push) => void;
}

/** Who hears vendor messages, and hits for those who asked by datagram. Frames end with the call. */
export interface OverlayEars {
  onVendorMessage(link: Link, frame: Frame): void;
  onHitForOutside(frame: Frame): void;
}

export class OverlayWatch implements OverlaySink {
  readonly #options: OverlayWatchOptions;
  /** Made after the overlay that it searches, so it comes later. */
  searches: Searches | null = null;
  /** Of the parts beside the links. */
  ears: OverlayEars | null = null;

  constructor(options: OverlayWatchOptions) {
    this.#options = options;
  }

  onHit(search: Search, hit: QueryHit, _link: Link, hops: number): void {
    this.searches?.onHit(search, hit, hops);
  }

  onQueryPassed(link: Link, frame: Frame, ownHits: number): void {
    this.#options.monitor.note(link, frame, ownHits, this.#options.clock.wallTime());
  }

  onHitPassed(_from: Link, _to: Link, frame: Frame): void {
    this.#options.monitor.noteHit(frame, frame.bytes.readUInt8(frame.start + HEADER_BYTES));
  }

  onPush(push: Push): void {
    this.#options.onPush(push);
  }

  onHosts(sightings: readonly HostSighting[]): void {
    const { clock, hosts, reach, slots } = this.#options;
    const now = clock.wallTime();
    for (const sighting of sightings) {
      const { endpoint, ultrapeer, leafSlotsFree } = sighting;
      if (reach.isOwn(endpoint)) continue;
      hosts.add(sighting, now);
      if (ultrapeer === true && leafSlotsFree != null) slots.note(endpoint, leafSlotsFree, clock.now());
    }
  }

  onBye(link: Link, code: number, text: string, tryUltrapeers: readonly Endpoint[]): void {
    this.#options.log.info({ link: link.id, peer: formatEndpoint(link.endpoint), code, text }, 'a neighbour said Bye');
    this.onHosts(
      tryUltrapeers.map(endpoint => ({ endpoint, source: 'try', ultrapeer: true, dailyUptimeSeconds: null })),
    );
  }

  onLinkEnded(link: Link, code: number, text: string): void {
    this.#options.log.info({ link: link.id, peer: formatEndpoint(link.endpoint), code, text }, 'ended a link');
  }

  onVendorMessage(link: Link, frame: Frame): void {
    this.ears?.onVendorMessage(link, frame);
  }

  onHitForOutside(frame: Frame): void {
    this.ears?.onHitForOutside(frame);
  }

  onRouteTableUpdate(): void {}
}
