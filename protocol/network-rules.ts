// The rules of each network profile: `local` (loopback), `lan` (private network), `public`.
import { type BootstrapRules, LOCAL_BOOTSTRAP, PUBLIC_BOOTSTRAP } from './bootstrap/bootstrap-rules.ts';
import { type DhtRules, LAN_DHT, LOCAL_DHT, PUBLIC_DHT } from './dht/dht-rules.ts';
import type { Role } from './handshake/capabilities.ts';
import { DATAGRAM_LIMITS, type DatagramLimits, LOCAL_DATAGRAM_LIMITS } from './overlay/datagrams/datagrams.ts';
import { LOCAL_OVERLAY_LIMITS, OVERLAY_LIMITS, type OverlayLimits } from './overlay/limits.ts';
import { type ElectionRules, LOCAL_ELECTION, PUBLIC_ELECTION } from './overlay/neighbours/election.ts';
import { type HostPolicy, PUBLIC_HOSTS } from './overlay/neighbours/host-cache.ts';
import { LOCAL_TOPOLOGY, PUBLIC_TOPOLOGY, type TopologyRules } from './overlay/neighbours/topology.ts';
import { QUERY_GUARD } from './overlay/queries/query-guard.ts';
import {
  LOCAL_SOURCE_SEARCH_TIMES,
  SOURCE_SEARCH_TIMES,
  type SourceSearchTimes,
} from './transfer/downloads/source-search.ts';
import type { Reach } from './wire/endpoint.ts';

export type Profile = 'local' | 'lan' | 'public';

export interface NetworkRules {
  readonly profile: Profile;
  /** Scopes of addresses that are learnt from peers and answered by UDP. */
  readonly reaches: readonly Reach[];
  /** Scopes of addresses that a user may dial; null: all. */
  readonly dialable: readonly Reach[] | null;
  /** Host names are resolved, which sends DNS requests. */
  readonly resolvesNames: boolean;
  /** All servents share one address and differ by port. */
  readonly sharedAddress: boolean;
  readonly overlay: OverlayLimits;
  readonly datagrams: DatagramLimits;
  readonly dht: DhtRules;
  /** Milliseconds after the start from which on a node of the DHT answers requests. */
  readonly dhtActiveAfterMs: number;
  readonly hosts: HostPolicy;
  readonly topology: TopologyRules;
  readonly election: ElectionRules;
  readonly bootstrap: BootstrapRules;
  /** Milliseconds between two elections. */
  readonly electionMs: number;
  /** The role before the first election. */
  readonly firstRole: Role;
  /** Milliseconds for which an ultrapeer's number of free leaf slots is valid; pongs are relayed for up to 40 s. */
  readonly freeSlotsMs: number;
  /** Accept peers without roles and of protocol 0.4. */
  readonly legacy: boolean;
  /** Ban addresses from uploads for their conduct. */
  readonly bans: boolean;
  /** Refuse ultrapeers that flood while we are a leaf, and crawlers that come too often. */
  readonly strict: boolean;
  /** When the network is asked for sources of downloads. */
  readonly sourceSearch: SourceSearchTimes;
  /** Ask further ultrapeers to become leaves when the network has enough ultrapeers. */
  readonly wantsLeaves: boolean;
}

const PUBLIC: NetworkRules = {
  profile: 'public',
  reaches: ['public'],
  dialable: null,
  resolvesNames: true,
  sharedAddress: false,
  overlay: { ...OVERLAY_LIMITS, reaches: ['public'], leavesOfAddress: 4, queries: QUERY_GUARD },
  datagrams: { ...DATAGRAM_LIMITS, reaches: ['public'] },
  dht: PUBLIC_DHT,
  dhtActiveAfterMs: 3_600_000, // LimeWire's
  hosts: { ...PUBLIC_HOSTS, reaches: ['public'] },
  topology: PUBLIC_TOPOLOGY,
  election: PUBLIC_ELECTION,
  bootstrap: PUBLIC_BOOTSTRAP,
  electionMs: 5_000,
  firstRole: 'leaf',
  freeSlotsMs: 300_000,
  legacy: false,
  bans: true,
  strict: true,
  sourceSearch: SOURCE_SEARCH_TIMES,
  wantsLeaves: false,
};

const LAN_REACHES: readonly Reach[] = ['loopback', 'private'];
const LAN: NetworkRules = {
  ...PUBLIC,
  profile: 'lan',
  reaches: LAN_REACHES,
  dialable: LAN_REACHES,
  overlay: { ...PUBLIC.overlay, ...LOCAL_OVERLAY_LIMITS, reaches: LAN_REACHES },
  datagrams: { ...DATAGRAM_LIMITS, reaches: LAN_REACHES },
  dht: LAN_DHT,
  dhtActiveAfterMs: 60_000,
  hosts: { ...PUBLIC_HOSTS, reaches: LAN_REACHES },
  topology: LOCAL_TOPOLOGY,
  election: LOCAL_ELECTION,
  bootstrap: LOCAL_BOOTSTRAP,
  electionMs: 500,
  // when all start at the same time, one must accept leaves
  firstRole: 'ultrapeer',
  freeSlotsMs: 10_000,
  legacy: true,
  strict: false,
  wantsLeaves: true,
};

const LOCAL_REACHES: readonly Reach[] = ['loopback'];
const LOCAL: NetworkRules = {
  ...LAN,
  profile: 'local',
  reaches: LOCAL_REACHES,
  dialable: LOCAL_REACHES,
  resolvesNames: false,
  sharedAddress: true,
  bans: false,
  sourceSearch: LOCAL_SOURCE_SEARCH_TIMES,
  overlay: { ...LAN.overlay, reaches: LOCAL_REACHES, leavesOfAddress: 0, queries: null, proxyOutOfBand: false },
  datagrams: { ...DATAGRAM_LIMITS, ...LOCAL_DATAGRAM_LIMITS, reaches: LOCAL_REACHES },
  dht: LOCAL_DHT,
  dhtActiveAfterMs: 0,
  // all hosts share an address: no limit per address, retry after 2 s
  hosts: {
    ...PUBLIC_HOSTS,
    reaches: LOCAL_REACHES,
    retryTriedMs: 2_000,
    retryFailedMs: 2_000,
    retryBusyMs: 2_000,
    retryRefusedMs: 2_000,
    sameAddressMs: 0,
  },
};

export const NETWORK_RULES: Readonly<Record<Profile, NetworkRules>> = { local: LOCAL, lan: LAN, public: PUBLIC };
