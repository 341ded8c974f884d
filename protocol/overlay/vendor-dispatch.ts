// Vendor messages over TCP: exchanges lists of supported messages and dispatches each message to its handler. The core handles
// hops flow and leaf guidance; they are only counted here.
import { Type } from '../constants.ts';
import type { DhtMode } from '../dht/dht.ts';
import { CONTACT_VERSION } from '../dht/dht-contact.ts';
import { DHT_CAPABILITY } from '../dht/dht-mode.ts';
import { ProtocolError } from '../errors.ts';
import { LazyMap } from '../lazy-map.ts';
import type { Random, WallClock } from '../ports.ts';
import { RateLimit } from '../rate-limit.ts';
import type { Endpoint, Reach } from '../wire/endpoint.ts';
import type { Frame } from '../wire/frame-reader.ts';
import { encodeDescriptor } from '../wire/header.ts';
import { parseConnectBackRedirect, parseTcpConnectBack, parseUdpConnectBack } from '../wire/vendor/connect-back.ts';
import { encodeHopsFlow, HOPS_FLOW_OPEN } from '../wire/vendor/leaf-guidance.ts';
import { parsePushProxyAck } from '../wire/vendor/push-proxy.ts';
import {
  encodeCapabilityList,
  encodeMessagesSupported,
  parseCapabilityList,
  parseMessagesSupported,
  type SupportedMessage,
} from '../wire/vendor/supported.ts';
import { encodeTimeSyncReply, parseTimeSyncRequest, timeSyncGuid, timestampOf } from '../wire/vendor/time-sync.ts';
import { parseVendorMessage, VendorId, type VendorMessage, vendorId } from '../wire/vendor-message.ts';
import type { Identity } from './identity.ts';
import { type Link, LinkState } from './links/link.ts';
import { Priority } from './links/send-queue.ts';
import { PushProxies } from './pushes/push-proxies.ts';
import { ConnectBacks, type Probes } from './reach/connect-back.ts';
import type { Firewall } from './reach/firewall.ts';

/** What we understand and act on: LimeWire asks for push proxies and connect-backs only where they are listed. */
export const UNDERSTOOD: readonly SupportedMessage[] = [
  message(VendorId.HopsFlow, 1),
  message(VendorId.TcpConnectBack, 1),
  message(VendorId.QueryStatusRequest, 1),
  message(VendorId.QueryStatus, 1),
  message(VendorId.UdpConnectBack, 1),
  message(VendorId.UdpConnectBack, 2),
  message(VendorId.TimeSyncRequest, 1),
  message(VendorId.TimeSyncReply, 1),
  message(VendorId.PushProxyCancel, 1),
  message(VendorId.CrawlerPing, 1),
  message(VendorId.CrawlerPong, 1),
  message(VendorId.TcpConnectBackRedirect, 1),
  message(VendorId.UdpConnectBackRedirect, 1),
  message(VendorId.OutOfBandAck, 2),
  message(VendorId.OutOfBandAck, 3),
  message(VendorId.OutOfBandOffer, 2),
  message(VendorId.OutOfBandOffer, 3),
  message(VendorId.OutOfBandProxyControl, 1),
  message(VendorId.PushProxyRequest, 1),
  message(VendorId.PushProxyAck, 2),
  message(VendorId.HeadPing, 1),
  message(VendorId.HeadPing, 2),
];

/** Ids kept of a peer's list, as bits to save memory. */
const ASKED_ABOUT: readonly string[] = [
  VendorId.HopsFlow,
  VendorId.TcpConnectBack,
  VendorId.UdpConnectBack,
  VendorId.TcpConnectBackRedirect,
  VendorId.UdpConnectBackRedirect,
  VendorId.PushProxyRequest,
  VendorId.OutOfBandOffer,
  VendorId.QueryStatusRequest,
  VendorId.QueryStatus,
  VendorId.CrawlerPong,
  VendorId.HeadPing,
];

const KNOWN: ReadonlySet<string> = new Set(Object.values(VendorId));
const ROUND_MS = 1_000;
const CAPABILITIES_EVERY_MS = 60_000;
const TIME_SYNC_LIMIT = new RateLimit(10_000, 5);

function message(id: string, version: number): SupportedMessage {
  const [vendor = '', selector = ''] = id.split('/');
  return { vendor, selector: Number(selector), version };
}

/** What is known of one neighbour. */
interface Peer {
  /** Bits by index into ASKED_ABOUT; -1 before its list came. */
  supported: number;
  /** null/10 TCPI: others can connect to it; null when it does not say. */
  acceptsTcp: boolean | null;
  /** Whether the peer was last told that others can connect to us by TCP. */
  toldReachable: boolean;
  toldDhtMode: DhtMode;
  /** Earliest time at which it is told again. */
  capabilitiesDue: number;
  /** We asked the peer to send no queries. */
  stopped: boolean;
  timeSyncDue: number;
}

