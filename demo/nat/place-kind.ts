// Says how each kind of router or firewall treats packets: words for people, the behaviour to expect, and rules for nft.

export const PLACE_KINDS = [
  'open',
  'full-cone',
  'address-restricted',
  'port-restricted',
  'symmetric',
  'drops-incoming',
  'tcp-blocked',
] as const;
export type PlaceKind = (typeof PLACE_KINDS)[number];

/** Terms of RFC 4787, sections 4.1 and 5. */
export type Dependence = 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent';

/** What a host in such a place can see of its router by UDP and TCP. */
export interface Behaviour {
  /** Which destinations the mapped port depends on; null: the host has a public address, nothing is mapped. */
  readonly mapping: Dependence | null;
  /** Which datagrams come in at a port that has sent one to somebody else. */
  readonly filtering: Dependence;
  /** Datagrams come in at a port that has sent none. */
  readonly unsolicitedUdp: boolean;
  /** Others can connect to a port that the host listens on. */
  readonly incomingTcp: boolean;
  /** The host can connect to others than the ultrapeers. */
  readonly outgoingTcp: boolean;
}

interface Kind {
  readonly words: string;
  /** The host has a private address behind a translating router, a public one behind a filtering router, or no router. */
  readonly layout: 'translated' | 'filtered' | 'direct';
  readonly behaviour: Behaviour;
}

const TRANSLATED: Behaviour = {
  mapping: 'endpoint-independent',
  filtering: 'address-and-port-dependent',
  unsolicitedUdp: false,
  incomingTcp: false,
  outgoingTcp: true,
};

export const KINDS: Readonly<Record<PlaceKind, Kind>> = {
  open: {
    words: 'public address, nothing in the way',
    layout: 'direct',
    behaviour: {
      mapping: null,
      filtering: 'endpoint-independent',
      unsolicitedUdp: true,
      incomingTcp: true,
      outgoingTcp: true,
    },
  },
  'full-cone': {
    words: 'NAT that lets anybody in at a UDP port that has sent something',
    layout: 'translated',
    behaviour: { ...TRANSLATED, filtering: 'endpoint-independent' },
  },
  'address-restricted': {
    words: 'NAT that lets in whom the UDP port has sent something, from any port of theirs',
    layout: 'translated',
    behaviour: { ...TRANSLATED, filtering: 'address-dependent' },
  },
  'port-restricted': {
    words: 'NAT that lets in only answers, with one outer UDP port for all destinations',
    layout: 'translated',
    behaviour: TRANSLATED,
  },
  symmetric: {
    words: 'NAT that lets in only answers, with another random UDP port for each destination',
    layout: 'translated',
    behaviour: { ...TRANSLATED, mapping: 'address-and-port-dependent' },
  },
  'drops-incoming': {
    words: 'public address behind a firewall that lets in only answers',
    layout: 'filtered',
    behaviour: { ...TRANSLATED, mapping: null },
  },
  'tcp-blocked': {
    words: 'public address behind a firewall that passes UDP both ways, and TCP only to the ultrapeers',
    layout: 'filtered',
    behaviour: {
      mapping: null,
      filtering: 'endpoint-independent',
      unsolicitedUdp: true,
      incomingTcp: false,
      outgoingTcp: false,
    },
  },
};

/** Names of a router's interfaces. */
export const WAN = 'wan';
export const LAN = 'lan';

/** A mapping ends after so long without an outgoing datagram; RFC 4787 asks for two minutes at least. */
const MAPPING_SECONDS = 120;

/**
 * Rules for the router of a place, as `nft -f -` reads them. `ultrapeers`: addresses that TCP may reach from `tcp-blocked`.
 *
 * Linux itself filters by address and port. It keeps the source port of a datagram where that is free, so with one host
 * behind the router its mapping is endpoint-independent. What it lacks is added: `mapped` holds the ports that have sent
 * something, and a datagram to one of them is forwarded although no connection track knows it.
 */
export function rulesOf(kind: PlaceKind, ultrapeers: readonly string[]): string {
  const chains = [
    'chain to_router { type filter hook input priority filter; policy drop; }',
    `chain forwarded {
      type filter hook forward priority filter; policy drop;
      ${remembered(kind)}
      ct state established,related accept
      ${outgoing(kind, ultrapeers)}
      ${incoming(kind)}
    }`,
  ];
  if (KINDS[kind].layout === 'translated') {
    chains.push(`chain outwards {
      type nat hook postrouting priority srcnat;
      oifname "${WAN}" masquerade ${kind === 'symmetric' ? 'fully-random' : ''}
    }`);
  }
  const admitted = ADMITTED[kind];
  if (admitted !== undefined) {
    chains.push(`chain inwards {
      type nat hook prerouting priority dstnat;
      iifname "${WAN}" ${admitted} dnat to udp dport map @mapped
    }`);
  }
  return `table ip place {
    map mapped { type inet_service : ipv4_addr; flags dynamic,timeout; timeout ${MAPPING_SECONDS}s; }
    set spoken { type ipv4_addr . inet_service; flags dynamic,timeout; timeout ${MAPPING_SECONDS}s; }
    ${chains.join('\n')}
  }\n`;
}

/** Incoming datagrams for which no connection track exists, and which are forwarded all the same. */
const ADMITTED: Partial<Record<PlaceKind, string>> = {
  'full-cone': 'meta l4proto udp',
  'address-restricted': 'ip saddr . udp dport @spoken',
};

function remembered(kind: PlaceKind): string {
  if (ADMITTED[kind] === undefined) return '';
  return `oifname "${WAN}" update @mapped { udp sport : ip saddr } update @spoken { ip daddr . udp sport }`;
}

function outgoing(kind: PlaceKind, ultrapeers: readonly string[]): string {
  if (kind !== 'tcp-blocked') return `iifname "${LAN}" accept`;
  const tcp =
    ultrapeers.length === 0 ? '' : `iifname "${LAN}" ip daddr { ${ultrapeers.join(', ')} } tcp dport 1-65535 accept`;
  return `iifname "${LAN}" meta l4proto udp accept\n${tcp}`;
}

function incoming(kind: PlaceKind): string {
  if (kind === 'tcp-blocked') return `iifname "${WAN}" meta l4proto udp accept`;
  return ADMITTED[kind] === undefined ? '' : 'ct status dnat accept';
}

export function isPlaceKind(text: string): text is PlaceKind {
  return (PLACE_KINDS as readonly string[]).includes(text);
}
