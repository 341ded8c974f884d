// What the core tells its shell. Called in the middle of receive() and tick(): an implementation notes what it needs
// and returns; it may call bye(), search() or sendPush(), but never receive(). Frames are views that end with the call.
import type { Endpoint } from '../wire/endpoint.ts';
import type { Frame } from '../wire/frame-reader.ts';
import type { Push } from '../wire/push.ts';
import type { QueryHit } from '../wire/query-hit.ts';
import type { Link } from './links/link.ts';
import type { HostSighting } from './neighbours/host-cache.ts';
import type { Search } from './queries/search.ts';

export interface OverlaySink {
  /** One query hit for a search of ours, after `hops` hops. It is the sink's to keep. */
  onHit(search: Search, hit: QueryHit, link: Link, hops: number, now: number): void;
  /** Each query the first time it comes by. Hot: look at the frame only if somebody is watching. */
  onQueryPassed(link: Link, frame: Frame, ownHits: number): void;
  /** A hit that we passed on. Hot as well. */
  onHitPassed(from: Link, to: Link, frame: Frame): void;
  /** A neighbour's hit for a query of queryFromOutside(). */
  onHitForOutside?(frame: Frame, now: number): void;
  /** Somebody wants us to connect and serve a file. The sink's to keep. `link` is null when it came by datagram. */
  onPush(push: Push, link: Link | null, now: number): void;
  onHosts(hosts: readonly HostSighting[], link: Link, now: number): void;
  /** The peer said goodbye, and which ultrapeers to try instead; the link is closing. */
  onBye(link: Link, code: number, text: string, tryUltrapeers: readonly Endpoint[], now: number): void;
  /** 0x31 and 0x32. Parse with wire/vendor-message.ts. */
  onVendorMessage(link: Link, frame: Frame, now: number): void;
  /** 0x30. Parse with wire/route-table-update.ts. */
  onRouteTableUpdate(link: Link, frame: Frame): void;
  /** The core ended the link (abuse, silence, broken framing): Bye is queued, wire.close() called. */
  onLinkEnded(link: Link, code: number, text: string): void;
}
