// Routing by key: each node passes the message on to the node that its own tables name, until one takes the key to be its own.
// With acknowledgements, a node that hears none takes the next one for failed and asks its tables again.

/** A message on its way to the node that a key belongs to. */
export interface Route<Payload> {
  readonly key: number;
  readonly from: number;
  readonly payload: Payload;
  readonly begun: number;
  /** Messages so far, but for acknowledgements. */
  hops: number;
  /** What the overlay needs to know of the way so far; 0 at the start. */
  level: number;
  /** The last of its hops that was acknowledged. */
  acknowledged: number;
  /** The node that it was delivered to, or that stopped it; null while it is on its way and when it was lost. */
  at: number | null;
}

export type RouteMessage<Payload> =
  | { readonly kind: 'route'; readonly route: Route<Payload>; readonly hop: number }
  | { readonly kind: 'passed'; readonly route: Route<Payload>; readonly hop: number };

/** Tables of all nodes of an overlay; each answers for `at` by its own tables alone. */
export interface Tables {
  /** The node to pass it to; `at` itself when the key is its own; null when it knows of none. May set the level. */
  next(at: number, route: { readonly key: number; level: number }): number | null;
  /** `at` has heard nothing from `silent`. */
  forget?(at: number, silent: number): void;
}

/** The part of the network that is needed. */
export interface Carrier<Payload> {
  readonly now: number;
  send(from: number, to: number, message: RouteMessage<Payload>): void;
  after(ms: number, run: () => void): void;
  isUp(node: number): boolean;
}

export class KeyRouting<Payload> {
  onDeliver: (node: number, route: Route<Payload>) => void = () => undefined;
  /** Asked at each node that would pass it on; true stops the message there. */
  onForward: (node: number, route: Route<Payload>, next: number) => boolean = () => false;
  readonly #network: Carrier<Payload>;
  readonly #tables: Tables;
  readonly #hopsMax: number;
  readonly #ackMs: number;

  /**
   * `hopsMax`: a message that took so many goes round in circles, and is given up.
   * `ackMs`: how long an acknowledgement is waited for; 0: there are none.
   */
  constructor(network: Carrier<Payload>, tables: Tables, hopsMax: number, ackMs = 0) {
    this.#network = network;
    this.#tables = tables;
    this.#hopsMax = hopsMax;
    this.#ackMs = ackMs;
  }

  /** Sets a message on its way; its `hops` and `at` tell how it went. */
  route(from: number, key: number, payload: Payload): Route<Payload> {
    const route = { key, from, payload, begun: this.#network.now, hops: 0, level: 0, acknowledged: 0, at: null };
    this.#pass(from, route);
    return route;
  }

  receive(to: number, message: RouteMessage<Payload>, from: number): void {
    const { kind, route, hop } = message;
    if (kind === 'passed') {
      route.acknowledged = Math.max(route.acknowledged, hop);
      return;
    }
    if (this.#ackMs > 0) this.#network.send(to, from, { kind: 'passed', route, hop });
    this.#pass(to, route);
  }

  #pass(at: number, route: Route<Payload>): void {
    const before = route.level;
    const next = this.#tables.next(at, route);
    if (next === null || route.hops >= this.#hopsMax) return;
    if (next === at) {
      route.at = at;
      this.onDeliver(at, route);
    } else if (this.onForward(at, route, next)) route.at = at;
    else this.#send(at, next, route, before);
  }

  #send(at: number, next: number, route: Route<Payload>, levelBefore: number): void {
    const hop = ++route.hops;
    this.#network.send(at, next, { kind: 'route', route, hop });
    if (this.#ackMs === 0) return;
    this.#network.after(this.#ackMs, () => {
      if (route.acknowledged >= hop || !this.#network.isUp(at)) return;
      this.#tables.forget?.(at, next);
      route.level = levelBefore;
      this.#pass(at, route);
    });
  }
}
