// What the election of our role goes by, as it is now.
import type { Vitals } from './overlay/neighbours/election.ts';
import type { FreeSlots } from './overlay/neighbours/free-slots.ts';
import type { Machine } from './overlay/neighbours/machine.ts';
import type { Neighbours } from './overlay/neighbours/neighbours.ts';
import type { Overlay } from './overlay/overlay.ts';
import { type Firewall, proven } from './overlay/reach/firewall.ts';

export interface VitalsParts {
  readonly machine: Machine;
  readonly firewall: Firewall;
  readonly slots: FreeSlots;
  readonly neighbours: Neighbours;
  readonly overlay: Overlay;
}

export function vitals({ machine, firewall, slots, neighbours, overlay }: VitalsParts, now: number): Vitals {
  const { tcp, udp } = firewall.status(now);
  return {
    uptimeMs: machine.uptimeMs,
    averageUptimeMs: machine.averageUptimeMs,
    tcpReachable: proven(tcp),
    udpReachable: proven(udp),
    uploadBytesPerSecond: machine.bestUpload,
    freeMemoryBytes: machine.freeMemoryBytes,
    cpuShare: machine.cpuShare,
    freeDescriptors: machine.freeDescriptors,
    leafSlotsSeen: slots.total(now),
    refusedShare: neighbours.refusedShare(now),
    ...overlay.counts,
  };
}