export interface VendorDispatchParts {
  /** For the dates that others ask for. */
  readonly clock: WallClock;
  readonly random: Random;
  readonly identity: Identity;
  readonly firewall: Firewall;
  readonly probes: Probes;
  readonly links: ReadonlyMap<number, Link>;
  readonly reaches: readonly Reach[];
  /** A neighbour is a node of the DHT that answers requests. */
  readonly onDhtNode?: (endpoint: Endpoint, now: number) => void;
  /** See PushProxyParts. */
  readonly adopt: (link: Link, guid: Buffer) => boolean;
}

export class VendorDispatch {
  readonly connectBacks: ConnectBacks;
  readonly pushProxies: PushProxies;
  /** Messages by vendorId(), as far as it is in VendorId. */
  readonly counts = new LazyMap<string, number>();
  unknown = 0;
  malformed = 0;
  readonly #parts: VendorDispatchParts;
  /** As many as there are links. */
  readonly #peers = new Map<Link, Peer>();
  /** No round before; and the next has something to do then, if nothing comes in before. */
  #roundAt = 0;
  #roundDue = 0;

  constructor(parts: VendorDispatchParts, now: number) {
    this.#parts = parts;
    const { random, identity, firewall, probes, reaches, adopt, links } = parts;
    const send = (link: Link, payload: Buffer, guid?: Buffer) => this.send(link, payload, guid);
    const supporting = (id: string) => this.supporting(id);
    const supports = (link: Link, id: string) => this.supports(link, id);
    this.connectBacks = new ConnectBacks({
      send,
      supporting,
      supports,
      random,
      identity,
      firewall,
      probes,
      reaches,
      links,
      now,
    });
    this.pushProxies = new PushProxies({ send, supporting, supports, identity, reaches, adopt });
  }

  /** A link is up: says once what we understand (gtk-gnutella honours the first list only), and what we can. */
  onLinked(link: Link, now: number): void {
    if (!link.capabilities.vendorMessages) return;
    const reachable = !this.#parts.firewall.firewalled(now);
    const peer = {
      supported: -1,
      acceptsTcp: null,
      toldReachable: reachable,
      toldDhtMode: this.#dhtMode,
      capabilitiesDue: 0,
      stopped: false,
      timeSyncDue: 0,
    };
    this.#peers.set(link, peer);
    this.send(link, encodeMessagesSupported(UNDERSTOOD));
    this.#sendCapabilities(link, reachable);
  }

