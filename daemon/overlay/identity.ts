// Who we are to the network: one GUID for life, what our hits and handshakes say.
import type { Role } from '../../protocol/handshake/capabilities.ts';
import type { LocalHello } from '../../protocol/handshake/handshake.ts';
import type { Identity } from '../../protocol/overlay/identity.ts';
import type { Random } from '../../protocol/ports.ts';
import { type Endpoint, isIpv6 } from '../../protocol/wire/endpoint.ts';
import { formatGuid, parseGuid } from '../../protocol/wire/guid.ts';
import type { Settings } from '../settings.ts';
import type { Table } from '../store/table.ts';

const VENDOR = 'SRVT';
const SERVENT_GUID = 'servent-guid';
const MAX_TTL_SAID = 4;

/** The GUID of the store, minted at the first start. */
export async function serventGuid(table: Table<string>, random: Random): Promise<Buffer> {
  const stored = await table.get(SERVENT_GUID);
  if (stored !== undefined && /^[0-9a-f]{32}$/.test(stored)) return parseGuid(stored);
  const guid = random.guid();
  await table.put(SERVENT_GUID, formatGuid(guid), { durable: true });
  return guid;
}

export interface IdentityFacts {
  serventGuid: Buffer;
  settings: Settings;
  startedAt: Date;
  role: () => Role;
  listen: () => Endpoint;
  /** Our IPv6 address beside an IPv4 one. */
  ipv6: () => string | null;
  uploadsFull: () => boolean;
  /** Bytes a second that went out at best; null when nothing has. */
  bestUpload: () => number | null;
  dailyUptimeSeconds: () => number;
  firewalled: () => boolean;
  pushProxies: () => readonly Endpoint[];
  outOfBand: () => Endpoint | null;
  /** UDP is open, so GUESS queries can be answered. */
  datagrams: () => boolean;
  free: () => { leafSlots: number; ultrapeerSlots: number };
}

export class ServentIdentity implements Identity {
  readonly serventGuid: Buffer;
  readonly vendor = VENDOR;
  readonly #facts: IdentityFacts;

  constructor(facts: IdentityFacts) {
    this.#facts = facts;
    this.serventGuid = facts.serventGuid;
  }

  get speedKbps(): number {
    const { settings, bestUpload } = this.#facts;
    return Math.round(((settings.uploads.speed || bestUpload() || 0) * 8) / 1000);
  }

  get userAgent(): string {
    return this.#facts.settings.gnutella.userAgent;
  }

  get ultrapeer(): boolean {
    return this.#facts.role() === 'ultrapeer';
  }

  get dailyUptimeSeconds(): number {
    return this.#facts.dailyUptimeSeconds();
  }

  get firewalled(): boolean {
    return this.#facts.firewalled();
  }

  pushProxies(): readonly Endpoint[] {
    return this.#facts.pushProxies();
  }

  outOfBand(): Endpoint | null {
    return this.#facts.outOfBand();
  }

  get tls(): boolean {
    return this.#facts.settings.gnutella.tls;
  }

  get busy(): boolean {
    return this.#facts.uploadsFull();
  }

  get leafSlotsFree(): number {
    return this.#facts.free().leafSlots;
  }

  get ultrapeerSlotsFree(): number {
    return this.#facts.free().ultrapeerSlots;
  }

  listen(): Endpoint {
    return this.#facts.listen();
  }

  ipv6(): string | null {
    return this.#facts.ipv6();
  }

  /** browse first: see featureList(). `IP/6.0`: IPv4 and IPv6, `IP/6.4`: IPv6 only (gtk-gnutella). */
  #features(): string[] {
    const features = ['browse/1.0'];
    if (this.#facts.settings.gnutella.tls) features.push('tls/1.0');
    if (isIpv6(this.listen().host)) features.push('IP/6.4');
    else if (this.ipv6() !== null) features.push('IP/6.0');
    return features;
  }

  hello(): LocalHello {
    const { settings, startedAt, role } = this.#facts;
    return {
      userAgent: settings.gnutella.userAgent,
      role: role(),
      listen: this.listen(),
      guid: this.serventGuid,
      degree: settings.gnutella.maxUltrapeers,
      maxTtl: MAX_TTL_SAID,
      deflate: settings.gnutella.deflate,
      features: this.#features(),
      liveSince: startedAt.toUTCString().replace('GMT', '+0000'),
      guess: role() === 'ultrapeer' && this.#facts.datagrams() ? '0.2' : null,
      locale: null,
    };
  }
}
