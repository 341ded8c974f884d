// What a servent is made of where a test needs little of it: no system, no library, nothing told.

import type { Clock } from '../../daemon/clock.ts';
import { NETWORK_RULES } from '../../protocol/network-rules.ts';
import type { Random } from '../../protocol/ports.ts';
import type { ServentParts } from '../../protocol/servent-parts.ts';
import type { ServentSettings } from '../../protocol/servent-settings.ts';
import type { Shell } from '../../protocol/servent-shell.ts';
import type { ServentSink } from '../../protocol/servent-sink.ts';
import { BlockList } from '../../protocol/wire/block-list.ts';
import { MACHINE } from '../../sim/servents/machine.ts';
import { usualSettings } from '../../sim/servents/usual-settings.ts';
import { VirtualLibrary } from '../../sim/servents/virtual-library.ts';

const nothing = () => {};

/** Does nothing, and sends nothing. */
export const silentShell: Shell = {
  dial: nothing,
  dialKept: nothing,
  send: () => false,
  wakeRudp: nothing,
  probe: nothing,
  serve: nothing,
  serveStream: nothing,
  callBack: nothing,
  dialSource: nothing,
  serveAtRelay: nothing,
  callProxy: nothing,
  openStream: nothing,
  meetAtRelay: nothing,
  lookUpCache: nothing,
  askWebCache: nothing,
};

export const silentSink: ServentSink = {
  onHit: nothing,
  onQueryPassed: nothing,
  onHitPassed: nothing,
  onLinked: nothing,
  onUnlinked: nothing,
  onBye: nothing,
  onLinkEnded: nothing,
  onLeaving: nothing,
  onMissing: nothing,
  onRole: nothing,
  onSourceOffer: nothing,
  onCacheAnswered: nothing,
  onCacheFailed: nothing,
  onNoNeighbour: nothing,
  onFound: nothing,
  onSearchEnded: nothing,
  onSearchForgotten: nothing,
  onDhtChanged: nothing,
  onDhtLookup: nothing,
};

interface Needs {
  readonly clock: Clock;
  readonly random: Random;
  readonly settings?: Partial<ServentSettings>;
}

export function serventParts({ clock, random, settings = {} }: Needs): ServentParts {
  const startedAt = clock.wallTime();
  return {
    ...{ clock, random, startedAt, machine: MACHINE, shell: silentShell, sink: silentSink },
    library: new VirtualLibrary(),
    rules: NETWORK_RULES.local,
    settings: usualSettings(settings),
    blocked: new BlockList(),
    serventGuid: random.guid(),
    liveSince: new Date(startedAt).toUTCString(),
    configured: [],
  };
}
