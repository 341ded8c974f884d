// Builds the status view of the API.
import type { NatView, StatusView } from '../../api/control.ts';
import { version } from '../../api/version.ts';
import { formatGuid } from '../../protocol/wire/guid.ts';
import { bootstrapView } from '../views/bootstrap.ts';
import { dhtSummary } from '../views/dht.ts';
import { hashingView } from '../views/library.ts';
import { budgetView, limitsView } from '../views/limits.ts';
import { natView } from '../views/nat.ts';
import { electionView, keptView, reachabilityView } from '../views/neighbours.ts';
import type { ControlParts } from './control-parts.ts';

export type StatusParts = Omit<ControlParts, 'reload' | 'keys' | 'history' | 'hooks' | 'log' | 'monitor'>;

export function statusView(parts: StatusParts): StatusView {
  const { live, startedAt, clock, network, servent, library, searches, gnutella, api } = parts;
  const { identity, overlay } = servent;
  const { settings } = live;
  const { counters, drops } = overlay;
  let framesOut = counters.framesOutPast;
  let shed = counters.shedPast;
  for (const { queue } of overlay.links.values()) {
    framesOut += queue.framesSent;
    shed += queue.droppedTotal;
  }
  return {
    version,
    servent: formatGuid(identity.serventGuid),
    mode: identity.ultrapeer ? 'ultrapeer' : 'leaf',
    profile: settings.profile,
    startedAt: startedAt.toISOString(),
    uptime: (clock.wallTime() - startedAt.getTime()) / 1000,
    gnutella: { host: gnutella.host, port: gnutella.port },
    api,
    peers: overlay.counts,
    election: electionView(servent.roleReport(clock.now())),
    reachability: reachabilityView(servent.firewall, clock),
    nat: natView(network, clock),
    bootstrap: bootstrapView(parts.servent.bootstrap.report, clock.wallTime()),
    neighbours: servent.kept.report().map(kept => keptView(kept, clock.now())),
    hosts: servent.hosts.size,
    library: {
      files: library.files,
      bytes: library.bytes,
      hashing: library.hashing.pending,
      trees: library.hashing.trees,
      media: library.media,
      progress: hashingView(library),
    },
    dht: dhtSummary(servent.dht, clock.now()),
    searches: searches.running,
    downloads: parts.downloads.load,
    uploads: parts.fileServer.load,
    limits: limitsView(parts).items.filter(({ value, stopped }) => value > 0 || stopped),
    budget: network.limits.budget.state === 'none' ? null : budgetView(network.limits),
    messages: {
      in: counters.framesIn,
      out: framesOut,
      dropped: drops.total + shed,
      reasons: { ...drops.toRecord(), ...(shed > 0 ? { queue_full: shed } : {}) },
    },
    lostParts: parts.downloads.lost.parts,
    attention: parts.health.attention(),
  };
}

export const natNow = ({ network, clock }: Pick<ControlParts, 'network' | 'clock'>): NatView => natView(network, clock);
