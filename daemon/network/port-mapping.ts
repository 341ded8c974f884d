// Has the router forward the Gnutella port: gives the port mapper sockets, time and the address of the router.
import { readFile } from 'node:fs/promises';
import { ROUTER_PORT } from '../../protocol/nat/pcp-message.ts';
import { type MappingSnapshot, PortMapper } from '../../protocol/nat/port-mapper.ts';
import { defaultGateway } from '../../protocol/nat/route-table.ts';
import { METHOD_NAMES } from '../../protocol/nat/router-words.ts';
import { SSDP_GROUP } from '../../protocol/nat/ssdp.ts';
import type { NetworkRules } from '../../protocol/network-rules.ts';
import type { OwnPort } from '../../protocol/overlay/reach/own-port.ts';
import type { Random } from '../../protocol/ports.ts';
import { type Endpoint, endpointOrNull, formatEndpoint, reachOf } from '../../protocol/wire/endpoint.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { RouterSocket } from '../net/nat/router-socket.ts';
import { UpnpClient } from '../net/nat/upnp-client.ts';

/** Between two looks at the default gateway. */
const LOOK_MS = 30_000;
/** For giving mappings back at the end, of the 5 s that a stop may take. */
const STOP_MS = 1_500;
const ROUTES = '/proc/net/route';
const DESCRIPTION = 'servent (Gnutella)';

/** What is to be forwarded now. */
export interface MappingNeed {
  /** Of `nat.mapping`; false also while nobody can connect to us, as behind a proxy. */
  readonly on: boolean;
  /** Of `nat.router`; empty: the default gateway. */
  readonly router: string;
  readonly port: number;
  readonly udp: boolean;
  /** Source address; null: the system chooses. */
  readonly localAddress: string | null;
  /** Whose default route counts; null: of all. */
  readonly interface: string | null;
}

export interface PortMappingParts {
  readonly servent: { readonly port: OwnPort };
  readonly rules: Pick<NetworkRules, 'profile' | 'dialable' | 'reaches'>;
  readonly need: () => MappingNeed;
  readonly random: Random;
  readonly clock: Clock;
  readonly log: Log;
  /** Something that is shown has changed. */
  readonly onChange: () => void;
  /** Where routers are searched for by UPnP; by default in the whole network. */
  readonly searchAt?: Endpoint;
  readonly searchMs?: number;
  readonly routes?: () => Promise<string>;
}

export class PortMapping {
  readonly mapper: PortMapper;
  readonly #parts: PortMappingParts;
  #socket: RouterSocket | null = null;
  #upnp: UpnpClient | null = null;
  /** What the socket was opened for. */
  #way = '';
  /** Why the router is not asked at all; null: it is, or need not be. */
  #trouble: string | null = null;
  #timer: NodeJS.Timeout | null = null;
  #looks: NodeJS.Timeout | null = null;
  readonly #abort = new AbortController();
  #turn: Promise<unknown> = Promise.resolve();
  #said = '';
  #announced = '';
  #stopped = false;

