// Finds out whether another living node has our KUID, such as one on a copy of our data folder: then each hides the other from half of the
// network. Anybody may say to have our KUID: the node must answer PINGs at its address for twenty minutes, and nodes around us must name it
// when they are asked for our KUID. All is asked with a KUID made up for it, for nobody answers a node that seems to be itself.
import type { Random } from '../ports.ts';
import { TimedKeys } from '../timed-keys.ts';
import { type Endpoint, endpointKey } from '../wire/endpoint.ts';
import type { DhtContact } from './dht-contact.ts';
import type { DhtMessage } from './dht-message.ts';
import { randomKuid } from './kuid.ts';
import type { DhtBody } from './requests.ts';

const ROUNDS = 3;
/** Between two rounds; nodes answer one PING each 30 s and one FIND_NODE each 10 s. */
const ROUND_MS = 10 * 60_000;
const ANSWER_MS = 15_000;
/** Nodes that are asked in a round after the first, and how many of them, in networks of their own, must have named the other one. */
const ASKED = 8;
const WITNESSES = 2;
/** For so long an address that was looked into is not looked into again. */
const AGAIN_MS = 60 * 60_000;
const ADDRESSES_MAX = 256;
/** Shortest time from one new KUID to the next, also for an attacker who fakes collisions. */
export const KUID_CHANGE_MS = 24 * 60 * 60_000;

export interface CollisionPorts {
  readonly random: Random;
  readonly own: () => Buffer;
  readonly ownEndpoint: () => Endpoint;
  /** Whether the address is of the network and not blocked. */
  readonly mayAsk: (endpoint: Endpoint) => boolean;
  /** Nodes that have answered us, nearest to us first. */
  readonly neighbours: () => readonly DhtContact[];
  /** What witnesses must differ in. */
  readonly networkOf: (endpoint: Endpoint) => string;
  /** Sends a request as a firewalled node with that KUID, which is not kept by anybody. */
  readonly send: (body: DhtBody, muid: Buffer, to: Endpoint, as: Buffer) => void;
  /** Another node has our KUID. */
  readonly onProven: (now: number) => void;
}

interface Suspicion {
  readonly endpoint: Endpoint;
  readonly witnesses: Set<string>;
  /** Requests of this round by MUID: whom they went to. */
  readonly asked: Map<string, Endpoint>;
  round: number;
  answered: boolean;
}

export class KuidCollision {
  readonly #ports: CollisionPorts;
  readonly #checked: TimedKeys;
  #suspicion: Suspicion | null = null;
  #provenAt = Number.NEGATIVE_INFINITY;
  /** When tick() has something to do. */
  nextAt = Number.POSITIVE_INFINITY;

  constructor(ports: CollisionPorts, now: number) {
    this.#ports = ports;
    this.#checked = new TimedKeys(AGAIN_MS, ADDRESSES_MAX, now);
  }

  /** A message with our own KUID has come. */
  onOwnKuid(message: DhtMessage, from: Endpoint, now: number): void {
    const suspicion = this.#suspicion;
    if (suspicion?.asked.has(keyOf(message)) === true) {
      if (message.kind === 'pong' && isSame(from, suspicion.endpoint)) suspicion.answered = true;
      return;
    }
    if (suspicion !== null || now - this.#provenAt < KUID_CHANGE_MS) return;
    const { ownEndpoint, mayAsk } = this.#ports;
    const key = endpointKey(from);
    if (isSame(from, ownEndpoint()) || !mayAsk(from) || this.#checked.has(key, now)) return;
    this.#checked.add(key, now);
    this.#suspicion = { endpoint: from, witnesses: new Set(), asked: new Map(), round: 0, answered: false };
    this.#ask(this.#suspicion, now);
  }

  /** A message of any other node. True: it belongs to a check, and to nothing else. */
  take(message: DhtMessage, from: Endpoint): boolean {
    const suspicion = this.#suspicion;
    const to = suspicion?.asked.get(keyOf(message));
    if (suspicion === null || to === undefined) return false;
    if (message.kind === 'ping' || message.kind === 'findNode') {
      // our own request has come back: the address is ours, as a router shows it; a witness that sends one back says nothing
      if (isSame(to, suspicion.endpoint)) this.#end();
    } else if (message.kind === 'foundNode' && isSame(from, to)) {
      const named = message.contacts.find(({ kuid }) => kuid.equals(this.#ports.own()));
      if (named !== undefined && isSame(named.endpoint, suspicion.endpoint))
        suspicion.witnesses.add(this.#ports.networkOf(to));
    }
    return true;
  }

  tick(now: number): void {
    const suspicion = this.#suspicion;
    if (suspicion === null || now < this.nextAt) return;
    if (suspicion.asked.size === 0) {
      this.#ask(suspicion, now);
      return;
    }
    if (!suspicion.answered) this.#end();
    else if (suspicion.round < ROUNDS) {
      suspicion.asked.clear();
      this.nextAt = now + ROUND_MS - ANSWER_MS;
    } else {
      this.#end();
      if (suspicion.witnesses.size < WITNESSES) return;
      this.#provenAt = now;
      this.#ports.onProven(now);
    }
  }

  #ask(suspicion: Suspicion, now: number): void {
    const { random, own, neighbours, networkOf, send } = this.#ports;
    suspicion.round++;
    suspicion.answered = false;
    const as = randomKuid(random);
    const ask = (body: DhtBody, to: Endpoint): void => {
      const muid = random.guid();
      suspicion.asked.set(muid.toString('latin1'), to);
      send(body, muid, to, as);
    };
    ask({ kind: 'ping' }, suspicion.endpoint);
    this.nextAt = now + ANSWER_MS;
    if (suspicion.round === 1) return; // the address may be forged: it costs one PING
    const networks = new Set([networkOf(suspicion.endpoint)]); // it is no witness of its own
    for (const { endpoint } of neighbours()) {
      if (networks.size > ASKED) break;
      if (networks.has(networkOf(endpoint))) continue;
      networks.add(networkOf(endpoint));
      ask({ kind: 'findNode', target: own() }, endpoint);
    }
  }

  #end(): void {
    this.#suspicion = null;
    this.nextAt = Number.POSITIVE_INFINITY;
  }
}

function keyOf({ header }: DhtMessage): string {
  return header.muid.toString('latin1');
}

function isSame(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && a.host === b.host;
}
