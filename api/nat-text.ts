// Says in one line how others get to a servent: for terminals, the dashboard and the page.
import type { NatView } from './control.ts';
import { counted, formatBytes } from './format.ts';

const METHODS = { pcp: 'PCP', 'nat-pmp': 'NAT-PMP', upnp: 'UPnP' } as const;

/** Null: there is nothing to say. */
export function natText(nat: NatView): string | null {
  const { state, interface: bound, proxy } = nat;
  if (proxy !== null) return `through the proxy ${proxy.address}${proxy.trouble === null ? '' : `: ${proxy.trouble}`}`;
  if (bound !== null && bound.address === null) return `the interface ${bound.name} is away: nothing is sent`;
  const parts = [
    ...(bound === null ? [] : [`bound to ${bound.name} (${bound.address})`]),
    ...(nat.portFile === null ? [] : [`port ${nat.portFile.port ?? 'not known yet'} of ${nat.portFile.path}`]),
    ...(state === 'off' ? [] : [mappingText(nat)]),
    ...(nat.relay === null ? [] : [relayText(nat.relay)]),
  ];
  return parts.length === 0 ? null : parts.join('; ');
}

/** `relays between 2 pairs, 3.1 MiB since the start`. */
export function relayText({ able, pairs, bytes }: NonNullable<NatView['relay']>): string {
  if (!able) return 'does not relay: it is no ultrapeer that others can connect to';
  return `relays between ${counted(pairs, 'pair')}, ${formatBytes(bytes)} since the start`;
}

/** `TCP 40001, UDP 40001 by PCP of 192.168.1.1`. */
export function mappingText({ state, method, router, tcp, udp, trouble }: NatView): string {
  if (state === 'off') return 'off';
  if (state === 'asking') return `the router${router === null ? '' : ` ${router}`} is asked to forward the port`;
  if (state === 'unmapped') return `not forwarded: ${trouble ?? 'the router is asked again'}`;
  const ports = [
    ...(tcp === null ? [] : [`TCP ${tcp.external}`]),
    ...(udp === null ? [] : [`UDP ${udp.external}`]),
  ].join(', ');
  return `${ports} forwarded by ${METHODS[method ?? 'pcp']} of ${router ?? 'the router'}${trouble === null ? '' : `, but ${trouble}`}`;
}
