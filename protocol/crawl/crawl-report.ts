// What a crawl has found: hosts, connections between them, and how many each has.
import type { PeerRole } from '../handshake/capabilities.ts';

/** `left_out`: known but not asked, `why` says the reason. */
export type HostState = 'answered' | 'refused' | 'silent' | 'unreadable' | 'left_out';
export type Way = 'tcp' | 'udp';

/** Why a host that others named was not asked. */
export const LEFT_OUT = [
  /** Its address is outside of what the profile reaches, or blocked. */
  'forbidden',
  /** It was asked lately. */
  'recently',
  'opted_out',
  /** Too many hosts of its address were asked. */
  'address_full',
  /** The crawl ended before its turn. */
  'not_reached',
] as const;
export type LeftOut = (typeof LEFT_OUT)[number];

export interface CrawledHost {
  /** HOST:PORT. */
  readonly address: string;
  readonly state: HostState;
  readonly why: string;
  /** As it says, or as its neighbours say; '': nobody did. */
  readonly role: PeerRole | '';
  readonly userAgent: string;
  /** Seconds; null: not told. */
  readonly uptime: number | null;
  /** Neighbours that it named. */
  readonly ultrapeers: number;
  readonly leaves: number;
  /** How it answered, or was asked last; null: it was not asked. */
  readonly way: Way | null;
  /** From question to answer; 0: none came. */
  readonly ms: number;
}

export interface CrawledEdge {
  /** HOST:PORT of one that named the other. */
  readonly host: string;
  readonly neighbour: string;
  /** What the connection is: of two ultrapeers, or of a leaf. */
  readonly kind: 'ultrapeer' | 'leaf';
  /** Both named the other. */
  readonly both: boolean;
}

export interface CrawlReport {
  readonly hosts: readonly CrawledHost[];
  readonly edges: readonly CrawledEdge[];
  /** Questions sent. */
  readonly asked: number;
  /** Hosts and connections that were named beyond what a crawl keeps. */
  readonly beyond: number;
}

/** Connections of each host that answered: only theirs are known in full. */
export function degreesOf({ hosts, edges }: Pick<CrawlReport, 'hosts' | 'edges'>): Map<string, number> {
  const degrees = new Map<string, number>();
  for (const { address, state } of hosts) if (state === 'answered') degrees.set(address, 0);
  for (const { host, neighbour } of edges)
    for (const end of [host, neighbour]) {
      const degree = degrees.get(end);
      if (degree !== undefined) degrees.set(end, degree + 1);
    }
  return degrees;
}

/** How many hosts have each degree, by degree. */
export function degreeCounts(degrees: Iterable<number>): [degree: number, hosts: number][] {
  const counts = new Map<number, number>();
  for (const degree of degrees) counts.set(degree, (counts.get(degree) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => a - b);
}
