// Runs handshakes on sockets in both directions, with limits on time and number, and turns successful ones into links.
import type { Socket } from 'node:net';
import type { Verdict } from '../../protocol/handshake/admission.ts';
import type { Capabilities, ProtocolVersion } from '../../protocol/handshake/capabilities.ts';
import {
  type CrawlAnswer,
  Handshake,
  type HandshakeAccepted,
  type HandshakeRefused,
  type LocalHello,
  type RefusalReason,
} from '../../protocol/handshake/handshake.ts';
import type { Link, LinkSpec } from '../../protocol/overlay/links/link.ts';
import { DEFLATED_WRITES, PLAIN_WRITES } from '../../protocol/overlay/links/write-pace.ts';
import type { DialResult } from '../../protocol/overlay/neighbours/dial-result.ts';
import { ReasonCounts } from '../../protocol/reason-counts.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { Bandwidth } from './bandwidth.ts';
import { Floods } from './deflate.ts';
import { DialError, type Dialer } from './dialer.ts';
import { FaultLog } from './fault-log.ts';
import { FlushPacer } from './flush-pacer.ts';
import { LINK_END_REASONS, type LinkCore, type LinkEndReason, TcpLink } from './tcp-link.ts';
import { isEncrypted, type Tls } from './tls.ts';

/** Time limit of a handshake. gtk-gnutella allows 90 s, LimeWire 8 s. */
const HANDSHAKE_MS = 30_000;
/** Incoming handshakes under way; above this the oldest is closed; an honest peer finishes its handshake sooner. */
const INCOMING_MAX = 256;
/** Wait for a refusal to arrive before the socket is destroyed. */
const REFUSAL_GRACE_MS = 2000;
/** At the stop: time for all links together to send their Byes. */
const STOP_GRACE_MS = 1000;

const NOTHING = Buffer.alloc(0);

const HANDSHAKE_ENDS = [
  'linked',
  'crawled',
  'refused_by_us',
  'refused_by_peer',
  'malformed',
  'too_long',
  'early_data',
  'version',
  'upgrade',
  'timeout',
  'closed',
  /** Closed because too many handshakes were running. */
  'crowded',
] as const;
export type HandshakeEnd = (typeof HANDSHAKE_ENDS)[number];

const END_OF: Record<RefusalReason, HandshakeEnd> = {
  admission: 'refused_by_us',
  'peer-status': 'refused_by_peer',
  malformed: 'malformed',
  'too-long': 'too_long',
  'early-data': 'early_data',
  version: 'version',
  upgrade: 'upgrade',
};

/** The servent, as far as handshakes and links need it. */
export interface LinkingServent extends LinkCore {
  /** Our handshake headers at this moment. */
  hello(): LocalHello;
  /** `begunAt`: monotonic time at which the handshake began on our side, ms. */
  admit(peer: Capabilities, remote: Endpoint, direction: 'in' | 'out', begunAt: number): Verdict;
  tryUltrapeers(now: number): Endpoint[];
  /** Neighbours for a crawler; null refuses it. */
  crawl(remote: Endpoint, now: number): CrawlAnswer | null;
  addLink(spec: LinkSpec, now: number): Link;
}

export interface HandshakerOptions {
  servent: LinkingServent;
  dialer: Dialer;
  log: Log;
  clock: Clock;
  /** By default without limits. */
  bandwidth?: Bandwidth;
  /** Offer and accept the upgrade to TLS; absent: neither. */
  tls?: Tls;
  /** A handshake ended without a link. */
  onEnded?: (remote: Endpoint, direction: 'in' | 'out', end: HandshakeEnd, detail: string) => void;
  handshakeMs?: number;
  incomingMax?: number;
  /** From our close of a link to its end, whatever the other side does. */
  closeGraceMs?: number;
  stopGraceMs?: number;
}

export interface ConnectOptions {
  signal?: AbortSignal;
  /** 0.6 by default. */
  version?: ProtocolVersion;
}

export class Handshaker {
  readonly countsIn = new ReasonCounts<HandshakeEnd>(HANDSHAKE_ENDS);
  readonly countsOut = new ReasonCounts<HandshakeEnd>(HANDSHAKE_ENDS);
  readonly linkEnds = new ReasonCounts<LinkEndReason>(LINK_END_REASONS);
  readonly #options: HandshakerOptions;
  readonly #pacer: FlushPacer;
  readonly #deflatedPacer: FlushPacer;
  readonly #bandwidth: Bandwidth;
  readonly #floods = new Floods();
  readonly #faults: FaultLog;
  /** At most INCOMING_MAX and the dialer's limit together. */
  readonly #runs = new Set<HandshakeRun>();
  /** Bounded by admission. */
  readonly #links = new Set<TcpLink>();
  /** Incoming runs, oldest first; at most INCOMING_MAX. */
  readonly #incoming = new Set<HandshakeRun>();
  #stopped = false;
  #onEmpty: (() => void) | null = null;

