// Events of the core. Called during receive() and tick(): an implementation may call bye(), search() or sendPush(), but not
// receive(). Frames are views, valid during the call.
import type { Endpoint } from '../wire/endpoint.ts';
import type { Frame } from '../wire/frame-reader.ts';
import type { Push } from '../wire/push.ts';
import type { QueryHit } from '../wire/query-hit.ts';
import type { Link } from './links/link.ts';
import type { HostSighting } from './neighbours/host-cache.ts';
import type { Search } from './queries/search.ts';

export interface OverlaySink {
  /** A query hit for a search of ours, after `hops` hops. The sink may keep it. */
  onHit(search: Search, hit: QueryHit, link: Link, hops: number, now: number): void;
  /** Each query when it is first received. Hot path. */
  onQueryPassed(link: Link, frame: Frame, ownHits: number): void;
  /** A relayed hit. Hot path. */
  onHitPassed(from: Link, to: Link, frame: Frame): void;
  /** A neighbour's hit for a query of receiveDatagramQuery(). */
  onDatagramQueryHit?(frame: Frame, now: number): void;
  /** A push for us, which the sink may keep. `link` is null when it came by datagram; `guid` of its descriptor is a view. */
  onPush(push: Push, link: Link | null, now: number, guid: Buffer): void;
  /** Each pong that is taken. */
  onPong?(link: Link, frame: Frame): void;
  onHosts(hosts: readonly HostSighting[], link: Link, now: number): void;
  /** The peer sent a Bye with other ultrapeers; the link is closing. */
  onBye(link: Link, code: number, text: string, tryUltrapeers: readonly Endpoint[], now: number): void;
  /** 0x31 and 0x32. Parse with wire/vendor-message.ts. */
  onVendorMessage(link: Link, frame: Frame, now: number): void;
  /** 0x30. Parse with wire/route-table-update.ts. */
  onRouteTableUpdate(link: Link, frame: Frame): void;
  /** The core ended the link (abuse, silence, broken framing): Bye is queued, wire.close() called. */
  onLinkEnded(link: Link, code: number, text: string): void;
}
