// The servent's connections over reliable UDP, by which two firewalled servents exchange files, and what must hold for them.
import type { NetworkRules } from './network-rules.ts';
import type { DatagramRudp, Datagrams } from './overlay/datagrams/datagrams.ts';
import type { Link } from './overlay/links/link.ts';
import type { HostCache } from './overlay/neighbours/host-cache.ts';
import { hostsToTell } from './overlay/neighbours/hosts-to-tell.ts';
import type { Firewall } from './overlay/reach/firewall.ts';
import type { ReachPolicy } from './overlay/reach/reach-policy.ts';
import type { Random } from './ports.ts';
import type { RudpRole } from './rudp/packet.ts';
import type { RudpConnection, RudpEvents } from './rudp/rudp-connection.ts';
import { RudpError } from './rudp/rudp-error.ts';
import { RudpTable } from './rudp/rudp-table.ts';
import type { Shell } from './servent-shell.ts';
import { TimedKeys } from './timed-keys.ts';
import { type Endpoint, endpointKey, formatEndpoint, isIpv6, reachOf } from './wire/endpoint.ts';

/** Interval in which peers of connections are noted as asked: what they send proves nothing about our firewall. */
const MARK_MS = 30_000;
/** While the port that others see is not known, servents are asked so often, each of them once in ASK_AGAIN_MS. */
const ASK_MS = 5_000;
/** While there are fewer to ask than ASKED_AT_ONCE. */
const FIRST_ASK_MS = 1_000;
const ASKED_AT_ONCE = 2;
const ASK_AGAIN_MS = 300_000;
const ASKED_MAX = 256;
const LOOK_MS = 60_000;
const HOSTS_TO_ASK = 20;
const ADDRESS_WISH = { hosts: null, address: true } as const;

export interface ServentRudpParts {
  readonly random: Random;
  readonly rules: Pick<NetworkRules, 'reaches'>;
  readonly udp: () => boolean;
  readonly endpoint: () => Endpoint;
  readonly firewall: Pick<Firewall, 'status' | 'streamPort' | 'wantsPort' | 'udpSent'>;
  readonly reach: Pick<ReachPolicy, 'forbids'>;
  readonly datagrams: () => Pick<Datagrams, 'ask'>;
  /** Servents to ask: neighbours first, then others seen lately. */
  readonly hosts: () => readonly Endpoint[];
  /** Something is to be sent or timed: tick() and flush() are to be called soon. */
  readonly wake: () => void;
}

export class ServentRudp implements DatagramRudp {
  readonly table: RudpTable;
  readonly #parts: ServentRudpParts;
  readonly #asked: TimedKeys;
  #markAt = 0;
  #askAt: number;
  /** Doubles while there is nobody else to ask. */
  #waitMs = FIRST_ASK_MS;

  constructor(parts: ServentRudpParts, now: number) {
    this.#parts = parts;
    this.table = new RudpTable({ random: parts.random, extended: true });
    this.#asked = new TimedKeys(ASK_AGAIN_MS, ASKED_MAX, now);
    this.#askAt = now + FIRST_ASK_MS;
  }

  /** Where others can open a stream with us: answers get through, and all see the same port. Null: they cannot. */
  endpoint(now: number): Endpoint | null {
    const { udp, endpoint, firewall, rules } = this.#parts;
    const { host, port: listening } = endpoint();
    const port =
      udp() && !isIpv6(host) && rules.reaches.includes(reachOf(host)) ? firewall.streamPort(listening, now) : null;
    return port === null ? null : { host, port };
  }

  /** Begins a connection; the peer has to do so too. Throws RudpError. */
  open(peer: Endpoint, role: RudpRole, events: RudpEvents, now: number): RudpConnection {
    const { udp, reach, firewall, wake } = this.#parts;
    if (!udp()) throw new RudpError('RUDP_OFF', 'UDP is off');
    const forbidden = reach.forbids(peer);
    if (forbidden !== null) throw new RudpError('RUDP_FORBIDDEN', `${formatEndpoint(peer)}: ${forbidden}`);
    const connection = this.table.open(peer, role, events, now);
    firewall.udpSent(peer, now);
    wake();
    return connection;
  }

  knows(bytes: Buffer, from: Endpoint): boolean {
    return this.table.knows(bytes, from);
  }

  receive(bytes: Buffer, from: Endpoint, now: number): void {
    const end = this.table.receive(bytes, from, now);
    if (end !== 'stranger') this.#parts.wake();
  }

  /** Does what is due on connections; when to be called again. Infinity: not before wake(). flush() follows. */
  tick(now: number): number {
    if (now >= this.#markAt && this.table.size > 0) {
      this.#markAt = now + MARK_MS;
      for (const { peer } of this.table.connections) this.#parts.firewall.udpSent(peer, now);
    }
    return this.table.tick(now);
  }

  /** Sends what may be sent now, about `most` bytes; how many went out. */
  flush(now: number, send: (bytes: Buffer, to: Endpoint) => void, most?: number): number {
    return this.table.flush(now, send, most);
  }

  /** Asks servents at which port they see us, while that is of use and not known; when to be called again. */
  tickReach(now: number): number {
    const { udp, firewall, hosts, reach, datagrams } = this.#parts;
    if (!udp() || !firewall.wantsPort(now)) return now + LOOK_MS;
    if (now < this.#askAt) return this.#askAt;
    let asked = 0;
    for (const host of hosts()) {
      const key = endpointKey(host);
      if (asked === ASKED_AT_ONCE || isIpv6(host.host) || this.#asked.has(key, now)) continue;
      if (reach.forbids(host) !== null) continue;
      this.#asked.add(key, now);
      datagrams().ask(host, ADDRESS_WISH, () => undefined, now);
      asked++;
    }
    if (asked > 0) this.#waitMs = FIRST_ASK_MS;
    this.#askAt = now + (asked === ASKED_AT_ONCE ? ASK_MS : this.#waitMs);
    this.#waitMs = Math.min(2 * this.#waitMs, LOOK_MS);
    return this.#askAt;
  }

  /** Ends all connections; a last flush() tells the peers. */
  close(now: number): void {
    this.table.close(now);
  }
}

/** What it takes of a servent: some of it is made later. */
export interface RudpServent extends Pick<ServentRudpParts, 'firewall' | 'reach'> {
  readonly endpoint: Endpoint;
  readonly udp: boolean;
  readonly datagrams: Datagrams;
  readonly hosts: HostCache;
  readonly overlay: { readonly links: ReadonlyMap<number, Link> };
}

/** What the servent itself is given. */
interface Given extends Pick<ServentRudpParts, 'random' | 'rules'> {
  readonly shell: Pick<Shell, 'wakeRudp'>;
}

export function serventRudp(servent: RudpServent, { random, rules, shell }: Given, now: number): ServentRudp {
  const { firewall, reach } = servent;
  return new ServentRudp(
    {
      random,
      rules,
      firewall,
      reach,
      udp: () => servent.udp,
      endpoint: () => servent.endpoint,
      datagrams: () => servent.datagrams,
      hosts: () => hostsToTell(servent.overlay.links.values(), servent.hosts, HOSTS_TO_ASK),
      wake: () => shell.wakeRudp(),
    },
    now,
  );
}
