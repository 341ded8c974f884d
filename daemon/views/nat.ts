// How others get to this servent, as the API shows it.
import type { NatView } from '../../api/control.ts';
import type { Lease } from '../../protocol/nat/lease.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { Clock } from '../clock.ts';
import type { Network } from '../network/network.ts';

const NOT_PROXIED = ['UDP', 'DHT', 'port mapping', 'incoming connections'];

export type NatNetwork = Pick<Network, 'servent' | 'mapping' | 'portFile' | 'bound' | 'way'>;

function relayView({ relaying }: Network['servent'], now: number): NatView['relay'] {
  if (!relaying.wanted) return null;
  const { pairs, bytes } = relaying.desk;
  return { able: relaying.relays(now), pairs, bytes };
}

export function natView({ servent, mapping, portFile, bound, way }: NatNetwork, clock: Clock): NatView {
  const { state, method, router, externalHost, leases, trouble, againAt } = mapping.snapshot;
  const timeOf = (at: number) => new Date(clock.wallTime() + at - clock.now()).toISOString();
  const view = ({ internalPort, externalPort, until }: Lease) => ({
    ...{ internal: internalPort, external: externalPort },
    until: timeOf(until),
  });
  const leaseOf = (transport: Lease['transport']) => {
    const lease = leases.find(one => one.transport === transport);
    return lease === undefined ? null : view(lease);
  };
  return {
    ...{ state, method, router, trouble },
    external: externalHost,
    tcp: leaseOf('tcp'),
    udp: leaseOf('udp'),
    againAt: againAt === null || !Number.isFinite(againAt) ? null : timeOf(againAt),
    announced: formatEndpoint(servent.endpoint),
    portFile: portFile === null ? null : { path: portFile.path, port: portFile.port, trouble: portFile.trouble },
    interface: bound === null ? null : { name: bound.name, address: bound.address },
    proxy:
      way.proxy === null
        ? null
        : { address: way.proxy.name, isolated: way.proxy.isolates, off: NOT_PROXIED, trouble: way.proxy.trouble },
    relay: relayView(servent, clock.now()),
  };
}
