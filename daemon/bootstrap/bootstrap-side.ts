// The bootstrap of this daemon: which caches it asks, how many links it is to bring, and when caches are told of us.
import { reachOf } from '../../protocol/wire/endpoint.ts';
import type { Ground } from '../ground.ts';
import type { Network } from '../network/network.ts';
import { LINKS_TO_FIND } from '../network/servent-settings.ts';
import { Bootstrap } from './bootstrap.ts';
import { cachesToAsk } from './known-caches.ts';

export async function bootstrapOf(ground: Ground, { servent, rules }: Network): Promise<Bootstrap> {
  const { settings, live, store, clock, random, log } = ground;
  const { neighbours, role, identity, reach, overlay } = servent;
  return new Bootstrap({
    profile: settings.profile,
    caches: await cachesToAsk(live.resolved),
    hostsFiles: settings.bootstrap.hostsFiles,
    hosts: servent.hosts,
    table: store.table('caches'),
    pings: {
      sendUdpPing: (to, onPong) =>
        servent.ask(to, answer => {
          if (answer !== null) onPong({ hosts: answer.pong.hosts, hostCaches: answer.caches });
        }),
    },
    clock,
    random,
    log: log.child({ mod: 'bootstrap' }),
    forbids: endpoint => reach.forbids(endpoint),
    isOwn: endpoint => reach.isOwn(endpoint),
    links: () => ({ connected: overlay.counts.ultrapeers, wanted: Math.min(neighbours.sought, LINKS_TO_FIND) }),
    publish: () => {
      if (role.role !== 'ultrapeer' || !role.settled(clock.now()) || identity.firewalled) return null;
      const own = servent.endpoint;
      return rules.reaches.includes(reachOf(own.host)) ? own : null;
    },
  });
}
