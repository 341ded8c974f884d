// The download mesh: for each file that we share or fetch, the other servents that have it.
import type { Role } from '../../handshake/capabilities.ts';
import { LazyMap } from '../../lazy-map.ts';
import type { NetworkRules } from '../../network-rules.ts';
import { type Endpoint, ipv6Network, isIpv6, reachOf } from '../../wire/endpoint.ts';
import type { AltLocation } from './alt-locations.ts';
import { FileLocations, isFirewalled, type MeshBan, type MeshEntry, type MeshLocation } from './file-locations.ts';

export interface MeshLimits {
  readonly files: number;
  /** Of all files together, bans counted; each costs about 300 bytes. */
  readonly locations: number;
}

/** A leaf has its memory for files; an ultrapeer needs it for its leaves. */
export const MESH_LIMITS: Readonly<Record<Role, MeshLimits>> = {
  leaf: { files: 4_000, locations: 40_000 },
  ultrapeer: { files: 2_000, locations: 20_000 },
};

export interface MeshParts {
  readonly role: () => Role;
  readonly rules: Pick<NetworkRules, 'reaches' | 'sharedAddress'>;
  readonly reach: {
    /** Why an endpoint must not be dialled (ours, blocked), or null. */
    forbids(endpoint: Endpoint): string | null;
  };
}

export class Mesh {
  /** All servents have one address and differ by port. */
  readonly sharedAddress: boolean;
  readonly #parts: MeshParts;
  /** By SHA-1; the longest unused first. */
  readonly #files = new LazyMap<string, FileLocations>();
  #locations = 0;

  constructor(parts: MeshParts) {
    this.#parts = parts;
    this.sharedAddress = parts.rules.sharedAddress;
  }

  get files(): number {
    return this.#files.size;
  }

  get locations(): number {
    return this.#locations;
  }

  /** Locations to connect to that have the file for certain, the best first. */
  goodLocations(sha1: Buffer, max: number, now: number): AltLocation[] {
    return this.#files.get(keyOf(sha1))?.good(now).slice(0, max) ?? [];
  }

  /** All that are known of a file, the good ones first. */
  ranked(sha1: Buffer, now: number): MeshEntry[] {
    return this.#files.get(keyOf(sha1))?.ranked(now) ?? [];
  }

  /** Locations where we failed ourselves, the latest first. */
  failures(sha1: Buffer, now: number): MeshBan[] {
    return this.#files.get(keyOf(sha1))?.failures(now) ?? [];
  }

  /** Whether this location may be kept: an address that others can reach, not ours, not blocked. Private proxies are cut off. */
  believed(location: MeshLocation): MeshLocation | null {
    if (!isFirewalled(location)) return this.#mayBeReached(location) ? location : null;
    const { address, pushProxies } = location;
    return {
      ...location,
      address: address !== null && this.#mayBeReached(address) ? address : null,
      pushProxies: pushProxies.filter(proxy => this.#mayBeReached(proxy)),
    };
  }

  /** `good`: it named itself. `shared`: we have the file whole. True when the location is new; false also for one that is banned. */
  add(
    sha1: Buffer,
    location: MeshLocation,
    { good, shared }: { good: boolean; shared: boolean },
    now: number,
  ): boolean {
    return this.#change(sha1, file => {
      file.shared = shared;
      return file.add(location, good, now);
    });
  }

  /** A location served us this file, or said that it will. */
  served(sha1: Buffer, location: MeshLocation, now: number): void {
    const believed = this.believed(location);
    if (believed !== null) this.#change(sha1, file => file.served(believed, now));
  }

  /** A location does not have this file, or cannot be connected to. */
  failed(sha1: Buffer, location: MeshLocation, now: number): void {
    const believed = this.believed(location);
    if (believed !== null) this.#change(sha1, file => file.failed(believed, now));
  }

  /** The servent at this address says that a location does not have this file. */
  report(sha1: Buffer, location: MeshLocation, reporter: string, now: number): void {
    const network = networkOf(reporter);
    if (network !== null && this.#files.has(keyOf(sha1)))
      this.#change(sha1, file => file.report(location, network, now));
  }

  #mayBeReached(endpoint: Endpoint): boolean {
    const { rules, reach } = this.#parts;
    return rules.reaches.includes(reachOf(endpoint.host)) && reach.forbids(endpoint) === null;
  }

  #change<Result>(sha1: Buffer, change: (file: FileLocations) => Result): Result {
    const key = keyOf(sha1);
    const file = this.#files.get(key) ?? new FileLocations(this.sharedAddress);
    const before = file.size;
    const result = change(file);
    this.#locations += file.size - before;
    this.#files.delete(key);
    if (file.size > 0) this.#files.set(key, file);
    this.#makeRoom(key);
    return result;
  }

  /** Forgets the longest unused files above the limits, never the one at hand. */
  #makeRoom(kept: string): void {
    const { files, locations } = MESH_LIMITS[this.#parts.role()];
    for (const [key, file] of this.#files) {
      if (key === kept || (this.#files.size <= files && this.#locations <= locations)) return;
      this.#files.delete(key);
      this.#locations -= file.size;
    }
  }
}

const keyOf = (sha1: Buffer): string => sha1.toString('latin1');

/** The network that an address counts for: /16 of IPv4, /64 of IPv6. Null for what is no address. */
function networkOf(host: string): string | null {
  if (reachOf(host) === 'unusable') return null;
  if (!isIpv6(host)) return host.split('.', 2).join('.');
  return ipv6Network(host);
}
