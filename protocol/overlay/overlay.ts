// The servent's core: links in, effects out. Dispatches descriptors, keeps time, says goodbye.
import type { Clock, Random } from '../ports.ts';
import type { Searchable } from '../search/shared-file.ts';
import type { Push } from '../wire/push.ts';
import type { Drops } from './drops.ts';
import type { Identity } from './identity.ts';
import type { OverlayLimits } from './limits.ts';
import type { Link, LinkSpec } from './link.ts';
import type { Search, SearchSpec } from './search.ts';
import type { OverlaySink } from './sink.ts';

export interface OverlayOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly library: Searchable;
  readonly sink: OverlaySink;
  readonly identity: Identity;
  readonly limits?: Partial<OverlayLimits>;
}

export declare class Overlay {
  constructor(options: OverlayOptions);
  /** Open links, in the order of their ids. */
  readonly links: ReadonlyMap<number, Link>;
  /** All links, past ones too. */
  readonly drops: Drops;
  readonly searches: Iterable<Search>;
  /** Sends what a new neighbour gets: a ping, our running queries. */
  addLink(spec: LinkSpec): Link;
  /** Never throws, whatever the bytes. Keeps no view of the chunk beyond an unfinished frame. */
  receive(link: Link, chunk: Buffer): void;
  /** The socket is gone. Idempotent. */
  removeLink(link: Link, reason: string): void;
  /** Clears its queue, sends a Bye, routes nothing to or from it any more. Idempotent. */
  bye(link: Link, code: number, text: string): void;
  search(spec: SearchSpec): Search;
  cancelSearch(search: Search): void;
  /** To the servent that sent a hit. How many links it went out on: 0 when no route is known. */
  sendPush(push: Push): number;
  /** Does what is due; returns when to be called again, on the clock's scale. */
  tick(now: number): number;
  /** Bye 200 to all. */
  shutdown(): void;
}
