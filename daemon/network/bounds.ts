// Numbers of the listener that follow from the settings, and change with them.
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

/** At accept time a link and an upload look the same. */
function perAddressMax({ gnutella, uploads }: Settings): number {
  return gnutella.maxPerAddress === 0 ? 0 : gnutella.maxPerAddress + (uploads.maxPerAddress || uploads.slots);
}
