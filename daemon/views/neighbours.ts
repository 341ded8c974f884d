// API views of neighbours and known hosts, of our role and of how we can be reached.
import type { HostView, KeptNeighbourView, PeerView, StatusView } from '../../api/control.ts';
import type { Link } from '../../protocol/overlay/links/link.ts';
import type { KeptReport } from '../../protocol/overlay/neighbours/kept-plan.ts';
import type { HostRecord } from '../../protocol/overlay/neighbours/known-host.ts';
import type { RoleReport } from '../../protocol/overlay/neighbours/own-role.ts';
import type { Firewall, ReachAccount } from '../../protocol/overlay/reach/firewall.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { Clock } from '../clock.ts';

export function peerView(link: Link, clock: Clock): PeerView {
  return {
    id: String(link.id),
    address: formatEndpoint(link.endpoint),
    role: link.role,
    direction: link.direction === 'in' ? 'incoming' : 'outgoing',
    userAgent: link.capabilities.userAgent,
    since: new Date(clock.wallTime() - (clock.now() - link.openedAt)).toISOString(),
    deflate: link.deflateIn || link.deflateOut,
    compression: { in: link.deflateIn, out: link.deflateOut },
    messages: { in: link.framesIn, out: link.queue.framesSent },
    bytes: { in: link.bytesIn, out: link.queue.bytesSent },
    dropped: (link.drops?.total ?? 0) + link.queue.droppedTotal,
    reasons: {
      ...link.drops?.toRecord(),
      ...(link.queue.droppedTotal === 0 ? {} : { unsent: link.queue.droppedTotal }),
    },
    queued: link.queue.bytes,
  };
}

/** `now`: monotonic time, ms. */
export function keptView({ address, state, nextAt, failures, why }: KeptReport, now: number): KeptNeighbourView {
  return {
    ...{ address, state, failures, why },
    nextIn: state === 'waiting' ? Math.max(0, nextAt - now) / 1000 : null,
  };
}

export function reachabilityView(firewall: Firewall, clock: Clock): StatusView['reachability'] {
  const now = clock.now();
  const timeOf = (at: number) => new Date(clock.wallTime() - (now - at)).toISOString();
  const view = ({ state, since, known, provenAt }: ReachAccount) => ({
    ...{ state, known },
    since: timeOf(since),
    provenAt: provenAt === null ? null : timeOf(provenAt),
  });
  const { tcp, udp } = firewall.account(now);
  return { tcp: view(tcp), udp: view(udp) };
}

export function electionView({
  mode,
  active,
  role,
  fit,
  needed,
  heldForMs,
  criteria,
}: RoleReport): StatusView['election'] {
  return {
    mode,
    active,
    role,
    fit,
    needed,
    changesIn: heldForMs === 0 ? null : heldForMs / 1000,
    criteria: [...criteria],
  };
}

export function hostView(record: HostRecord): HostView {
  return {
    address: formatEndpoint(record),
    ultrapeer: record.ultrapeer,
    source: record.source,
    seenAt: isoOrNull(record.seenAt),
    triedAt: isoOrNull(record.triedAt),
    connectedAt: isoOrNull(record.connectedAt),
    failures: record.failures,
  };
}

function isoOrNull(at: number): string | null {
  return at === 0 ? null : new Date(at).toISOString();
}
