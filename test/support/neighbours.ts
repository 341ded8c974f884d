// The neighbours of a virtual servent with everything that they decide by; dials are noted, and the test ends them.
import { NETWORK_RULES, type NetworkRules } from '../../protocol/network-rules.ts';
import { FreeSlots } from '../../protocol/overlay/neighbours/free-slots.ts';
import { HostCache } from '../../protocol/overlay/neighbours/host-cache.ts';
import { HostSightings } from '../../protocol/overlay/neighbours/host-sightings.ts';
import { KeptNeighbours } from '../../protocol/overlay/neighbours/kept-neighbours.ts';
import { Neighbours } from '../../protocol/overlay/neighbours/neighbours.ts';
import { OwnRole } from '../../protocol/overlay/neighbours/own-role.ts';
import { ReachPolicy } from '../../protocol/overlay/reach/reach-policy.ts';
import type { ServentSettings } from '../../protocol/servent-settings.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { usualSettings } from '../../sim/servents/usual-settings.ts';
import type { VirtualNetwork, VirtualServent } from './virtual-network.ts';

export function neighboursOf(
  servent: VirtualServent,
  { clock, random }: VirtualNetwork,
  changes: Partial<ServentSettings> = {},
) {
  // virtual servents are at 10.0.0.0/8
  const rules: NetworkRules = NETWORK_RULES.lan;
  const settings = usualSettings({ mode: servent.ultrapeer ? 'ultrapeer' : 'leaf', ...changes });
  const hosts = new HostCache(random, rules.hosts);
  const slots = new FreeSlots(hosts, rules.freeSlotsMs);
  const reach = new ReachPolicy(rules);
  const sightings = new HostSightings(hosts, reach, clock);
  const now = clock.now();
  const role = new OwnRole({
    ...{ rules, random, now, mode: settings.mode, leavesMax: settings.maxLeaves },
    seeks: settings.seek > 0,
    onChange: () => undefined,
  });
  const dialled: string[] = [];
  const kept = new KeptNeighbours({
    addresses: [],
    random,
    isConnected: () => false,
    dial: address => dialled.push(address),
    onMissing: () => undefined,
  });
  const { overlay, serventGuid } = servent;
  const neighbours = new Neighbours(
    {
      ...{ overlay, kept, hosts, sightings, slots, reach, role, rules, settings, clock, random, serventGuid },
      startedAt: clock.wallTime(),
      dial: endpoint => dialled.push(formatEndpoint(endpoint)),
      onLeaving: () => undefined,
    },
    now,
  );
  return { neighbours, hosts, slots, role, dialled };
}
