// What the servent's node of the DHT is built from: what it keeps over restarts, and the parts of the servent that it serves and asks.
import type { Dht } from './dht/dht.ts';
import type { DhtModeCause } from './dht/dht-mode.ts';
import type { PublishedFile } from './dht/file-publications.ts';
import type { LookupResult } from './dht/lookup-result.ts';
import type { TokenSecrets } from './dht/tokens.ts';
import type { StoredValue } from './dht/value-store.ts';
import type { NetworkRules } from './network-rules.ts';
import type { Datagrams } from './overlay/datagrams/datagrams.ts';
import type { Link } from './overlay/links/link.ts';
import type { HostCache } from './overlay/neighbours/host-cache.ts';
import { hostsToTell } from './overlay/neighbours/hosts-to-tell.ts';
import type { OwnIdentity } from './overlay/own-identity.ts';
import type { Firewall } from './overlay/reach/firewall.ts';
import type { ReachPolicy } from './overlay/reach/reach-policy.ts';
import type { Random } from './ports.ts';
import type { Searchable } from './search/shared-file.ts';
import type { ServentSettings } from './servent-settings.ts';
import type { Mesh } from './transfer/mesh/mesh.ts';
import type { Endpoint } from './wire/endpoint.ts';

/** Servents that are asked for nodes of the DHT. */
const HOSTS_TO_ASK = 30;

/** What a node of the DHT keeps over restarts. */
export interface DhtMemory {
  /** 20 bytes, for life. */
  readonly kuid: Buffer;
  /** Nodes known at the last stop. */
  readonly contacts: readonly Endpoint[];
  /** Values of others that it kept; times count from the start of this run. */
  readonly values?: readonly StoredValue[];
  /** What tokens were made with that others may still have; the time counts like those of values. */
  readonly tokens?: TokenSecrets | null;
}

export type DhtState = 'off' | 'seeking' | 'ready';

/** How the node stands. */
export interface DhtStanding {
  readonly node: Dht;
  readonly state: DhtState;
  /** Why it does not answer requests; null: it does. */
  readonly cause: DhtModeCause | null;
  /** Milliseconds until it has been up for long enough to answer requests. */
  activeInMs(now: number): number;
}

/** Events of the node. Called during its methods. */
export interface DhtSink {
  /** Another mode or state. */
  onDhtChanged(dht: DhtStanding): void;
  /** Any lookup has ended, those that keep the routing table among them. */
  onDhtLookup(result: LookupResult): void;
}

export interface ServentDhtParts {
  readonly sink: DhtSink;
  readonly memory: DhtMemory;
  readonly rules: Pick<NetworkRules, 'dht' | 'dhtActiveAfterMs'>;
  readonly settings: Pick<ServentSettings, 'dht'>;
  readonly random: Random;
  readonly endpoint: () => Endpoint;
  readonly udp: () => boolean;
  readonly reach: Pick<ReachPolicy, 'forbids'>;
  readonly firewall: Pick<Firewall, 'status'>;
  readonly datagrams: () => Pick<Datagrams, 'ask' | 'sendDht'>;
  /** Servents to ask: neighbours first, then others seen lately. */
  readonly hosts: () => readonly Endpoint[];
  readonly identity: Pick<
    OwnIdentity,
    'serventGuid' | 'streamEndpoint' | 'firewalled' | 'tls' | 'ultrapeer' | 'pushProxies'
  >;
  readonly library: Pick<Searchable, 'shared' | 'bySha1'>;
  readonly partials: () => Iterable<PublishedFile>;
  readonly mesh: Pick<Mesh, 'ranked'>;
  /** GUIDs of neighbours whose push proxy we are. */
  readonly clients: () => Iterable<Buffer>;
}

/** What it takes of a servent: some of it is made later than the node. */
export interface DhtServent extends Pick<ServentDhtParts, 'reach' | 'firewall' | 'identity' | 'mesh'> {
  readonly port: { readonly datagrams: Endpoint; readonly udp: boolean };
  readonly datagrams: Datagrams;
  readonly hosts: HostCache;
  readonly overlay: { readonly links: ReadonlyMap<number, Link> };
  readonly vendor: { readonly pushProxies: { readonly clients: Iterable<Buffer> } };
}

/** What the servent itself is given. */
interface Given extends Pick<ServentDhtParts, 'rules' | 'settings' | 'random' | 'library' | 'sink'> {
  readonly dht?: DhtMemory;
  readonly partials?: () => Iterable<PublishedFile>;
}

/** Null without a memory: the servent is no node of the DHT. */
export function serventDhtParts(servent: DhtServent, given: Given): ServentDhtParts | null {
  const { dht: memory, rules, settings, random, library, sink, partials = () => [] } = given;
  if (memory === undefined) return null;
  const { reach, firewall, identity, mesh } = servent;
  return {
    ...{ sink, memory, rules, settings, random, reach, firewall, identity, library, partials, mesh },
    endpoint: () => servent.port.datagrams,
    udp: () => servent.port.udp,
    datagrams: () => servent.datagrams,
    hosts: () => hostsToTell(servent.overlay.links.values(), servent.hosts, HOSTS_TO_ASK),
    clients: () => servent.vendor.pushProxies.clients,
  };
}
