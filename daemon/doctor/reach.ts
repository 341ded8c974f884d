// Says whether others can reach this servent by TCP, UDP and streams by UDP, how that is known, and what can be done about it. Pure.
import type { Finding } from '../../api/control.ts';
import type { ReachAccount } from '../../protocol/overlay/reach/firewall.ts';
import { type Endpoint, formatEndpoint } from '../../protocol/wire/endpoint.ts';

export interface ReachFacts {
  /** Gnutella port. */
  readonly port: number;
  /** The address that others see is one of this machine's: no router translates it. */
  readonly isOwnAddress: boolean;
  /** Neighbours, who test it. */
  readonly peers: number;
}

const LOST: Readonly<Record<'TCP' | 'UDP', string>> = {
  TCP: 'others get files only by push',
  UDP: 'hits of searches come only through neighbours',
};

export interface StreamFacts {
  readonly udpOpen: boolean;
  /** Where others can open a stream by UDP with us; null: nowhere, or not known. */
  readonly endpoint: Endpoint | null;
  /** Different peers see our datagrams come from different ports. */
  readonly portVaries: boolean;
}

/** For one that cannot be connected to: whether it exchanges files with others that cannot either. */
export function checkStreams({ udpOpen, endpoint, portVaries }: StreamFacts): Finding {
  const name = 'streams by UDP';
  if (!udpOpen) {
    const mend = 'set gnutella.udp to true, or forward the port';
    return { name, state: 'warning', detail: 'UDP is off: no files from others that cannot be connected to', mend };
  }
  if (endpoint !== null) {
    const detail = `others that cannot be connected to either can open one with ${formatEndpoint(endpoint)}`;
    return { name, state: 'ok', detail, mend: null };
  }
  if (!portVaries)
    return {
      name,
      state: 'ok',
      detail: 'not known yet: neighbours are asked at which port they see this servent',
      mend: null,
    };
  return {
    name,
    state: 'warning',
    detail:
      'the router uses another port for each destination (a symmetric NAT): most others that cannot be connected to are out of reach',
    mend: 'forward the port, or choose another kind of NAT on the router if it has a choice (full cone, or restricted)',
  };
}

export function checkReach(transport: 'TCP' | 'UDP', account: ReachAccount, facts: ReachFacts): Finding {
  const { state, known } = account;
  const found = { name: `reachable by ${transport}` };
  if (state === 'open') {
    const detail = known === 'configured' ? 'yes, as configured: gnutella.reachable' : 'other servents have connected';
    return { ...found, state: 'ok', detail, mend: null };
  }
  if (state === 'unknown') {
    const detail = account.provenAt === null ? 'not tested yet' : 'the last proof is too old';
    const mend =
      facts.peers === 0
        ? 'neighbours test it: wait for one, or see "bootstrap"'
        : `neighbours test it within minutes; until then, ${LOST[transport]}`;
    return { ...found, state: 'warning', detail, mend };
  }
  const detail = known === 'configured' ? 'no, as configured: gnutella.reachable' : 'other servents cannot connect';
  const open = facts.isOwnAddress
    ? `allow incoming ${transport} on port ${facts.port} in the firewall of this machine or its network`
    : `forward port ${facts.port} (${transport}) on the router to this machine`;
  return { ...found, state: 'warning', detail, mend: `${open}; without it, ${LOST[transport]}` };
}
