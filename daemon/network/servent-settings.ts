// Gives the servent its settings with their present values.
import { LINKS_TO_FIND } from '../../protocol/servent-bootstrap.ts';
import type { ServentSettings } from '../../protocol/servent-settings.ts';
import type { UploadGroup } from '../../protocol/transfer/uploads/queue/upload-group.ts';
import type { UploadLimits } from '../../protocol/transfer/uploads/queue/upload-limits.ts';
import type { ResolvedSettings } from '../../settings/settings.ts';

/** Links to look for: the setting; LINKS_TO_FIND when it is 0 by default and caches are configured. */
function seekOf({ settings, origins }: ResolvedSettings): number {
  const { gnutella, bootstrap } = settings;
  const { kind } = origins['gnutella.seek'];
  const unsaid = kind === 'profile' || kind === 'default';
  return gnutella.seek === 0 && unsaid && bootstrap.caches.length > 0 ? LINKS_TO_FIND : gnutella.seek;
}

/** An object whose fields are read anew at each use. */
function readAnew<T extends object>(fields: { readonly [Name in keyof T]: () => T[Name] }): T {
  const properties = Object.entries<() => unknown>(fields).map(([name, get]) => [name, { get, enumerable: true }]);
  return Object.defineProperties({}, Object.fromEntries(properties)) as T;
}

const NO_GROUPS: readonly UploadGroup[] = [];

/** `spent`: the monthly budget is used up, so no upload gets a slot. */
export function serventSettings(resolved: ResolvedSettings, spent: () => boolean): ServentSettings {
  const { gnutella, dht, uploads, proxy, nat } = resolved.settings;
  const limits = readAnew<UploadLimits>({
    slots: () => (spent() ? 0 : uploads.slots),
    slotsPerAddress: () => uploads.maxPerAddress,
    queue: () => uploads.queue,
    groups: () => (spent() ? NO_GROUPS : uploads.groups),
    credit: () => uploads.credit,
    suspended: spent,
  });
  return readAnew<ServentSettings>({
    userAgent: () => gnutella.userAgent,
    mode: () => gnutella.mode,
    maxLeaves: () => gnutella.maxLeaves,
    maxUltrapeers: () => gnutella.maxUltrapeers,
    maxPerAddress: () => gnutella.maxPerAddress,
    queriesPerSecond: () => gnutella.queriesPerSecond,
    leafQueriesPerSecond: () => gnutella.leafQueriesPerSecond,
    deflate: () => gnutella.deflate,
    tls: () => gnutella.tls,
    outOfBand: () => gnutella.outOfBand,
    // nobody can connect to us through a proxy
    reachable: () => (proxy.socks === '' ? gnutella.reachable : 'no'),
    relay: () => nat.relay,
    dht: () => dht.mode,
    seek: () => seekOf(resolved),
    uploadSpeed: () => uploads.speed,
    uploads: () => limits,
  });
}