  constructor(parts: PortMappingParts) {
    const { random, rules, clock } = parts;
    this.#parts = parts;
    this.mapper = new PortMapper({
      ...{ random, reaches: rules.reaches },
      shell: {
        send: bytes => this.#socket?.send(bytes),
        call: (id, call) => {
          void this.#upnp?.call(call, this.#abort.signal).then(answer => {
            this.mapper.answered(id, answer, clock.now());
            this.#tick();
          });
        },
      },
      onChange: () => this.#changed(),
    });
  }

  get snapshot(): MappingSnapshot {
    const { snapshot } = this.mapper;
    return this.#trouble === null ? snapshot : { ...snapshot, state: 'unmapped', trouble: this.#trouble };
  }

  start(): void {
    this.#looks = setInterval(() => void this.follow(), LOOK_MS).unref();
    void this.follow();
  }

  /** Looks at what is needed, and where the router is. Never rejects. */
  follow(): Promise<void> {
    this.#turn = this.#turn.then(() => (this.#stopped ? undefined : this.#follow()));
    return this.#turn.then(() => {});
  }

  async #follow(): Promise<void> {
    const { need, clock } = this.#parts;
    const { on, port, udp, localAddress, interface: only, router: given } = need();
    const router = on ? await this.#routerOf(given, only) : null;
    if (router === null || typeof router === 'string') return this.#none(router);
    const way = `${formatEndpoint(router)} ${localAddress}`;
    if (way !== this.#way || this.#socket === null) {
      this.#socket?.close();
      this.#socket = null;
      try {
        this.#socket = await this.#open(router, localAddress);
      } catch (error) {
        return this.#none(`there is no way to the router ${router.host}: ${(error as Error).message}`);
      }
      this.#way = way;
    }
    this.#trouble = null;
    const { client } = this.#socket;
    const { searchAt, searchMs } = this.#parts;
    this.#upnp = new UpnpClient({
      ...{ client, router: router.host, description: DESCRIPTION },
      searchAt:
        searchAt ?? (reachOf(client) === 'loopback' ? { host: router.host, port: SSDP_GROUP.port } : SSDP_GROUP),
      ...(searchMs === undefined ? {} : { searchMs }),
      onForeign: () => this.mapper.counts.count('foreign'),
    });
    this.mapper.use({ router, client, tcp: port, udp: udp ? port : null }, clock.now());
    this.#tick();
  }

  #open(router: Endpoint, localAddress: string | null): Promise<RouterSocket> {
    const { clock } = this.#parts;
    return RouterSocket.open({
      ...{ router, localAddress },
      onDatagram: (bytes, from) => {
        this.mapper.receive(bytes, from, clock.now());
        this.#tick();
      },
      onUnreachable: () => {
        this.mapper.unreachable(clock.now());
        this.#tick();
      },
    });
  }

  /** `trouble`: why the router cannot be asked; null: it is not to be. */
  #none(trouble: string | null): void {
    this.#trouble = trouble;
    this.mapper.use(null, this.#parts.clock.now());
    this.#tick();
    this.#changed();
  }

  /** Null never; a sentence when there is none that may be asked. */
  async #routerOf(given: string, only: string | null): Promise<Endpoint | string> {
    const { rules, routes = () => readFile(ROUTES, 'utf8') } = this.#parts;
    let router = given === '' ? null : endpointOrNull(given, ROUTER_PORT);
    if (given === '') {
      const host = await routes().then(
        table => defaultGateway(table, only),
        () => null,
      );
      if (host === null)
        return 'this machine has no default gateway that can be found: set nat.router to the address of the router';
      router = { host, port: ROUTER_PORT };
    }
    const reach = router === null ? 'unusable' : reachOf(router.host);
    const mayBeAsked = rules.dialable === null ? reach !== 'unusable' : rules.dialable.includes(reach);
    if (router === null || !mayBeAsked)
      return `the router ${router?.host ?? given} is not within what profile ${rules.profile} reaches: it is not asked`;
    return router;
  }

  #tick(): void {
    const { clock } = this.#parts;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const now = clock.now();
    const next = this.mapper.tick(now);
    this.#timer = Number.isFinite(next) ? setTimeout(() => this.#tick(), Math.max(1, next - now)).unref() : null;
  }

  /** The port that others are told follows at once; people are told of each other state once. */
  #changed(): void {
    const { servent, clock, log, onChange } = this.#parts;
    const { mapper } = this;
    const mapped = { host: mapper.usableHost, tcp: mapper.externalPort('tcp'), udp: mapper.externalPort('udp') };
    const announced = JSON.stringify(mapped);
    const untold = this.#announced === '' ? JSON.stringify({ host: null, tcp: null, udp: null }) : this.#announced;
    if (announced !== untold) {
      this.#announced = announced;
      servent.port.mapped(mapped, clock.now());
    }
    const { state, method, trouble, externalHost } = this.snapshot;
    const said = JSON.stringify([state, method, trouble, announced]);
    if (said === this.#said || (state === 'unmapped' && trouble === null)) return;
    if (state === 'unmapped' && this.mapper.snapshot.againAt === null && this.#trouble === null) return; // still asking
    this.#said = said;
    if (state === 'mapped') {
      const by = METHOD_NAMES[method ?? 'pcp'];
      const facts = { by, tcp: mapped.tcp, udp: mapped.udp, address: externalHost };
      if (trouble === null) log.info(facts, 'the router forwards our port');
      else log.warn(facts, `the router forwards our port, but ${trouble}`);
    } else if (state === 'unmapped') log.warn(`no port is forwarded: ${trouble}`);
    onChange();
  }

  /** Gives back what was granted, in the time that there is. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#looks !== null) clearInterval(this.#looks);
    await this.#turn;
    const { clock } = this.#parts;
    this.mapper.use(null, clock.now());
    this.#tick();
    const deadline = clock.now() + STOP_MS;
    while (!this.mapper.isDone && clock.now() < deadline) await new Promise(resolve => setTimeout(resolve, 10));
    this.#abort.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = null;
  }
}
