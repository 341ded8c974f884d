// What a servent is built from: ports, the library, rules, settings, and what it is told once.
import type { CachesToAsk } from './bootstrap/bootstrap.ts';
import type { PublishedFile } from './dht/file-publications.ts';
import type { NetworkRules } from './network-rules.ts';
import type { OverlayLimits } from './overlay/limits.ts';
import type { Machine } from './overlay/neighbours/machine.ts';
import type { Random, WallClock } from './ports.ts';
import type { Searchable } from './search/shared-file.ts';
import type { DhtMemory } from './servent-dht-parts.ts';
import type { ServentSettings } from './servent-settings.ts';
import type { Shell } from './servent-shell.ts';
import type { ServentSink } from './servent-sink.ts';
import type { Conduct } from './transfer/uploads/conduct/conduct.ts';
import type { BlockList } from './wire/block-list.ts';

export interface ServentParts {
  readonly clock: WallClock;
  readonly random: Random;
  readonly library: Searchable;
  readonly machine: Machine;
  readonly rules: NetworkRules;
  readonly settings: ServentSettings;
  readonly shell: Shell;
  readonly sink: ServentSink;
  /** Addresses whose bytes are not read. */
  readonly blocked: BlockList;
  /** Judges those that ask for uploads; absent: nobody does. */
  readonly conduct?: Conduct;
  /** 16 bytes, for life. */
  readonly serventGuid: Buffer;
  /** Milliseconds since 1970, and the same as a date of RFC 822. */
  readonly startedAt: number;
  readonly liveSince: string;
  /** HOST:PORT to stay connected to. */
  readonly configured: readonly string[];
  /** Asked for first neighbours; none when absent. */
  readonly caches?: CachesToAsk;
  /** Bytes that an address has given us; absent: not known. */
  readonly gave?: (address: string) => number;
  /** Absent: it is no node of the DHT, whatever the settings say. */
  readonly dht?: DhtMemory;
  /** Files of downloads that run, of which others can have what we have; absent: none. */
  readonly partials?: () => Iterable<PublishedFile>;
  /** Others can have a part of the file of this SHA-1; absent: of none. */
  readonly sharesPart?: (sha1: Buffer) => boolean;
  /** For experiments: what of the overlay is no setting. */
  readonly limits?: Partial<OverlayLimits>;
}
