// Explanations of searches and links, from what the parts know of them.
import type { Explanation, SearchView } from '../../api/control.ts';
import { Drop } from '../../protocol/overlay/links/drops.ts';
import type { Link } from '../../protocol/overlay/links/link.ts';
import { explainSearch } from '../explain/explain.ts';
import { explainPeer } from '../explain/explain-peer.ts';
import type { ControlParts } from './control-parts.ts';

type Parts = Pick<ControlParts, 'servent' | 'clock' | 'live'>;

export function searchExplanation({ servent, clock, live }: Parts, search: SearchView): Explanation {
  return explainSearch({
    search,
    ...servent.overlay.counts,
    firewall: servent.firewall.status(clock.now()),
    outOfBand: live.settings.gnutella.outOfBand,
  });
}

export function peerExplanation({ servent, live }: Parts, link: Link): Explanation {
  const { queryRates } = servent.overlay;
  const { id, role, endpoint, drops } = link;
  return explainPeer({
    id: String(id),
    role,
    host: endpoint.host,
    origin: live.resolved.origins[role === 'leaf' ? 'gnutella.leafQueriesPerSecond' : 'gnutella.queriesPerSecond'],
    link: { ...queryRates.ofLink(link), dropped: drops?.of(Drop.QueryTooSoon) ?? 0 },
    ofAddress: { ...queryRates.ofAddress(), dropped: drops?.of(Drop.QueryTooSoonOfAddress) ?? 0 },
  });
}
