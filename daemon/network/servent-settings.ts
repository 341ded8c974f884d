// The settings that the servent reads, as they stand at each use.
import { LINKS_TO_FIND } from '../../protocol/servent.ts';
import type { ServentSettings } from '../../protocol/servent-settings.ts';
import type { ResolvedSettings } from '../../settings/settings.ts';

/** Links to look for: the setting; LINKS_TO_FIND when it is 0 by default and caches are configured. */
function seekOf({ settings, origins }: ResolvedSettings): number {
  const { gnutella, bootstrap } = settings;
  const { kind } = origins['gnutella.seek'];
  const unsaid = kind === 'profile' || kind === 'default';
  return gnutella.seek === 0 && unsaid && bootstrap.caches.length > 0 ? LINKS_TO_FIND : gnutella.seek;
}

export function serventSettings(resolved: ResolvedSettings): ServentSettings {
  const { gnutella, uploads } = resolved.settings;
  return {
    get userAgent() {
      return gnutella.userAgent;
    },
    get mode() {
      return gnutella.mode;
    },
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
    get queriesPerSecond() {
      return gnutella.queriesPerSecond;
    },
    get leafQueriesPerSecond() {
      return gnutella.leafQueriesPerSecond;
    },
    get deflate() {
      return gnutella.deflate;
    },
    get tls() {
      return gnutella.tls;
    },
    get outOfBand() {
      return gnutella.outOfBand;
    },
    get reachable() {
      return gnutella.reachable;
    },
    get uploadSpeed() {
      return uploads.speed;
    },
    uploads: {
      get slots() {
        return uploads.slots;
      },
      get slotsPerAddress() {
        return uploads.maxPerAddress;
      },
      get queue() {
        return uploads.queue;
      },
    },
  };
}
