// Datagrams between virtual servents: what each sends lies in one list until the test delivers or forges it.

import type { Clock } from '../../daemon/clock.ts';
import type { DatagramEnd } from '../../protocol/overlay/datagrams/datagram-end.ts';
import { type DatagramLimits, Datagrams } from '../../protocol/overlay/datagrams/datagrams.ts';
import type { HostSighting } from '../../protocol/overlay/neighbours/host-cache.ts';
import type { Search } from '../../protocol/overlay/queries/search.ts';
import { Firewall } from '../../protocol/overlay/reach/firewall.ts';
import { type Endpoint, formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { QueryHit } from '../../protocol/wire/query-hit.ts';
import type { VirtualNetwork, VirtualServent } from './virtual-network.ts';

export interface SentDatagram {
  readonly bytes: Buffer;
  readonly from: Endpoint;
  readonly to: Endpoint;
}

export class VirtualDatagrams {
  readonly servent: VirtualServent;
  readonly core: Datagrams;
  readonly firewall: Firewall;
  readonly #clock: Clock;
  readonly hits: { search: Search; hit: QueryHit; from: Endpoint }[] = [];
  readonly hosts: HostSighting[] = [];
  readonly seen: string[] = [];
  /** What it tells askers. */
  known: Endpoint[] = [];

  constructor(
    servent: VirtualServent,
    network: VirtualNetwork,
    wire: SentDatagram[],
    limits: Partial<DatagramLimits> = {},
    override: 'open' | 'firewalled' | null = null,
  ) {
    const { clock, random } = network;
    this.servent = servent;
    this.#clock = clock;
    this.firewall = new Firewall({ override, isNear: () => false, byPort: false, now: clock.now() });
    this.core = new Datagrams(
      {
        clock,
        random,
        identity: servent,
        library: servent.library,
        core: servent.overlay,
        sink: {
          onDatagramHit: (search, hit, from) => this.hits.push({ search, hit, from }),
          onDatagramHosts: hosts => this.hosts.push(...hosts),
          onOwnAddressSeen: host => this.seen.push(host),
        },
        firewall: this.firewall,
        send: (bytes, to) => wire.push({ bytes, from: servent.endpoint, to }),
        hosts: count => this.known.slice(0, count),
        userAgent: () => 'virtual/1',
        limits: { reaches: ['private', 'public'], ...limits },
      },
      clock.now(),
    );
    servent.hitTransport = this.core.replies;
    servent.hearHitForOutside = frame => this.core.guess.onHit(frame, clock.now());
  }

  /** One datagram, now. */
  receive(bytes: Buffer, from: Endpoint): DatagramEnd {
    return this.core.receive(bytes, from, this.#clock.now());
  }
}

/** Delivers what lies there and what that brings about; datagrams to nobody are lost. How many arrived. */
export function carry(wire: SentDatagram[], among: readonly VirtualDatagrams[]): number {
  const byAddress = new Map(among.map(one => [formatEndpoint(one.servent.endpoint), one]));
  let arrived = 0;
  for (let sent = wire.shift(); sent !== undefined; sent = wire.shift()) {
    const target = byAddress.get(formatEndpoint(sent.to));
    if (target === undefined) continue;
    target.receive(sent.bytes, sent.from);
    if (++arrived > 10_000) throw new Error('datagrams without end');
  }
  return arrived;
}
