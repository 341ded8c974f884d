// One established overlay connection. The shell owns the socket and implements Wire.
import type { Capabilities, PeerRole, Role } from '../../handshake/capabilities.ts';
import type { QrpTable } from '../../qrp/table.ts';
import type { Endpoint } from '../../wire/endpoint.ts';
import { FrameReader } from '../../wire/frame-reader.ts';
import type { Drops } from './drops.ts';
import { SEND_LIMITS, type SendLimits, SendQueue } from './send-queue.ts';

/** The shell's side of a link. Neither method may call back into the overlay before it returns. */
export interface Wire {
  /**
   * The queue has something to write. `urgent` false: it was empty; write at the end of this turn. Not called again
   * until queue.take() has emptied it. `urgent` true: it passed its high mark; take and write now whatever the socket
   * accepts, or frames will be shed.
   */
  wake(urgent: boolean): void;
  /** Write what the queue still holds, half-close, and destroy the socket after a grace. */
  close(): void;
}

export interface LinkSpec {
  /** Address of the socket. */
  endpoint: Endpoint;
  direction: 'in' | 'out';
  /** What the peer is. */
  role: PeerRole;
  /** What we are to the peer. */
  ourRole: Role;
  capabilities: Capabilities;
  /** What the peer sends, and what we send, is compressed on its way. */
  deflateIn?: boolean;
  deflateOut?: boolean;
  wire: Wire;
}

export const LinkState = { Open: 0, Closing: 1, Closed: 2 } as const;
export type LinkState = (typeof LinkState)[keyof typeof LinkState];

/** State of a link; small, as there are thousands. Only the core writes the fields. */
export class Link {
  /** From 1, not reused. */
  readonly id: number;
  readonly endpoint: Endpoint;
  readonly direction: 'in' | 'out';
  readonly role: PeerRole;
  readonly ourRole: Role;
  readonly capabilities: Capabilities;
  readonly deflateIn: boolean;
  readonly deflateOut: boolean;
  /** Milliseconds of the overlay's clock, like the other times. */
  readonly openedAt: number;
  readonly reader: FrameReader;
  readonly queue: SendQueue;
  readonly wire: Wire;
  /** Where the peer can be connected to, as far as it said. */
  listen: Endpoint | null;
  /** Servent GUID that we took pushes for at its request, when the handshake did not say it. */
  adopted: Buffer | null = null;
  state: LinkState = LinkState.Open;
  /** Why it ended, once it has: a Bye code, or 0 when the socket just went away. */
  ended: { readonly code: number; readonly text: string } | null = null;
  /** Frames and bytes received; those sent are counted by the queue. */
  framesIn = 0;
  bytesIn = 0;
  lastInAt: number;
  /** Refused descriptors by reason; null while there were none. */
  drops: Drops | null = null;
  /** Last measured round trip in milliseconds, -1 before the first. */
  rttMs = -1;
  /** Hops flow: the peer wants only queries with fewer hops than this. */
  queryHopsMax = 255;
  /** What an ultrapeer and its leaves share, once it has sent the whole of it. Tables of leaves are kept elsewhere. */
  routeTable: QrpTable | null = null;
  /** As our leaf it says how many hits it kept when it is asked (BEAR/11). */
  guided = false;
  /** It understands What's New queries: it said WHAT among its capabilities. */
  whatsNew = false;

  // Pings. The one under way, and what is owed for it.
  pingGuid: Buffer | null = null;
  pingSentAt = 0;
  pingsUnanswered = 0;
  /** Pongs that we still take. A few come unasked from some peers right after the handshake. */
  pongsOwed = 10;
  /** It got our own pong once. */
  knowsUs = false;

  // Rate limits: see RateLimit.
  pingDue = 0;
  alivePingDue = 0;
  pushDue = 0;
  /** A leaf that does not want its queries answered to us by UDP. */
  vetoesProxy = false;
  /** When the hits of this link may name another new servent, as RateLimit keeps it. */
  serventDue = 0;
  queryDue = 0;
  tableDue = 0;

  // Progress of writing. Counted in sweeps, so that a process that was suspended does not blame its peers.
  framesSentSeen = 0;
  stalledSweeps = 0;

  constructor(id: number, spec: LinkSpec, now: number, payloadBytesMax: number, send: SendLimits = SEND_LIMITS) {
    this.id = id;
    this.endpoint = spec.endpoint;
    this.direction = spec.direction;
    this.role = spec.role;
    this.ourRole = spec.ourRole;
    this.capabilities = spec.capabilities;
    this.deflateIn = spec.deflateIn ?? false;
    this.deflateOut = spec.deflateOut ?? false;
    this.openedAt = now;
    this.reader = new FrameReader(payloadBytesMax);
    this.queue = new SendQueue(spec.wire, send);
    this.wire = spec.wire;
    this.listen = spec.capabilities.listen;
    this.lastInAt = now;
  }
}
