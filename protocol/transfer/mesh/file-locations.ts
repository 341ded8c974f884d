// The locations of one file: who may have it, who has it for certain, who is said not to have it.
//
// A location is in at most one of two tables: known, or banned. Good means first-hand knowledge: it served us, or it named its own address.
import { formatEndpoint, ipv6Network, isIpv6 } from '../../wire/endpoint.ts';
import type { AltLocation } from './alt-locations.ts';
import type { FirewalledLocation } from './firewalled-location.ts';

export type MeshLocation = AltLocation | FirewalledLocation;

export interface MeshEntry {
  readonly location: MeshLocation;
  /** When it was last named, or served us. */
  readonly seenAt: number;
  readonly good: boolean;
  /** Networks whose servents say that it does not have the file: fewer than REPORTERS_MIN. */
  readonly reporters: readonly string[];
  /** See LOCATIONS_OF_HOST_MAX; null for one without an address. */
  readonly block: string | null;
}

export interface MeshBan {
  readonly location: MeshLocation;
  readonly until: number;
  /** We failed there ourselves; else others said so. */
  readonly own: boolean;
}

/** gtk-gnutella's numbers (dmesh.c). */
export const LOCATIONS_OF_FILE_MAX = 256;
export const LIFETIME_MS = 12 * 3_600_000;
/** Of a file that we share whole: those who want it have us, and need few others. */
export const SHARED_LIFETIME_MS = 3_600_000;
export const BAN_MS = 2 * 3_600_000;
/** Of one host, or of one /64 of IPv6, whatever ports they name: it must not crowd out others, nor be dialled at each of its ports. */
export const LOCATIONS_OF_HOST_MAX = 4;
/** Reports from so many networks ban a location. */
const REPORTERS_MIN = 3;

export class FileLocations {
  /** We share the file whole. */
  shared = false;
  /** The longest unseen first. */
  readonly #known = new Map<string, MeshEntry>();
  /** The oldest first; at most LOCATIONS_OF_FILE_MAX. */
  readonly #banned = new Map<string, MeshBan>();
  readonly #ofHostMax: number;

  /** `sharedAddress`: all servents have one address and differ by port. */
  constructor(sharedAddress: boolean) {
    this.#ofHostMax = sharedAddress ? LOCATIONS_OF_FILE_MAX : LOCATIONS_OF_HOST_MAX;
  }

  /** Locations and bans. */
  get size(): number {
    return this.#known.size + this.#banned.size;
  }

  /** Somebody names a location. True when it was not known, and is not banned. */
  add(location: MeshLocation, good: boolean, now: number): boolean {
    const key = locationKey(location);
    this.#expire(now);
    if (this.#banned.has(key)) return false;
    const known = this.#known.get(key);
    const block = blockOf(location);
    if (known === undefined && !this.#makeRoomOf(block, good)) return false;
    this.#known.delete(key);
    if (this.#known.size >= LOCATIONS_OF_FILE_MAX) this.#makeRoom();
    // hearsay does not change what is known first-hand, such as the push proxies of a servent
    if (known?.good === true && !good) this.#known.set(key, { ...known, seenAt: now });
    else this.#known.set(key, { location, seenAt: now, good, reporters: good ? [] : (known?.reporters ?? []), block });
    return known === undefined;
  }

  /** The location served us. This lifts a ban. */
  served(location: MeshLocation, now: number): void {
    this.#banned.delete(locationKey(location));
    this.add(location, true, now);
  }

  /** We failed there: no such file, another file, or no connection. */
  failed(location: MeshLocation, now: number): void {
    this.#ban(locationKey(location), { location, until: now + BAN_MS, own: true });
  }

  /** A servent of this network says that a location does not have the file. Unknown locations are not looked at. */
  report(location: MeshLocation, network: string, now: number): void {
    const key = locationKey(location);
    const known = this.#known.get(key);
    if (known === undefined || known.reporters.includes(network)) return;
    const reporters = [...known.reporters, network];
    if (reporters.length < REPORTERS_MIN) this.#known.set(key, { ...known, reporters });
    else this.#ban(key, { location: known.location, until: now + BAN_MS, own: false });
  }

  /** The good ones first, then those that fewer say are bad, then the latest. */
  ranked(now: number): MeshEntry[] {
    this.#expire(now);
    return [...this.#known.values()]
      .reverse()
      .sort((a, b) => Number(b.good) - Number(a.good) || a.reporters.length - b.reporters.length);
  }

  /** Those to connect to that have the file for certain, in the order of `ranked`. Asked for each hit of ours. */
  good(now: number): AltLocation[] {
    this.#expire(now);
    const good: { location: AltLocation; reports: number }[] = [];
    for (const { location, good: isGood, reporters } of this.#known.values())
      if (isGood && !isFirewalled(location)) good.push({ location, reports: reporters.length });
    return good
      .reverse()
      .sort((a, b) => a.reports - b.reports)
      .map(({ location }) => location);
  }

  /** Those that failed with us, the latest first. */
  failures(now: number): MeshBan[] {
    this.#expire(now);
    return [...this.#banned.values()].filter(({ own }) => own).reverse();
  }

  #ban(key: string, ban: MeshBan): void {
    this.#known.delete(key);
    this.#banned.delete(key);
    const [oldest] = this.#banned.keys();
    if (oldest !== undefined && this.#banned.size >= LOCATIONS_OF_FILE_MAX) this.#banned.delete(oldest);
    this.#banned.set(key, ban);
  }

  /** Drops the longest unseen of those that are not good, so that a flood of names drives out nobody who has the file. */
  #makeRoom(): void {
    let oldest: string | null = null;
    for (const [key, { good }] of this.#known) {
      oldest ??= key;
      if (good) continue;
      this.#known.delete(key);
      return;
    }
    if (oldest !== null) this.#known.delete(oldest);
  }

  /** Room for one more of a host: its longest unseen goes, one that is not good first. False: all are good, and the new one is not. */
  #makeRoomOf(block: string | null, good: boolean): boolean {
    if (block === null) return true;
    const same = [...this.#known].filter(([, entry]) => entry.block === block);
    if (same.length < this.#ofHostMax) return true;
    const [key] = same.find(([, entry]) => !entry.good) ?? (good ? same[0] : undefined) ?? [];
    return key !== undefined && this.#known.delete(key);
  }

  #expire(now: number): void {
    const lifetimeMs = this.shared ? SHARED_LIFETIME_MS : LIFETIME_MS;
    for (const [key, { seenAt }] of this.#known) {
      if (seenAt + lifetimeMs > now) break;
      this.#known.delete(key);
    }
    for (const [key, { until }] of this.#banned) {
      if (until > now) break;
      this.#banned.delete(key);
    }
  }
}

/** Identifies a location of a file. */
export function locationKey(location: MeshLocation): string {
  return isFirewalled(location) ? location.serventGuid.toString('hex') : formatEndpoint(location);
}

function blockOf(location: MeshLocation): string | null {
  if (isFirewalled(location)) return null;
  return isIpv6(location.host) ? ipv6Network(location.host) : location.host;
}

export function isFirewalled(location: MeshLocation): location is FirewalledLocation {
  return 'serventGuid' in location;
}
