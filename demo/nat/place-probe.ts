// Finds out how a place treats datagrams and connections, with sockets alone: the proof that the laboratory is what it says.
import { setTimeout as wait } from 'node:timers/promises';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { Laboratory, Place } from './laboratory.ts';
import type { Behaviour, Dependence } from './place-kind.ts';
import { type Arrival, SocketAgent } from './socket-orders.ts';

/** Ports of the host: one that sends to everybody, one that sends to one only, one that sends nothing. */
const MAPPED_PORT = 7001;
const FILTERED_PORT = 7002;
const QUIET_PORT = 7003;
const TCP_PORT = 7004;
/** Ports of the observers. */
const ONE_PORT = 8001;
const OTHER_PORT = 8002;
const LISTEN_PORT = 8003;
const WAIT_MS = 5_000;

/** Measures a place with the help of observers at the addresses of the ultrapeers, and another place without a router. */
export class PlaceProbe {
  readonly #near: SocketAgent;
  readonly #far: SocketAgent;
  readonly #other: SocketAgent;
  readonly #nearHost: string;
  readonly #farHost: string;
  readonly #otherHost: string;

  /** `other`: an open place, at no address of an ultrapeer. */
  constructor(laboratory: Laboratory, other: Place) {
    const [near, far] = laboratory.ultrapeers;
    if (near === undefined || far === undefined) throw new Error('no ultrapeers in the laboratory');
    this.#near = new SocketAgent(near.namespace);
    this.#far = new SocketAgent(far.namespace);
    this.#other = new SocketAgent(other.namespace);
    this.#nearHost = near.outer;
    this.#farHost = far.outer;
    this.#otherHost = other.outer;
  }

  async measure(place: Place): Promise<Behaviour> {
    const host = new SocketAgent(place.namespace);
    try {
      return {
        mapping: place.inner === place.outer ? null : await this.#mapping(host),
        filtering: await this.#filtering(host),
        unsolicitedUdp: await this.#unsolicited(host, place.outer),
        incomingTcp: await this.#incoming(host, place.outer),
        outgoingTcp: await this.#outgoing(host),
      };
    } finally {
      await host.stop();
    }
  }

  async stop(): Promise<void> {
    await Promise.all([this.#near.stop(), this.#far.stop(), this.#other.stop()]);
  }

  async #mapping(host: SocketAgent): Promise<Dependence> {
    const text = token();
    const seen = [];
    for (const [observer, at, port] of [
      [this.#near, this.#nearHost, ONE_PORT],
      [this.#near, this.#nearHost, OTHER_PORT],
      [this.#far, this.#farHost, ONE_PORT],
    ] as const) {
      await observer.bind(port);
      await host.send(MAPPED_PORT, { host: at, port }, text);
      seen.push(formatEndpoint((await arrival(observer, port, text)).from));
    }
    const [first, otherPort, otherHost] = seen;
    if (first === otherPort && first === otherHost) return 'endpoint-independent';
    return first === otherPort ? 'address-dependent' : 'address-and-port-dependent';
  }

  /** The host sends to one observer; the same from another port, and another observer answer, and that one last of all. */
  async #filtering(host: SocketAgent): Promise<Dependence> {
    const text = token();
    await this.#near.bind(ONE_PORT);
    await host.send(FILTERED_PORT, { host: this.#nearHost, port: ONE_PORT }, text);
    const { from: mapped } = await arrival(this.#near, ONE_PORT, text);
    await this.#near.send(OTHER_PORT, mapped, `${text} of another port`);
    await this.#far.send(ONE_PORT, mapped, `${text} of another host`);
    await this.#near.send(ONE_PORT, mapped, `${text} at last`);
    await arrival(host, FILTERED_PORT, `${text} at last`);
    const came = (await host.arrivals(FILTERED_PORT)).map(({ text }) => text);
    if (came.includes(`${text} of another host`)) return 'endpoint-independent';
    return came.includes(`${text} of another port`) ? 'address-dependent' : 'address-and-port-dependent';
  }

  /** A datagram to a port that has sent none, and then the answer to one of another port, which shows that time has passed. */
  async #unsolicited(host: SocketAgent, outer: string): Promise<boolean> {
    const text = token();
    await host.bind(QUIET_PORT);
    await this.#far.send(ONE_PORT, { host: outer, port: QUIET_PORT }, text);
    await this.#filtering(host);
    return (await host.arrivals(QUIET_PORT)).some(arrival => arrival.text === text);
  }

  async #incoming(host: SocketAgent, outer: string): Promise<boolean> {
    await host.listen(TCP_PORT);
    return this.#far.connects({ host: outer, port: TCP_PORT });
  }

  async #outgoing(host: SocketAgent): Promise<boolean> {
    await this.#other.listen(LISTEN_PORT);
    return host.connects({ host: this.#otherHost, port: LISTEN_PORT });
  }
}

let tokens = 0;
const token = () => `probe ${tokens++}`;

async function arrival(agent: SocketAgent, port: number, text: string): Promise<Arrival> {
  for (const deadline = Date.now() + WAIT_MS; Date.now() < deadline; await wait(5)) {
    const found = (await agent.arrivals(port)).find(one => one.text === text);
    if (found !== undefined) return found;
  }
  throw new Error(`"${text}" did not come to port ${port}`);
}