  constructor(options: HandshakerOptions) {
    const now = () => options.clock.now();
    this.#options = options;
    this.#bandwidth = options.bandwidth ?? new Bandwidth();
    this.#faults = new FaultLog(options.log, now, 'internal error on a link: it is closed');
    this.#pacer = new FlushPacer(PLAIN_WRITES, now);
    this.#deflatedPacer = new FlushPacer(DEFLATED_WRITES, now);
  }

  /** Running handshakes, and links including closing ones. */
  get load(): { handshakes: number; links: number } {
    return { handshakes: this.#runs.size, links: this.#links.size };
  }

  /** Takes a socket from the listener; `head` holds the bytes already read. */
  accept(socket: Socket, head: Buffer, remote: Endpoint): void {
    if (this.#stopped) {
      this.countsIn.count('closed');
      socket.destroy();
      return;
    }
    const [oldest] = this.#incoming;
    if (oldest !== undefined && this.#incoming.size >= (this.#options.incomingMax ?? INCOMING_MAX)) oldest.crowdOut();
    const begun = this.#run(socket, remote, 'in', '0.6', head, run => {
      this.#incoming.delete(run);
      const { result } = run;
      this.countsIn.count(endOf(result));
      this.#tell(remote, 'in', result);
      if (result.kind === 'accepted') this.#link(socket, remote, 'in', result);
    });
    if (!begun.over) this.#incoming.add(begun);
  }

  /** Dials and shakes hands. Never rejects. */
  async connect(endpoint: Endpoint, { signal, version = '0.6' }: ConnectOptions = {}): Promise<DialResult> {
    let socket: Socket;
    try {
      socket = await this.#options.dialer.dial(endpoint, signal);
    } catch (error) {
      if (error instanceof DialError) return { kind: 'failed', reason: error.code, text: error.message };
      throw error; // internal error
    }
    if (this.#stopped || signal?.aborted === true) {
      socket.destroy();
      return { kind: 'failed', reason: 'DIAL_ABORTED', text: 'given up' };
    }
    return new Promise(resolve => {
      const onAbort = () => socket.destroy();
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#run(socket, endpoint, 'out', version, null, ({ result }) => {
        signal?.removeEventListener('abort', onAbort);
        this.countsOut.count(endOf(result));
        this.#tell(endpoint, 'out', result);
        if (result.kind === 'accepted') {
          resolve({ kind: 'linked', link: this.#link(socket, endpoint, 'out', result) });
        } else if (result.kind === 'refused') resolve({ kind: 'refused', refusal: result });
        else if (result.kind === 'timeout') {
          resolve({ kind: 'failed', reason: 'HANDSHAKE_TIMEOUT', text: 'no answer to the handshake in time' });
        } else if (signal?.aborted === true) resolve({ kind: 'failed', reason: 'DIAL_ABORTED', text: 'given up' });
        else resolve({ kind: 'failed', reason: 'HANDSHAKE_CLOSED', text: 'closed during the handshake' });
      });
    });
  }

