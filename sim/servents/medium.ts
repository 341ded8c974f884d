// What hosts, their wires and those who watch them know of each other and of the internet between them.

import type { HandshakeAccepted } from '../../protocol/handshake/handshake.ts';
import type { Link, Wire } from '../../protocol/overlay/links/link.ts';
import type { Search } from '../../protocol/overlay/queries/search.ts';
import type { Servent } from '../../protocol/servent.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import type { Frame } from '../../protocol/wire/frame-reader.ts';
import type { QueryHit } from '../../protocol/wire/query-hit.ts';
import type { EventQueue } from '../event-queue.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { TraceHash } from '../trace-hash.ts';
import type { VirtualClock } from '../virtual-clock.ts';
import type { Conditions } from './conditions.ts';
import type { UsualSettings } from './usual-settings.ts';
import type { VirtualLibrary } from './virtual-library.ts';

/** What a faulty servent would write to the wire in place of these frames. */
export type Tamper = (wire: HostWire, frames: Buffer) => Buffer;

/** A machine with a servent. */
export interface Host {
  readonly number: number;
  readonly endpoint: Endpoint;
  readonly serventGuid: Buffer;
  readonly settings: UsualSettings;
  readonly library: VirtualLibrary;
  /** Nobody can connect to it. */
  readonly firewalled: boolean;
  readonly up: boolean;
  /** Another one after each start. */
  readonly servent: Servent;
  /** Of its open connections, by the id of its end. */
  readonly wires: ReadonlyMap<number, HostWire>;
  /** Calls of remote upload queues: who called, and the queue id. */
  readonly calledBy: { readonly server: string; readonly id: string }[];
  /** Null: it writes what its servent says. */
  tamper: Tamper | null;
  addLink(endpoint: Endpoint, direction: 'in' | 'out', accepted: HandshakeAccepted, wire: HostWire): Link;
  receive(link: Link, chunk: Buffer): void;
  unlinked(wire: HostWire, link: Link, reason: string, now: number): void;
  takesDatagramsOf(from: Endpoint): boolean;
  receiveDatagram(bytes: Buffer, from: Endpoint): void;
  /** Something was called on its servent. */
  stirred(): void;
}

/** One direction of a connection. */
export interface HostWire extends Wire {
  readonly owner: Host;
  readonly to: Host;
  /** The owner's end; null until both ends have one. */
  link: Link | null;
  /** The other direction. */
  back: HostWire | null;
  closed: boolean;
  /** The connection is gone at once. */
  cut(): void;
}

/** One of those who watch: the checkers, and what counts for a model. None of them changes what happens. */
export interface Observer {
  /** Whole frames that the owner of the wire has written to it. */
  onWritten?(wire: HostWire, frames: Buffer): void;
  /** The same, when they reach the other end, which has not read them yet. */
  onArrived?(wire: HostWire, frames: Buffer): void;
  /** A datagram that reaches a host. */
  onDatagram?(to: Host, bytes: Buffer): void;
  /** A query that the host has seen for the first time. */
  onQueryPassed?(host: Host, link: Link, frame: Frame): void;
  onHit?(host: Host, search: Search, hit: QueryHit): void;
  /** The connection is gone at both ends. */
  onUnlinked?(wire: HostWire): void;
  /** A second has passed, whatever happened in it. */
  onSecond?(medium: Medium): void;
}

/** The internet between hosts. */
export interface Medium {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly trace: TraceHash;
  readonly conditions: Conditions;
  readonly events: EventQueue;
  readonly hosts: readonly Host[];
  readonly observers: readonly Observer[];
  /** Null where nobody listens. */
  at(endpoint: Endpoint): Host | null;
  /** Brings a datagram of a host to the host or the cache at `to`; to nobody otherwise. */
  deliver(bytes: Buffer, from: Host, to: Endpoint): void;
  later(ms: number, run: () => void): void;
  /** Tells these what happens from now on, and each second that one has passed. */
  watch(...observers: readonly Observer[]): void;
}
