// What a pong on a link says of us, encoded again only when something of it has changed: each neighbour asks several times a minute.
import type { DhtMode } from '../../dht/dht.ts';
import { dhtModeIn, dhtModeItems } from '../../dht/dht-items.ts';
import type { Searchable } from '../../search/shared-file.ts';
import { keptCopy } from '../../wire/kept-copy.ts';
import { encodePong, PLAIN_PONG, type Pong } from '../../wire/pong.ts';
import type { Identity } from '../identity.ts';

export class OwnPong {
  readonly #identity: Identity;
  readonly #library: Searchable;
  /** As encoded last; null before. */
  #said: Pong | null = null;
  #plain: Buffer | null = null;
  #extended: Buffer | null = null;

  constructor(identity: Identity, library: Searchable) {
    this.#identity = identity;
    this.#library = library;
  }

  /** The payload, which must not be changed. Without `ggep` the 14 bytes that 0.4 servents expect. */
  payload(ggep: boolean): Buffer {
    if (this.#said === null || !this.#holds(this.#said)) {
      this.#said = this.#pong();
      this.#plain = null;
      this.#extended = null;
    }
    if (ggep) {
      this.#extended ??= keptCopy(encodePong(this.#said));
      return this.#extended;
    }
    const { endpoint, files, kibibytes, ultrapeer } = this.#said;
    this.#plain ??= keptCopy(encodePong({ ...PLAIN_PONG, endpoint, files, kibibytes, ultrapeer }));
    return this.#plain;
  }

  #pong(): Pong {
    const { ultrapeer, vendor, dailyUptimeSeconds, leafSlotsFree, ultrapeerSlotsFree } = this.#identity;
    return {
      endpoint: this.#identity.listen(),
      ipv6: this.#identity.ipv6?.() ?? null,
      files: this.#library.files,
      kibibytes: this.#kibibytes,
      ultrapeer,
      vendor,
      vendorVersion: 1,
      guess: null,
      dailyUptimeS: dailyUptimeSeconds,
      slots: ultrapeer ? { leaf: leafSlotsFree, ultrapeer: ultrapeerSlotsFree } : null,
      tls: this.#identity.tls ?? false,
      hosts: [],
      udpHostCache: null,
      ggep: dhtModeItems(this.#dhtMode),
    };
  }

  get #dhtMode(): DhtMode {
    return this.#identity.dhtMode ?? 'off';
  }

  get #kibibytes(): number {
    return Math.floor(this.#library.bytes / 1024);
  }

  /** Compares without making anything. */
  #holds(said: Pong): boolean {
    const identity = this.#identity;
    const { host, port } = identity.listen();
    return (
      said.endpoint.host === host &&
      said.endpoint.port === port &&
      said.ipv6 === (identity.ipv6?.() ?? null) &&
      said.files === this.#library.files &&
      said.kibibytes === this.#kibibytes &&
      said.ultrapeer === identity.ultrapeer &&
      said.vendor === identity.vendor &&
      said.dailyUptimeS === identity.dailyUptimeSeconds &&
      (said.slots === null ||
        (said.slots.leaf === identity.leafSlotsFree && said.slots.ultrapeer === identity.ultrapeerSlotsFree)) &&
      said.tls === (identity.tls ?? false) &&
      dhtModeIn(said.ggep) === this.#dhtMode
    );
  }
}
