// Our identity on the network: servent GUID, and the data in our hits, pongs and handshakes.

import type { DhtMode } from '../dht/dht.ts';
import type { Role } from '../handshake/capabilities.ts';
import type { LocalHello } from '../handshake/handshake.ts';
import { RELAY_FEATURE } from '../relay/relay-line.ts';
import type { ServentSettings } from '../servent-settings.ts';
import { type Endpoint, isIpv6 } from '../wire/endpoint.ts';
import type { Identity } from './identity.ts';
import type { Machine } from './neighbours/machine.ts';

/** Four letters that hits and pongs carry. */
export const VENDOR = 'SRVT';
const MAX_TTL = 4;

/** Read at each use. */
export interface IdentityFacts {
  readonly serventGuid: Buffer;
  readonly settings: ServentSettings;
  readonly machine: Pick<Machine, 'bestUpload' | 'dailyUptimeSeconds'>;
  /** When this run began, as a date of RFC 822. */
  readonly liveSince: string;
  readonly uploadsFull: (now: number) => boolean;
  readonly role: () => Role;
  readonly listen: () => Endpoint;
  /** For datagrams, when a router gave them another one. */
  readonly datagramPort?: () => number;
  /** Our IPv6 address when `listen()` is IPv4. */
  readonly ipv6: () => string | null;
  readonly firewalled: (now: number) => boolean;
  readonly pushProxies: () => readonly Endpoint[];
  /** See Identity. */
  readonly streamEndpoint?: (now: number) => Endpoint | null;
  /** We relay for leaves. */
  readonly relays?: () => boolean;
  /** See Identity. */
  readonly relayEndpoints?: (now: number) => readonly Endpoint[];
  readonly outOfBand: (now: number) => Endpoint | null;
  /** Other servents that have a shared file. */
  readonly alternatesOf?: (sha1: Buffer, max: number, now: number) => readonly Endpoint[];
  readonly dhtMode?: () => DhtMode;
  /** UDP is open, so GUESS queries can be answered. */
  readonly datagrams: () => boolean;
  readonly links: () => { readonly leaves: number; readonly ultrapeers: number };
}

export class OwnIdentity implements Identity {
  readonly serventGuid: Buffer;
  readonly vendor = VENDOR;
  readonly #facts: IdentityFacts;

  constructor(facts: IdentityFacts) {
    this.#facts = facts;
    this.serventGuid = facts.serventGuid;
  }

  get speedKbps(): number {
    const { settings, machine } = this.#facts;
    return Math.round(((settings.uploadSpeed || machine.bestUpload || 0) * 8) / 1000);
  }

  get userAgent(): string {
    return this.#facts.settings.userAgent;
  }

  get ultrapeer(): boolean {
    return this.#facts.role() === 'ultrapeer';
  }

  get dailyUptimeSeconds(): number {
    return this.#facts.machine.dailyUptimeSeconds;
  }

  firewalled(now: number): boolean {
    return this.#facts.firewalled(now);
  }

  pushProxies(): readonly Endpoint[] {
    return this.#facts.pushProxies();
  }

  streamEndpoint(now: number): Endpoint | null {
    return this.#facts.streamEndpoint?.(now) ?? null;
  }

  relayEndpoints(now: number): readonly Endpoint[] {
    return this.#facts.relayEndpoints?.(now) ?? [];
  }

  alternatesOf(sha1: Buffer, max: number, now: number): readonly Endpoint[] {
    return this.#facts.alternatesOf?.(sha1, max, now) ?? [];
  }

  outOfBand(now: number): Endpoint | null {
    return this.#facts.outOfBand(now);
  }

  get tls(): boolean {
    return this.#facts.settings.tls;
  }

  get dhtMode(): DhtMode {
    return this.#facts.dhtMode?.() ?? 'off';
  }

  busy(now: number): boolean {
    return this.#facts.uploadsFull(now);
  }

  get leafSlotsFree(): number {
    return Math.max(0, this.#facts.settings.maxLeaves - this.#facts.links().leaves);
  }

  get ultrapeerSlotsFree(): number {
    return Math.max(0, this.#facts.settings.maxUltrapeers - this.#facts.links().ultrapeers);
  }

  listen(): Endpoint {
    return this.#facts.listen();
  }

  get datagramPort(): number {
    return this.#facts.datagramPort?.() ?? this.listen().port;
  }

  ipv6(): string | null {
    return this.#facts.ipv6();
  }

  /** browse first: see featureList(). `IP/6.0`: IPv4 and IPv6, `IP/6.4`: IPv6 only (gtk-gnutella). */
  #features(): string[] {
    const features = ['browse/1.0'];
    if (this.tls) features.push('tls/1.0');
    if (isIpv6(this.listen().host)) features.push('IP/6.4');
    else if (this.ipv6() !== null) features.push('IP/6.0');
    if (this.#facts.relays?.() === true) features.push(RELAY_FEATURE);
    return features;
  }

  hello(): LocalHello {
    const { settings, liveSince, role, datagrams } = this.#facts;
    return {
      userAgent: settings.userAgent,
      role: role(),
      listen: this.listen().port === 0 ? null : this.listen(), // behind a proxy
      guid: this.serventGuid,
      degree: settings.maxUltrapeers,
      maxTtl: MAX_TTL,
      deflate: settings.deflate,
      features: this.#features(),
      liveSince,
      guess: role() === 'ultrapeer' && datagrams() ? '0.2' : null,
      locale: null,
    };
  }
}
