// The servent's search for its first neighbours: what the bootstrap is told of it, and what it registers at caches.
import { Bootstrap, type BootstrapParts, NO_CACHES, type UdpCacheAnswer } from './bootstrap/bootstrap.ts';
import type { PingDone } from './overlay/datagrams/datagram-pings.ts';
import type { Datagrams } from './overlay/datagrams/datagrams.ts';
import type { Neighbours } from './overlay/neighbours/neighbours.ts';
import type { OwnRole } from './overlay/neighbours/own-role.ts';
import type { Overlay } from './overlay/overlay.ts';
import type { OwnIdentity } from './overlay/own-identity.ts';
import type { Firewall } from './overlay/reach/firewall.ts';
import type { OwnPort } from './overlay/reach/own-port.ts';
import type { ServentParts } from './servent-parts.ts';
import { type Endpoint, reachOf } from './wire/endpoint.ts';

/** Links that are looked for through caches; the servents behind these bring the others. */
export const LINKS_TO_FIND = 4;

/** Those of its parts that are needed. */
export interface BootstrapServent extends Pick<BootstrapParts, 'hosts' | 'sightings' | 'reach'> {
  readonly overlay: Pick<Overlay, 'counts'>;
  readonly neighbours: Pick<Neighbours, 'sought'>;
  readonly role: Pick<OwnRole, 'role' | 'settled'>;
  readonly firewall: Pick<Firewall, 'firewalled'>;
  readonly identity: Pick<OwnIdentity, 'ultrapeer'>;
  readonly datagrams: Pick<Datagrams, 'ask'>;
  readonly port: Pick<OwnPort, 'udp' | 'endpoint'>;
}

export function serventBootstrap(servent: BootstrapServent, parts: ServentParts, now: number): Bootstrap {
  const { clock, random, rules, shell, sink, caches = NO_CACHES } = parts;
  const { hosts, sightings, reach, overlay, neighbours, role, firewall, port } = servent;

  /** Ourselves, when we are an ultrapeer for good that others can reach. */
  const registrable = (at: number): Endpoint | null => {
    if (role.role !== 'ultrapeer' || !role.settled(at) || firewall.firewalled(at)) return null;
    return rules.reaches.includes(reachOf(port.endpoint.host)) ? port.endpoint : null;
  };

  /** Asks a UDP host cache for hosts with free slots of the kind that we look for. */
  const ping = (to: Endpoint, done: (answer: UdpCacheAnswer, at: number) => void, sentAt: number): void => {
    const onAnswer: PingDone = (answer, at) => {
      if (answer !== null) done({ hosts: answer.pong.hosts, caches: answer.caches }, at);
    };
    const kind = servent.identity.ultrapeer ? 'ultrapeer' : 'leaf';
    servent.datagrams.ask(to, { hosts: kind, address: true }, onAnswer, sentAt);
  };

  return new Bootstrap(
    {
      ...{ clock, random, caches, hosts, sightings, reach, shell, sink, registrable, ping },
      rules: rules.bootstrap,
      links: () => ({
        connected: overlay.counts.ultrapeers,
        wanted: Math.min(neighbours.sought, LINKS_TO_FIND),
      }),
      udp: () => port.udp,
    },
    now,
  );
}
