// Handshakes that came to nothing, and the configured neighbours, as admins see them.
import type { RefusedPeersView } from '../../api/control.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { keptView } from '../views/neighbours.ts';
import type { ControlParts } from './control-parts.ts';

export function refusedPeersView({
  network,
  servent,
  clock,
}: Pick<ControlParts, 'network' | 'servent' | 'clock'>): RefusedPeersView {
  const { refusals, handshaker } = network;
  return {
    configured: servent.kept.report().map(kept => keptView(kept, clock.now())),
    counts: { incoming: handshaker.countsIn.toRecord(), outgoing: handshaker.countsOut.toRecord() },
    items: refusals.newestFirst().map(({ at, remote, direction, end, detail }) => ({
      at: new Date(at).toISOString(),
      address: formatEndpoint(remote),
      direction: direction === 'in' ? 'incoming' : 'outgoing',
      reason: end,
      detail,
    })),
  };
}
