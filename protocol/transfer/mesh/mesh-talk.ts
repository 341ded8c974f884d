// What one transfer connection says about other locations of a file: reads the headers of the peer, and writes ours.
import type { Headers } from '../../handshake/header-block.ts';
import { type Endpoint, endpointOrNull, isIpv6 } from '../../wire/endpoint.ts';
import { listOf } from '../http-head.ts';
import { type AltLocation, formatAltLocations, parseAltLocations, parseLegacyLocations } from './alt-locations.ts';
import { isFirewalled, locationKey, type MeshLocation } from './file-locations.ts';
import {
  type FirewalledLocation,
  formatFirewalled,
  parseFirewalled,
  parseFirewalledList,
} from './firewalled-location.ts';
import type { Mesh } from './mesh.ts';

/** LimeWire's numbers a message. */
const DIRECT_MAX = 10;
const FIREWALLED_MAX = 5;
/** Most locations that are read, and most that are sent, on one connection. */
const CONNECTION_MAX = 100;
/** Older names of X-Node that gtk-gnutella reads. */
const NODE_NAMES = ['X-Node', 'X-Listen-IP', 'Listen-IP', 'Node'];

type Header = readonly [name: string, value: string];

export class MeshTalk {
  readonly #mesh: Mesh;
  readonly #host: string;
  /** Where the peer listens: as it says, or as we dialled it. */
  #port: number | null;
  #guid: string | null = null;
  #takesFirewalled = false;
  #takesIpv6 = false;
  /** Keys of the locations sent, of every file; at most CONNECTION_MAX. */
  readonly #sent = new Set<string>();
  #toRead = CONNECTION_MAX;

  /** `host`: the peer's address. `port`: of the endpoint that we dialled; null: the peer connected to us. */
  constructor(mesh: Mesh, host: string, port: number | null) {
    this.#mesh = mesh;
    this.#host = host;
    this.#port = port;
  }

  /**
   * Reads the headers of a request or reply about a file that we have (`shared`) or fetch. Returns the locations that are new to the
   * mesh. Throws nothing: what is malformed is left out.
   */
  hear(sha1: Buffer, headers: Headers, shared: boolean, now: number): MeshLocation[] {
    this.#meet(headers);
    const direct = [
      ...parseAltLocations(headers.get('X-Alt') ?? ''),
      ...parseLegacyLocations(headers.get('X-Gnutella-Alternate-Location') ?? '', sha1),
    ];
    const fresh: MeshLocation[] = [];
    for (const told of [...direct, ...parseFirewalledList(headers.get('X-Falt') ?? '')]) {
      if (this.#toRead-- <= 0) break;
      const location = this.#mesh.believed(told);
      if (location === null) continue;
      // push proxies that a peer names for itself may be victims
      const good = !isFirewalled(location) && this.#isPeer(location);
      if (this.#mesh.add(sha1, location, { good, shared }, now)) fresh.push(location);
    }
    for (const gone of [
      ...parseAltLocations(headers.get('X-NAlt') ?? ''),
      ...parseFirewalledList(headers.get('X-NFalt') ?? ''),
    ]) {
      if (this.#toRead-- <= 0) break;
      this.#mesh.report(sha1, gone, this.#host, now);
    }
    return fresh;
  }

  /** Headers for the peer: good locations and failures that it has not been told on this connection. `own`: names us first. */
  tell(sha1: Buffer, own: Endpoint | null, now: number): Header[] {
    const direct: AltLocation[] = own === null || this.#sent.has('own') ? [] : [{ ...own, tls: false }];
    if (direct.length > 0) this.#sent.add('own');
    const firewalled: FirewalledLocation[] = [];
    for (const { location, good } of this.#mesh.ranked(sha1, now)) {
      if (!good) break;
      if (!this.#mayBeTold(sha1, location, '')) continue;
      if (!isFirewalled(location) && direct.length < DIRECT_MAX) direct.push(location);
      else if (isFirewalled(location) && firewalled.length < FIREWALLED_MAX) firewalled.push(location);
      else continue;
      this.#sent.add(tellingKey(sha1, location, ''));
    }
    const gone: AltLocation[] = [];
    const goneFirewalled: FirewalledLocation[] = [];
    for (const { location } of this.#mesh.failures(sha1, now)) {
      if (!this.#mayBeTold(sha1, location, '-')) continue;
      if (!isFirewalled(location) && gone.length < DIRECT_MAX) gone.push({ ...location, tls: false });
      else if (isFirewalled(location) && goneFirewalled.length < FIREWALLED_MAX) goneFirewalled.push(location);
      else continue;
      this.#sent.add(tellingKey(sha1, location, '-'));
    }
    const headers: Header[] = [];
    if (direct.length > 0) headers.push(['X-Alt', formatAltLocations(direct)]);
    if (firewalled.length > 0) headers.push(['X-Falt', firewalled.map(formatFirewalled).join(', ')]);
    if (gone.length > 0) headers.push(['X-NAlt', formatAltLocations(gone)]);
    if (goneFirewalled.length > 0) headers.push(['X-NFalt', goneFirewalled.map(formatFirewalled).join(', ')]);
    return headers;
  }

  /** Features, address and GUID of the peer, which come once a connection. */
  #meet(headers: Headers): void {
    for (const feature of listOf(headers.get('X-Features'))) {
      if (/^(fwalt|fwt)(\/|$)/.test(feature)) this.#takesFirewalled = true;
      if (feature.startsWith('ip/6')) this.#takesIpv6 = true;
    }
    const name = NODE_NAMES.find(each => headers.has(each));
    const node = name === undefined ? null : endpointOrNull((headers.get(name) ?? '').trim());
    // an address that is not the one it comes from is not believed
    if (node !== null && node.host === this.#host) this.#port = node.port;
    const guid = parseFirewalled(headers.get('X-FW-Node-Info') ?? '')?.serventGuid.toString('hex') ?? null;
    if (guid !== null) this.#guid = guid;
  }

  /** The peer itself, as far as its address or GUID shows. */
  #isPeer(location: MeshLocation): boolean {
    if (isFirewalled(location)) return locationKey(location) === this.#guid;
    if (location.host !== this.#host) return false;
    return !this.#mesh.sharedAddress || location.port === this.#port;
  }

  #mayBeTold(sha1: Buffer, location: MeshLocation, mark: string): boolean {
    if (this.#sent.size >= CONNECTION_MAX || this.#isPeer(location)) return false;
    if (isFirewalled(location) ? !this.#takesFirewalled : isIpv6(location.host) && !this.#takesIpv6) return false;
    // an address that changed since it was learnt, or is blocked now
    return this.#mesh.believed(location) !== null && !this.#sent.has(tellingKey(sha1, location, mark));
  }
}

function tellingKey(sha1: Buffer, location: MeshLocation, mark: string): string {
  return `${mark}${sha1.toString('latin1')}${locationKey(location)}`;
}