  get #dhtMode(): DhtMode {
    return this.#parts.identity.dhtMode ?? 'off';
  }

  /** The whole list each time: it takes the place of the one before. */
  #sendCapabilities(link: Link, reachable: boolean): void {
    const capabilities = new Map([
      ['TCPI', reachable ? 1 : 0],
      ['WHAT', 1],
    ]);
    if (this.#parts.identity.tls === true) capabilities.set('TLS!', 1); // LimeWire looks nowhere else
    const mode = this.#dhtMode;
    if (mode !== 'off') capabilities.set(DHT_CAPABILITY[mode], CONTACT_VERSION);
    // QRP1 is never named: it invites patches of one bit, which gtk-gnutella gets wrong
    this.send(link, encodeCapabilityList(capabilities));
  }

  onUnlinked(link: Link): void {
    this.#peers.delete(link);
    this.pushProxies.onUnlinked(link);
  }

  supports(link: Link, id: string): boolean {
    const supported = this.#peers.get(link)?.supported ?? -1;
    const index = ASKED_ABOUT.indexOf(id);
    return supported >= 0 && index >= 0 && (supported & (1 << index)) !== 0;
  }

  /** Open links that listed `id`. */
  supporting(id: string): Link[] {
    return [...this.#peers.keys()].filter(link => link.state === LinkState.Open && this.supports(link, id));
  }

  /** Zero GUID unless the message says otherwise, like gtk-gnutella's own. */
  send(link: Link, payload: Buffer, guid: Buffer = NO_GUID): void {
    link.queue.enqueue(encodeDescriptor(guid, Type.Vendor, 1, 0, payload), Priority.Control);
  }

  /** Dispatches a message; counts malformed and unknown ones, never throws. */
  onMessage(link: Link, frame: Frame, now: number): void {
    try {
      this.#dispatch(link, parseVendorMessage(frame.payload()), Buffer.from(frame.guid()), now);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.malformed++;
    }
  }

  #dispatch(link: Link, message: VendorMessage, guid: Buffer, now: number): void {
    const id = vendorId(message);
    if (KNOWN.has(id)) this.counts.set(id, (this.counts.get(id) ?? 0) + 1);
    switch (id) {
      case VendorId.MessagesSupported:
        this.#onSupported(link, parseMessagesSupported(message), now);
        break;
      case VendorId.Capabilities:
        this.#onCapabilities(link, parseCapabilityList(message), now);
        break;
      case VendorId.TcpConnectBack:
        this.connectBacks.onTcpRequest(link, parseTcpConnectBack(message), now);
        break;
      case VendorId.UdpConnectBack: {
        const { port, guid: pingGuid } = parseUdpConnectBack(message, guid);
        this.connectBacks.onUdpRequest(link, port, Buffer.from(pingGuid), now);
        break;
      }
      case VendorId.TcpConnectBackRedirect:
        this.connectBacks.onRedirect(link, parseConnectBackRedirect(message), null, now);
        break;
      case VendorId.UdpConnectBackRedirect:
        this.connectBacks.onRedirect(link, parseConnectBackRedirect(message), guid, now);
        break;
      case VendorId.PushProxyRequest:
        this.pushProxies.onRequest(link, guid);
        break;
      case VendorId.PushProxyAck: {
        const { host, port } = parsePushProxyAck(message);
        this.pushProxies.onAck(link, guid, host, port);
        break;
      }
      case VendorId.PushProxyCancel:
        this.pushProxies.onCancel(link);
        break;
      case VendorId.TimeSyncRequest:
        this.#onTimeSync(link, message, guid, now);
        break;
      case VendorId.OutOfBandProxyControl: // that of leaves is read in leaf-guidance.ts
      case VendorId.HopsFlow:
      case VendorId.QueryStatusRequest:
      case VendorId.QueryStatus:
      case VendorId.TimeSyncReply:
        break;
      default:
        this.unknown++;
    }
  }

  #onSupported(link: Link, supported: readonly SupportedMessage[], now: number): void {
    const peer = this.#peers.get(link);
    if (peer === undefined || peer.supported >= 0) return; // the first list counts, as in gtk-gnutella
    peer.supported = 0;
    for (const entry of supported) {
      const index = ASKED_ABOUT.indexOf(vendorId(entry));
      if (index >= 0) peer.supported |= 1 << index;
    }
    this.connectBacks.onSupported(link, now);
    this.pushProxies.onSupported(link);
  }

  #onCapabilities(link: Link, capabilities: ReadonlyMap<string, number>, now: number): void {
    const peer = this.#peers.get(link);
    const reachable = capabilities.get('TCPI');
    if (peer !== undefined && reachable !== undefined) peer.acceptsTcp = reachable > 0;
    if (capabilities.has(DHT_CAPABILITY.active) && link.listen !== null) this.#parts.onDhtNode?.(link.listen, now);
  }

  #onTimeSync(link: Link, message: VendorMessage, guid: Buffer, now: number): void {
    const peer = this.#peers.get(link);
    const { sentAt } = parseTimeSyncRequest(message, guid);
    const due = TIME_SYNC_LIMIT.admit(peer?.timeSyncDue ?? 0, now);
    if (peer === undefined || due < 0) return;
    peer.timeSyncDue = due;
    const wallTime = timestampOf(this.#parts.clock.wallTime());
    this.send(link, encodeTimeSyncReply(false, wallTime), timeSyncGuid(sentAt, wallTime));
  }

  /** Does what is due; when to be called again: after any other call of now, at most ROUND_MS later. */
  tick(now: number): number {
    if (now >= this.#roundAt) {
      this.#roundAt = now + ROUND_MS;
      this.#roundDue = this.#round(now);
    }
    return Math.max(this.#roundAt, this.#roundDue);
  }

  #round(now: number): number {
    const { firewall } = this.#parts;
    this.pushProxies.tick(now);
    let next = Math.min(this.connectBacks.tick(now), firewall.firewalledChangesAt(now));
    const reachable = !firewall.firewalled(now);
    for (const [link, peer] of this.#peers) {
      if (link.state !== LinkState.Open) continue;
      this.#tellCapabilities(link, peer, reachable, now);
      if (!this.#knows(peer, reachable)) next = Math.min(next, peer.capabilitiesDue);
      this.#tellStopped(link, peer);
      if (peer.stopped) next = now; // its queue shrinks without an event
    }
    return next;
  }

  /** When it has changed, as LimeWire does; a change within CAPABILITIES_EVERY_MS of the last that was told waits. */
  #tellCapabilities(link: Link, peer: Peer, reachable: boolean, now: number): void {
    if (this.#knows(peer, reachable) || now < peer.capabilitiesDue) return;
    peer.toldReachable = reachable;
    peer.toldDhtMode = this.#dhtMode;
    peer.capabilitiesDue = now + CAPABILITIES_EVERY_MS;
    this.#sendCapabilities(link, reachable);
  }

  #knows(peer: Peer, reachable: boolean): boolean {
    return peer.toldReachable === reachable && peer.toldDhtMode === this.#dhtMode;
  }

  /** Asks a peer for no queries while its send queue is congested, as gtk-gnutella does. */
  #tellStopped(link: Link, peer: Peer): void {
    if (link.queue.congested === peer.stopped || !this.supports(link, VendorId.HopsFlow)) return;
    peer.stopped = link.queue.congested;
    this.send(link, encodeHopsFlow(peer.stopped ? 0 : HOPS_FLOW_OPEN));
  }
}

const NO_GUID = Buffer.alloc(16);
