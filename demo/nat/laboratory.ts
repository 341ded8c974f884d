// Builds a small internet of network namespaces: ultrapeers with public addresses, and hosts behind routers of each kind.

import { configure, delay, type End, forward, loadRules, Namespaces, removeLeftovers } from './namespaces.ts';
import { KINDS, LAN, type PlaceKind, rulesOf, WAN } from './place-kind.ts';

export interface Place {
  readonly name: string;
  readonly kind: PlaceKind;
  /** Network namespace of the host. */
  readonly namespace: string;
  /** Of the host's own interface. */
  readonly inner: string;
  /** At which others see the host. */
  readonly outer: string;
}

export interface LaboratoryOptions {
  /** Hosts to place, by name. */
  readonly places: Readonly<Record<string, PlaceKind>>;
  /** Milliseconds that a packet takes from a place to the middle of the internet; 0: none. */
  readonly delayMs?: number;
}

/**
 * Each place is a network of its own, 5.N.0.0/16, as servents believe what two different networks tell of their address.
 * These addresses belong to others in the real internet: nothing leaves the namespaces, which have no way out.
 */
const network = (number: number) => `5.${number}`;
const FIRST_ULTRAPEER = 1;
const FIRST_PLACE = 11;
const PLACES_MAX = 200;
const ULTRAPEERS = ['first', 'second', 'third'] as const;

/** Addresses of ULTRAPEERS, the same in each laboratory. */
const ULTRAPEER_ADDRESSES: readonly string[] = ULTRAPEERS.map((_, i) => `${network(FIRST_ULTRAPEER + i)}.0.1`);

export class Laboratory {
  /** Three open places in the middle. */
  readonly ultrapeers: readonly Place[];
  readonly places: ReadonlyMap<string, Place>;
  readonly #namespaces: Namespaces;

  private constructor(namespaces: Namespaces, ultrapeers: readonly Place[], places: ReadonlyMap<string, Place>) {
    this.#namespaces = namespaces;
    this.ultrapeers = ultrapeers;
    this.places = places;
  }

  /** Removes what dead runs have left, then builds. Nothing is left when it rejects. */
  static async build({ places, delayMs = 0 }: LaboratoryOptions): Promise<Laboratory> {
    if (Object.keys(places).length > PLACES_MAX) throw new Error(`a laboratory has at most ${PLACES_MAX} places`);
    await removeLeftovers();
    const namespaces = new Namespaces();
    try {
      const internet = await namespaces.add('internet');
      await forward(internet);
      const builder = { namespaces, internet, delayMs };
      const ultrapeers: Place[] = [];
      for (const [i, name] of ULTRAPEERS.entries()) {
        ultrapeers.push(await settle(builder, name, 'open', FIRST_ULTRAPEER + i));
      }
      const settled = new Map<string, Place>();
      for (const [i, [name, kind]] of Object.entries(places).entries()) {
        settled.set(name, await settle(builder, name, kind, FIRST_PLACE + i));
      }
      return new Laboratory(namespaces, ultrapeers, settled);
    } catch (error) {
      await namespaces.remove();
      throw error;
    }
  }

  place(name: string): Place {
    const place = this.places.get(name);
    if (place === undefined) throw new Error(`no place ${name}`);
    return place;
  }

  /** Ends what still runs in it, and removes it. */
  remove(): Promise<void> {
    return this.#namespaces.remove();
  }
}

interface Builder {
  readonly namespaces: Namespaces;
  readonly internet: string;
  readonly delayMs: number;
}

async function settle(builder: Builder, name: string, kind: PlaceKind, number: number): Promise<Place> {
  const { namespaces, internet } = builder;
  const own = network(number);
  const [outside, gateway] = [`${own}.0.1`, `${own}.0.254`];
  const host = await namespaces.add(name);
  const { layout } = KINDS[kind];
  if (layout === 'direct') {
    await connect(builder, number, { namespace: host, device: 'eth0', address: `${outside}/24` }, gateway);
    return { name, kind, namespace: host, inner: outside, outer: outside };
  }
  const router = await namespaces.add(`${name}-router`);
  await forward(router);
  await connect(builder, number, { namespace: router, device: WAN, address: `${outside}/24` }, gateway);
  const inside = layout === 'translated' ? '192.168.1' : `${own}.1`;
  const inner = `${inside}.2`;
  await namespaces.join(
    { namespace: router, device: LAN, address: `${inside}.1/24` },
    { namespace: host, device: 'eth0', address: `${inner}/24` },
  );
  await configure(host, [`route add default via ${inside}.1`]);
  if (layout === 'filtered') await configure(internet, [`route add ${inside}.0/24 via ${outside}`]);
  await loadRules(router, rulesOf(kind, ULTRAPEER_ADDRESSES));
  return { name, kind, namespace: host, inner, outer: layout === 'filtered' ? inner : outside };
}

async function connect(
  { namespaces, internet, delayMs }: Builder,
  number: number,
  end: End,
  gateway: string,
): Promise<void> {
  const device = `to${number}`;
  await namespaces.join(end, { namespace: internet, device, address: `${gateway}/24` });
  await configure(end.namespace, [`route add default via ${gateway}`]);
  if (delayMs === 0) return;
  await delay(end.namespace, end.device, delayMs);
  await delay(internet, device, delayMs);
}
