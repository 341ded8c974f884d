// What servents say of the places that they are in, and whether that is true there.
import type { Finding, StatusView } from '../../api/control.ts';
import { detail, step } from '../stage.ts';
import type { Place } from './laboratory.ts';
import type { NatNetwork } from './nat-network.ts';
import { KINDS } from './place-kind.ts';

type Reachability = StatusView['reachability'];

export interface PlaceReport {
  readonly place: Place;
  readonly reachability: Reachability;
  /** Of the doctor, those with advice. */
  readonly findings: readonly Finding[];
  /** What is said and not so. */
  readonly untrue: readonly string[];
}

export async function reportOf(network: NatNetwork, place: Place): Promise<PlaceReport> {
  const { client } = network.servent(place.name);
  const { reachability } = await client.status();
  const { findings } = await client.doctor();
  return {
    place,
    reachability,
    findings: findings.filter(({ mend }) => mend !== null),
    untrue: untruths(place, reachability, findings.find(({ name }) => name === 'address')?.detail ?? ''),
  };
}

/** "unknown" is no untruth: silence means something only after some minutes. */
function untruths({ kind, outer }: Place, { tcp, udp }: Reachability, address: string): string[] {
  const { incomingTcp, unsolicitedUdp, filtering } = KINDS[kind].behaviour;
  // a servent sends datagrams from its one port all the time: nobody is filtered then where filtering depends on nothing
  const takesUdp = unsolicitedUdp || filtering === 'endpoint-independent';
  const wrong = (state: string, isOpen: boolean) => state !== 'unknown' && (state === 'open') !== isOpen;
  return [
    ...(wrong(tcp.state, incomingTcp) ? [`TCP is said to be ${tcp.state}`] : []),
    ...(wrong(udp.state, takesUdp) ? [`UDP is said to be ${udp.state}`] : []),
    ...(address.startsWith(`${outer}:`) ? [] : [`the address is said to be ${address}, it is ${outer}`]),
  ];
}

export function printReport({ place, reachability: { tcp, udp }, findings, untrue }: PlaceReport): void {
  step(
    `${place.name}: TCP ${tcp.state}, UDP ${udp.state}${untrue.length === 0 ? '' : ` – NOT TRUE: ${untrue.join('; ')}`}`,
  );
  for (const { name, detail: said, mend } of findings) detail(`doctor: ${name}: ${said}; ${mend}`);
}
