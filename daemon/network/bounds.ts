// Computes the limits of the listener and the list of block files from the settings.
import { slotsInAll } from '../../protocol/transfer/uploads/queue/upload-limits.ts';
import type { Settings } from '../../settings/settings.ts';

export function blockFiles({ gnutella }: Settings) {
  return { block: gnutella.block, files: gnutella.blockLists };
}

export function listenerLimits(settings: Settings) {
  return { socketsMax: socketsMax(settings), perAddressMax: perAddressMax(settings) };
}

function socketsMax({ gnutella, uploads }: Settings): number {
  return 2 * (gnutella.maxLeaves + gnutella.maxUltrapeers + slotsInAll(uploads) + uploads.queue) + 256;
}

/** The sum of the limits for links and uploads, which cannot be told apart at accept time. */
function perAddressMax({ gnutella, uploads }: Settings): number {
  if (gnutella.maxPerAddress === 0) return 0;
  const { slots, maxPerAddress, groups } = uploads;
  const ofGroups = groups.map(group => (group.maxPerAddress ?? maxPerAddress) || group.slots);
  return gnutella.maxPerAddress + Math.max(maxPerAddress || slots, ...ofGroups);
}
