// Says what router, VPN, interface and proxy have to do with whether others reach this servent, and what can be done about it. Pure.
import type { Finding, NatView } from '../../api/control.ts';
import { mappingText } from '../../api/nat-text.ts';

/** Of the mapping; nothing when it is off. */
export function checkMapping(nat: NatView, port: number): Finding[] {
  const { state, trouble, router } = nat;
  const name = 'port mapping';
  const detail = mappingText(nat);
  if (state === 'off') return [];
  if (state === 'asking' || (state === 'mapped' && trouble === null))
    return [{ name, state: 'ok', detail, mend: null }];
  const by = router === null ? 'the router' : `the router (${router})`;
  const mend = trouble?.includes('double NAT')
    ? 'switch one of the two routers to bridge mode, or forward the port on the outer one as well'
    : `switch PCP, NAT-PMP or UPnP on in ${by}, or forward port ${port}, TCP and UDP, there by hand and set nat.mapping to off`;
  return [{ name, state: 'warning', detail, mend }];
}

/** Of the interface that all traffic is bound to. */
export function checkInterface({ interface: bound }: NatView): Finding[] {
  if (bound === null || bound.address === null) return []; // that it is away is told among the known problems
  return [
    { name: 'interface', state: 'ok', detail: `all traffic leaves from ${bound.name} (${bound.address})`, mend: null },
  ];
}
