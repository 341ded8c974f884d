// An overlay that routes by key: its network, the routing over its tables, and the shared files that are announced under keys.
// What one kind of overlay has of its own: `Own` messages between nodes, and what is `Asked` of the node that a key belongs to.
import { Network } from '../network.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { SharedFiles } from '../workload/shared-files.ts';
import { KeyRouting, type Route, type RouteMessage, type Tables } from './key-routing.ts';
import { type FilePayload, type FoundMessage, KeyedFiles } from './keyed-files.ts';

export type Payload<Asked> =
  | FilePayload
  | { readonly kind: 'probe'; readonly probe: Probe }
  | { readonly kind: 'asked'; readonly asked: Asked; readonly by: number };

type Message<Own, Asked> = RouteMessage<Payload<Asked>> | FoundMessage | { readonly kind: 'own'; readonly own: Own };

export interface OverlayOptions {
  readonly nodes: number;
  readonly random: SeededRandom;
  readonly latencyMs?: ((from: number, to: number) => number) | undefined;
  readonly files?: SharedFiles | undefined;
  /** How long an acknowledgement of a hop is waited for; 0: there are none. */
  readonly ackMs?: number | undefined;
}

/** A look-up that asks nothing of the node that it ends at. */
export interface Probe {
  /** Null until it has ended. */
  at: number | null;
  hops: number;
  /** Milliseconds that it took. */
  ms: number;
  /** Whether the key belonged to that node when it ended. */
  isRight: boolean;
}

export abstract class KeyOverlay<Own, Asked = never> implements Tables {
  readonly network: Network<Message<Own, Asked>>;
  readonly routing: KeyRouting<Payload<Asked>>;
  readonly files: KeyedFiles | null;

  constructor({ nodes, random, latencyMs, files, ackMs = 0 }: OverlayOptions) {
    const latency = latencyMs === undefined ? {} : { latencyMs };
    const network = new Network<Message<Own, Asked>>({ nodes, random: random.fork(), ...latency });
    const routing = new KeyRouting<Payload<Asked>>(network, this, 2 * nodes, ackMs);
    this.network = network;
    this.routing = routing;
    const route = (from: number, key: number, payload: FilePayload): unknown => routing.route(from, key, payload);
    this.files = files === undefined ? null : new KeyedFiles({ files, route, network });
    network.onMessage = (to, message, from) => {
      if (message.kind === 'own') this.receive(to, message.own, from);
      else if (message.kind === 'found') this.files?.onFound(to, message);
      else if (message.kind === 'passed' || this.isMember(to)) routing.receive(to, message, from);
    };
    routing.onDeliver = (node, route) => {
      const { payload, from } = route;
      if (payload.kind === 'asked') this.answer(node, payload.asked, payload.by, route);
      else if (payload.kind !== 'probe') this.files?.deliver(node, from, payload);
      else this.#end(payload.probe, node, route);
    };
    routing.onForward = (node, route, next) => this.passes(node, route, next);
  }

  #end(probe: Probe, node: number, { key, hops, begun }: Route<Payload<Asked>>): void {
    Object.assign(probe, { at: node, hops, ms: this.network.now - begun, isRight: node === this.ownerOf(key) });
  }

  abstract next(at: number, route: { readonly key: number; level: number }): number | null;

  /** The node that the key belongs to, by all that the simulation knows. */
  abstract ownerOf(key: number): number;

  hasFilesOf(node: number, key: number): boolean {
    return node === this.ownerOf(key);
  }

  /** `at` has heard nothing from `silent`. */
  forget(_at: number, _silent: number): void {}

  /** Whether it has a place in the overlay. */
  isMember(node: number): boolean {
    return this.network.isUp(node);
  }

  /** The node begins anew, with nothing but the address of another one. */
  abstract join(node: number, known: number): void;

  probe(from: number, key: number): Probe {
    const probe = { at: null, hops: 0, ms: 0, isRight: false };
    this.routing.route(from, key, { kind: 'probe', probe });
    return probe;
  }

  /** A message from one node to another. */
  protected tell(from: number, to: number, own: Own): void {
    this.network.send(from, to, { kind: 'own', own });
  }

  /** A question of `by` for the node of the key, on its way from `at`. */
  protected ask(at: number, key: number, asked: Asked, by = at): void {
    this.routing.route(at, key, { kind: 'asked', asked, by });
  }

  /** Sees each message that a node is about to pass on; true stops it there. */
  protected passes(_node: number, _route: Route<Payload<Asked>>, _next: number): boolean {
    return false;
  }

  protected abstract receive(to: number, own: Own, from: number): void;

  protected abstract answer(node: number, asked: Asked, by: number, route: Route<Payload<Asked>>): void;
}
