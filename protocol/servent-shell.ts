// The operations that a servent needs from the system: sockets, names, HTTP.
import type { BootstrapShell } from './bootstrap/bootstrap.ts';
import type { ReachRoads } from './overlay/pushes/push-requester.ts';
import type { RelayCall } from './relay/relay-line.ts';
import type { Endpoint } from './wire/endpoint.ts';

/** What the servent has its shell do. Nothing is answered at once: outcomes come back through methods of Servent. */
export interface Shell extends BootstrapShell, ReachRoads {
  /** Dial and shake hands: dialling() and dialled() are called. */
  dial(endpoint: Endpoint): void;
  /** The same for a configured neighbour, HOST:PORT, whose name may have to be looked up; ended() of `kept` is called. */
  dialKept(address: string): void;
  /** A datagram: what the system does not take is lost. False when there is no UDP. */
  send(bytes: Buffer, to: Endpoint): boolean;
  /** Connections over reliable UDP have something to do: tick() and flush() of `rudp` are to be called soon, not from within. */
  wakeRudp(): void;
  /** Connect, write two line feeds, close: a neighbour wants to know whether it can be reached. */
  probe(to: Endpoint): void;
  /** Connect, say GIV, serve files there; `pushes.ended()` is called. */
  serve(to: Endpoint): void;
  /** The same over a stream by UDP. */
  serveStream(to: Endpoint): void;
  /** Connect to the relay, say this call and GIV, serve the file of its SHA-1 there and no other. */
  serveAtRelay(relay: Endpoint, call: RelayCall): void;
  /** Connect, say QUEUE with this queue id, serve files there. */
  callBack(to: Endpoint, id: string): void;
}
