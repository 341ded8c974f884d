// Numbers and policies that follow from the settings, and change with them.
import { PUBLIC_HOSTS } from '../../protocol/overlay/host-cache.ts';
import { reachesOf } from '../net/reach.ts';
import type { ResolvedSettings, Settings } from '../settings.ts';
import type { LinkBounds } from './neighbours.ts';

export function blockFiles({ gnutella }: Settings) {
  return { block: gnutella.block, files: gnutella.blockLists };
}

export function uploadLimits({ uploads }: Settings) {
  return { slots: uploads.slots, slotsPerAddress: uploads.maxPerAddress, queue: uploads.queue };
}

export function listenerLimits(settings: Settings) {
  return { socketsMax: socketsMax(settings), perAddressMax: perAddressMax(settings) };
}

/** Caches help to so many links; these bring the others. */
export const LINKS_TO_FIND = 4;

/** Who names a cache in a lab wants to be connected by it. */
export function seekOf({ settings, origins }: ResolvedSettings): number {
  const { gnutella, bootstrap } = settings;
  const unsaid = origins['gnutella.seek'].kind === 'profile' || origins['gnutella.seek'].kind === 'default';
  return gnutella.seek === 0 && unsaid && bootstrap.caches.length > 0 ? LINKS_TO_FIND : gnutella.seek;
}

/** In a lab everybody sits at one address and comes back at once. */
export function hostPolicy(settings: Settings) {
  const reaches = reachesOf(settings.profile);
  return settings.profile === 'local'
    ? {
        reaches,
        retryTriedMs: 2_000,
        retryFailedMs: 2_000,
        retryBusyMs: 2_000,
        retryRefusedMs: 2_000,
        sameAddressMs: 0,
      }
    : { ...PUBLIC_HOSTS, reaches };
}

/** How many links there may be; as the settings stand when asked. */
export function linkBounds(resolved: ResolvedSettings): LinkBounds {
  const { gnutella } = resolved.settings;
  return {
    get maxLeaves() {
      return gnutella.maxLeaves;
    },
    get maxUltrapeers() {
      return gnutella.maxUltrapeers;
    },
    get seek() {
      return seekOf(resolved);
    },
    get maxPerAddress() {
      return gnutella.maxPerAddress;
    },
  };
}

export function freeSlots({ gnutella }: Settings, { leaves, ultrapeers }: { leaves: number; ultrapeers: number }) {
  return {
    leafSlots: Math.max(0, gnutella.maxLeaves - leaves),
    ultrapeerSlots: Math.max(0, gnutella.maxUltrapeers - ultrapeers),
  };
}

function socketsMax({ gnutella, uploads }: Settings): number {
  return 2 * (gnutella.maxLeaves + gnutella.maxUltrapeers + uploads.slots + uploads.queue) + 256;
}

/** At accept time a link and an upload look the same. */
function perAddressMax({ gnutella, uploads }: Settings): number {
  return gnutella.maxPerAddress === 0 ? 0 : gnutella.maxPerAddress + (uploads.maxPerAddress || uploads.slots);
}
