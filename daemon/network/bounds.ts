// Computes the limits of the listener and the list of block files from the settings.
import type { Settings } from '../../settings/settings.ts';

export function blockFiles({ gnutella }: Settings) {
  return { block: gnutella.block, files: gnutella.blockLists };
}

export function listenerLimits(settings: Settings) {
  return { socketsMax: socketsMax(settings), perAddressMax: perAddressMax(settings) };
}

function socketsMax({ gnutella, uploads }: Settings): number {
  return 2 * (gnutella.maxLeaves + gnutella.maxUltrapeers + uploads.slots + uploads.queue) + 256;
}

/** The sum of the limits for links and uploads, which cannot be told apart at accept time. */
function perAddressMax({ gnutella, uploads }: Settings): number {
  return gnutella.maxPerAddress === 0 ? 0 : gnutella.maxPerAddress + (uploads.maxPerAddress || uploads.slots);
}
