// The admin API's operations on neighbours, known hosts and the queries that pass.
import type { Control } from '../../api/control.ts';
import { ApiError, invalid, notFound } from '../../api/errors.ts';
import { pageOf } from '../../api/page.ts';
import { DEFAULT_PORT } from '../../protocol/constants.ts';
import type { Link } from '../../protocol/overlay/links/link.ts';
import { ByeCode } from '../../protocol/wire/bye.ts';
import { endpointOrNull, formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { explainRole } from '../explain/explain-role.ts';
import { QueryMonitor } from '../queries/query-monitor.ts';
import { hostView, peerView } from '../views/neighbours.ts';
import { queryStatsView, queryView } from '../views/queries.ts';
import type { ControlParts } from './control-parts.ts';
import { peerExplanation } from './explanations.ts';
import { hostFields } from './lists.ts';
import { refusedPeersView } from './refused-peers.ts';
import { natNow } from './status-view.ts';

type OverlayControl = Pick<
  Control,
  | 'peers'
  | 'connect'
  | 'disconnect'
  | 'explainPeer'
  | 'refusedPeers'
  | 'election'
  | 'nat'
  | 'hosts'
  | 'addHost'
  | 'removeHost'
  | 'queries'
  | 'queryStats'
>;

export function overlayControl(parts: ControlParts): OverlayControl {
  const { servent, network, monitor, clock } = parts;
  const { hosts, overlay } = servent;

  /** Throws NOT_FOUND. */
  const linkOf = (id: string): Link => {
    const link = overlay.links.get(Number(id));
    if (link === undefined) throw notFound('peer', id);
    return link;
  };

  return {
    peers: input =>
      pageOf(
        [...overlay.links.values()],
        input,
        ({ id }) => String(id),
        link => peerView(link, clock),
      ),

    connect: async ({ address }) => {
      const attempt = await network.connectTo(address);
      if (attempt.kind === 'linked') return peerView(attempt.link, clock);
      if (attempt.kind === 'refused') {
        const { code, text, by } = attempt.refusal;
        throw new ApiError('REFUSED', `${by === 'us' ? 'this servent refused' : address}: ${code} ${text}`);
      }
      throw new ApiError('UNREACHABLE', attempt.text);
    },

    disconnect: ({ id }) => overlay.bye(linkOf(id), ByeCode.UserRemoval, 'User disconnected'),
    explainPeer: ({ id }) => peerExplanation(parts, linkOf(id)),
    refusedPeers: () => refusedPeersView(parts),
    election: () => explainRole(servent.roleReport(clock.now())),
    nat: () => natNow(parts),

    hosts: input => pageOf(hosts.toRecords(), input, formatEndpoint, hostView, hostFields),

    addHost: ({ address }) => {
      const endpoint = endpointOrNull(address);
      if (endpoint === null)
        throw invalid(
          'address',
          'expected an IP address such as 192.0.2.7 or [2001:db8::7]:6346; host names are not accepted',
        );
      const sighting = { endpoint, source: 'configured', ultrapeer: null, dailyUptimeSeconds: null } as const;
      const record = hosts.add(sighting, clock.wallTime()) ? hosts.get(endpoint) : null;
      if (record === null) throw invalid('address', 'the profile does not allow this address');
      return hostView(record);
    },

    removeHost: ({ id }) => {
      const endpoint = endpointOrNull(id, DEFAULT_PORT);
      if (endpoint === null || !hosts.remove(endpoint)) throw notFound('host', id);
    },

    queries: input => pageOf(monitor.latest(), input, QueryMonitor.keyOf, query => queryView(monitor.seen(query))),
    queryStats: ({ span, top }) => queryStatsView(monitor.stats.report(span, top)),
  };
}
