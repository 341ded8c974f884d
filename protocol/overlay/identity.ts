// The data about ourselves in descriptors. Values may change: read at each use.
import type { DhtMode } from '../dht/dht.ts';
import type { Endpoint } from '../wire/endpoint.ts';

export interface Identity {
  /** 16 bytes, for life. */
  readonly serventGuid: Buffer;
  /** Four characters. */
  readonly vendor: string;
  /** Our role towards the network. */
  readonly ultrapeer: boolean;
  /** Others cannot connect to us by TCP. */
  firewalled(now: number): boolean;
  /** All upload slots are taken. */
  busy(now: number): boolean;
  /** Kilobit a second, for hits. */
  readonly speedKbps: number;
  /** Free slots for links of either kind, for pongs. */
  readonly leafSlotsFree: number;
  readonly ultrapeerSlotsFree: number;
  /** Average seconds a day that we are up. */
  readonly dailyUptimeSeconds: number;
  /** Where we can be reached. */
  listen(): Endpoint;
  /** Port at which datagrams reach us; absent: that of `listen()`. */
  readonly datagramPort?: number;
  /** Our IPv6 address, same port, when `listen()` gives IPv4 and we have both; null or absent: none. */
  ipv6?(): string | null;
  /** Our port speaks TLS too. */
  readonly tls?: boolean;
  /** Absent: off. */
  readonly dhtMode?: DhtMode;
  /** Our push proxies while we are firewalled. */
  pushProxies?(): readonly Endpoint[];
  /** Where servents that are firewalled as we are can open a stream by UDP with us; null or absent: nowhere. */
  streamEndpoint?(now: number): Endpoint | null;
  /** Relays through which those that are firewalled as we are can meet us; absent: none. */
  relayEndpoints?(now: number): readonly Endpoint[];
  /** At most `max` other servents that are known to have a shared file, by its SHA-1. Absent: hits name none. */
  alternatesOf?(sha1: Buffer, max: number, now: number): readonly Endpoint[];
  /** Where hits for our queries may be sent by UDP; null or absent: nowhere. IPv4. */
  outOfBand?(now: number): Endpoint | null;
}
