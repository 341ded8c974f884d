import type { BootstrapSink } from './bootstrap/bootstrap.ts';
import type { Role } from './handshake/capabilities.ts';
import type { Link } from './overlay/links/link.ts';
import type { LinkDrop } from './overlay/neighbours/topology.ts';
import type { Search } from './overlay/queries/search.ts';
import type { SessionSink } from './overlay/queries/search-sessions.ts';
import type { DhtSink } from './servent-dht-parts.ts';
import type { SourceOffer } from './transfer/downloads/hit-sources.ts';
import type { Frame } from './wire/frame-reader.ts';
import type { QueryHit } from './wire/query-hit.ts';

/** Events of a servent. Called during its methods. */
export interface ServentSink extends BootstrapSink, SessionSink, DhtSink {
  /** One query hit for a search of ours, before `searches` takes it; `hops` null when it came by datagram. It is the sink's to keep. */
  onHit(search: Search, hit: QueryHit, hops: number | null): void;
  /** Each query the first time it comes by. Hot. */
  onQueryPassed(link: Link, frame: Frame, ownHits: number): void;
  /** A hit that we passed on. Hot. */
  onHitPassed(frame: Frame): void;
  /** Each pong of a link that is taken. */
  onPong?(link: Link, frame: Frame): void;
  onLinked(link: Link): void;
  onUnlinked(link: Link): void;
  /** The peer said goodbye. */
  onBye(link: Link, code: number, text: string): void;
  /** The core ended the link for abuse, silence or broken framing. */
  onLinkEnded(link: Link, code: number, text: string): void;
  /** A link is given up for a better one. */
  onLeaving(link: Link, drop: LinkDrop): void;
  /** A configured neighbour cannot be connected to; it is dialled again after so many milliseconds. */
  onMissing(address: string, why: string, waitMs: number): void;
  onRole(role: Role, why: string): void;
  /** The DHT names servents that have a content that `contents.locator` was asked for. */
  onSourceOffer(offer: SourceOffer): void;
}
