// The bootstrap of this daemon: which caches it asks, how many links it is to bring, and when we are told of to others.
import { reachOf } from '../../protocol/wire/endpoint.ts';
import type { Ground } from '../ground.ts';
import { reachesOf } from '../net/reach.ts';
import { LINKS_TO_FIND } from '../overlay/bounds.ts';
import type { OverlaySide } from '../overlay/overlay-side.ts';
import { Bootstrap } from './bootstrap.ts';
import { cachesToAsk } from './known-caches.ts';

export async function bootstrapOf(ground: Ground, side: OverlaySide): Promise<Bootstrap> {
  const { settings, live, store, clock, random, log } = ground;
  const { neighbours, role, identity, reach } = side;
  return new Bootstrap({
    profile: settings.profile,
    caches: await cachesToAsk(live.resolved),
    hostsFiles: settings.bootstrap.hostsFiles,
    hosts: side.hosts,
    table: store.table('caches'),
    pings: side.beside,
    clock,
    random,
    log: log.child({ mod: 'bootstrap' }),
    forbids: endpoint => reach.forbids(endpoint),
    isOwn: endpoint => reach.isOwn(endpoint),
    links: () => ({ connected: neighbours.counts.ultrapeers, wanted: Math.min(neighbours.sought, LINKS_TO_FIND) }),
    publish: () => {
      if (role.role !== 'ultrapeer' || !role.settled || identity.firewalled) return null;
      const own = side.endpoint();
      return reachesOf(settings.profile).includes(reachOf(own.host)) ? own : null;
    },
  });
}