  /** Ends running handshakes and waits at most 1 s for closing links. Call bye() or shutdown() on the links first. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const run of this.#runs) run.destroy();
    if (this.#links.size === 0) return;
    const timer = setTimeout(() => {
      for (const { socket } of this.#links) socket.destroy();
    }, this.#options.stopGraceMs ?? STOP_GRACE_MS);
    await new Promise<void>(resolve => {
      this.#onEmpty = resolve;
      for (const link of this.#links) link.close();
    });
    clearTimeout(timer);
  }

  #run(
    socket: Socket,
    remote: Endpoint,
    direction: 'in' | 'out',
    version: ProtocolVersion,
    head: Buffer | null,
    done: (run: HandshakeRun) => void,
  ): HandshakeRun {
    const { servent, clock, handshakeMs = HANDSHAKE_MS } = this.#options;
    const begunAt = clock.now();
    const handshake = new Handshake({
      direction,
      local: servent.hello(),
      remoteAddress: remote.host,
      admit: peer => servent.admit(peer, remote, direction, begunAt),
      tryUltrapeers: () => servent.tryUltrapeers(clock.now()),
      crawl: () => servent.crawl(remote, clock.now()),
      tls: this.#options.tls !== undefined && !isEncrypted(socket),
      version,
    });
    const run = new HandshakeRun(socket, handshake, handshakeMs, () => {
      this.#runs.delete(run);
      done(run);
    });
    this.#runs.add(run);
    run.start(head);
    return run;
  }

  /** Wraps a socket in TLS. The side that connected is the TLS client. Writes wait for the keys. */
  #secured(socket: Socket, direction: 'in' | 'out', rest: Buffer): Socket {
    const { tls } = this.#options;
    if (tls === undefined) throw new Error('TLS was agreed on, but never offered');
    return direction === 'in' ? tls.accept(socket, rest) : tls.connect(socket);
  }

  #link(plain: Socket, endpoint: Endpoint, direction: 'in' | 'out', accepted: HandshakeAccepted): Link {
    const { capabilities, peerRole, ourRole, deflateIn, deflateOut, tls } = accepted;
    const socket = tls ? this.#secured(plain, direction, accepted.rest) : plain;
    const rest = tls ? NOTHING : accepted.rest;
    const { servent, log, clock, closeGraceMs } = this.#options;
    const wire = new TcpLink(socket, {
      ...(closeGraceMs === undefined ? {} : { closeGraceMs }),
      core: servent,
      clock,
      pacer: deflateOut ? this.#deflatedPacer : this.#pacer,
      bandwidth: this.#bandwidth,
      ends: this.linkEnds,
      deflateIn,
      deflateOut,
      shape: peerRole === 'leaf' ? 'narrow' : 'wide',
      floods: this.#floods,
      onFault: (error, { id, endpoint }) => this.#faults.note(error, { link: id, endpoint }),
      onGone: () => this.#onGone(wire),
    });
    this.#links.add(wire);
    const link = servent.addLink(
      { endpoint, direction, role: peerRole, ourRole, capabilities, deflateIn, deflateOut, wire },
      clock.now(),
    );
    log.debug(
      {
        link: link.id,
        endpoint,
        direction,
        role: peerRole,
        userAgent: capabilities.userAgent,
        deflateIn,
        deflateOut,
        tls: isEncrypted(socket),
      },
      'link opened',
    );
    wire.start(link, rest);
    return link;
  }

  #tell(remote: Endpoint, direction: 'in' | 'out', result: RunResult): void {
    if (result.kind === 'accepted') return;
    const detail = result.kind === 'refused' ? `${result.code} ${result.text}` : result.kind;
    this.#options.onEnded?.(remote, direction, endOf(result), detail);
  }

  #onGone(wire: TcpLink): void {
    this.#links.delete(wire);
    if (this.#links.size === 0) this.#onEmpty?.();
  }
}

type RunResult =
  | HandshakeAccepted
  | HandshakeRefused
  | { kind: 'crawled' }
  | { kind: 'timeout' | 'closed' | 'crowded' };

function endOf(result: RunResult): HandshakeEnd {
  if (result.kind === 'accepted') return 'linked';
  return result.kind === 'refused' ? END_OF[result.reason] : result.kind;
}

/** Runs one handshake on one socket. Calls `done` exactly once, with `result` set; the socket then belongs to the link or is closing. */
class HandshakeRun {
  readonly #socket: Socket;
  readonly #handshake: Handshake;
  readonly #done: () => void;
  readonly #timer: NodeJS.Timeout;
  #over = false;
  result: RunResult = { kind: 'closed' };

  constructor(socket: Socket, handshake: Handshake, handshakeMs: number, done: () => void) {
    this.#socket = socket;
    this.#handshake = handshake;
    this.#done = done;
    this.#timer = setTimeout(this.#onTimeout, handshakeMs);
  }

  start(head: Buffer | null): void {
    this.#socket.on('close', this.#onClose);
    this.#socket.on('data', this.#onData);
    if (head === null) this.#step();
    else this.#onData(head);
  }

  get over(): boolean {
    return this.#over;
  }

  destroy(): void {
    this.#cut({ kind: 'closed' });
  }

  crowdOut(): void {
    this.#cut({ kind: 'crowded' });
  }

  #cut(result: RunResult): void {
    this.#end(result);
    this.#socket.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#handshake.feed(chunk);
    this.#step();
  };

  readonly #onClose = (): void => this.#end({ kind: 'closed' });

  readonly #onTimeout = (): void => this.#cut({ kind: 'timeout' });

  #step(): void {
    const bytes = this.#handshake.take();
    if (bytes.length > 0 && this.#socket.writable) this.#socket.write(bytes);
    const { outcome } = this.#handshake;
    if (outcome === null) return;
    if (outcome.kind !== 'accepted') closeGently(this.#socket);
    this.#end(outcome);
  }

  #end(result: RunResult): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#socket.removeListener('data', this.#onData);
    this.#socket.removeListener('close', this.#onClose);
    this.result = result;
    this.#done();
  }
}

/** Half-closes and discards input for REFUSAL_GRACE_MS: unread bytes would turn the close into a reset and lose our answer. */
function closeGently(socket: Socket): void {
  socket.on('data', () => {});
  socket.end();
  const timer = setTimeout(() => socket.destroy(), REFUSAL_GRACE_MS);
  socket.once('close', () => clearTimeout(timer));
}
