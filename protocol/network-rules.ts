// What a servent does differently on loopback, in a private network, and on the public one: one record a profile.
import { type BootstrapRules, LAB_BOOTSTRAP, PUBLIC_BOOTSTRAP } from './bootstrap/bootstrap-rules.ts';
import type { Role } from './handshake/capabilities.ts';
import { DATAGRAM_LIMITS, type DatagramLimits, LOCAL_DATAGRAM_LIMITS } from './overlay/datagrams/datagrams.ts';
import { LOCAL_OVERLAY_LIMITS, OVERLAY_LIMITS, type OverlayLimits } from './overlay/limits.ts';
import { type ElectionRules, LOCAL_ELECTION, PUBLIC_ELECTION } from './overlay/neighbours/election.ts';
import { type HostPolicy, PUBLIC_HOSTS } from './overlay/neighbours/host-cache.ts';
import { LOCAL_TOPOLOGY, PUBLIC_TOPOLOGY, type TopologyRules } from './overlay/neighbours/topology.ts';
import { QUERY_GUARD } from './overlay/queries/query-guard.ts';
import type { Reach } from './wire/endpoint.ts';

export type Profile = 'local' | 'lan' | 'public';

export interface NetworkRules {
  readonly profile: Profile;
  /** Addresses that are kept when others name them, and answered by UDP. */
  readonly reaches: readonly Reach[];
  /** Addresses that may be dialled when a person asks for it; null: every address that can exist. */
  readonly dials: readonly Reach[] | null;
  /** Host names may be looked up: the question leaves this machine. */
  readonly asksNames: boolean;
  /** All servents share one address, and a port tells them apart. */
  readonly sharedAddress: boolean;
  readonly overlay: OverlayLimits;
  readonly datagrams: DatagramLimits;
  readonly hosts: HostPolicy;
  readonly topology: TopologyRules;
  readonly election: ElectionRules;
  readonly bootstrap: BootstrapRules;
  /** Milliseconds between two elections. */
  readonly electionMs: number;
  /** The role before the first election. */
  readonly firstRole: Role;
  /** Milliseconds for which an ultrapeer's number of free leaf slots is believed; pongs are passed on for up to 40 s. */
  readonly freeSlotsMs: number;
  /** Take peers without roles and of protocol 0.4 as neighbours. */
  readonly legacy: boolean;
  /** Refuse ultrapeers that flood while we are a leaf, and crawlers that come too often. */
  readonly strict: boolean;
  /** Ask further ultrapeers to be leaves once a leaf would find enough ultrapeers. */
  readonly guides: boolean;
}

const PUBLIC: NetworkRules = {
  profile: 'public',
  reaches: ['public'],
  dials: null,
  asksNames: true,
  sharedAddress: false,
  overlay: { ...OVERLAY_LIMITS, reaches: ['public'], queries: QUERY_GUARD },
  datagrams: { ...DATAGRAM_LIMITS, reaches: ['public'] },
  hosts: { ...PUBLIC_HOSTS, reaches: ['public'] },
  topology: PUBLIC_TOPOLOGY,
  election: PUBLIC_ELECTION,
  bootstrap: PUBLIC_BOOTSTRAP,
  electionMs: 5_000,
  // On the public network others became ultrapeers long ago.
  firstRole: 'leaf',
  freeSlotsMs: 300_000,
  legacy: false,
  strict: true,
  guides: false,
};

const LAN_REACHES: readonly Reach[] = ['loopback', 'private'];
const LAN: NetworkRules = {
  ...PUBLIC,
  profile: 'lan',
  reaches: LAN_REACHES,
  dials: LAN_REACHES,
  overlay: { ...PUBLIC.overlay, ...LOCAL_OVERLAY_LIMITS, reaches: LAN_REACHES },
  datagrams: { ...DATAGRAM_LIMITS, reaches: LAN_REACHES },
  hosts: { ...PUBLIC_HOSTS, reaches: LAN_REACHES },
  topology: LOCAL_TOPOLOGY,
  election: LOCAL_ELECTION,
  bootstrap: LAB_BOOTSTRAP,
  electionMs: 500,
  // All start at the same time, and one must be the first to take leaves.
  firstRole: 'ultrapeer',
  freeSlotsMs: 10_000,
  legacy: true,
  strict: false,
  guides: true,
};

const LOCAL_REACHES: readonly Reach[] = ['loopback'];
const LOCAL: NetworkRules = {
  ...LAN,
  profile: 'local',
  reaches: LOCAL_REACHES,
  dials: LOCAL_REACHES,
  asksNames: false,
  sharedAddress: true,
  overlay: { ...LAN.overlay, reaches: LOCAL_REACHES, queries: null },
  datagrams: { ...DATAGRAM_LIMITS, ...LOCAL_DATAGRAM_LIMITS, reaches: LOCAL_REACHES },
  // All hosts share an address: no wait for it, and 2 s after each dial.
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
