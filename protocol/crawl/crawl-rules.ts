// How politely each network profile is crawled.
import type { Profile } from '../network-rules.ts';
import type { Reach } from '../wire/endpoint.ts';

export interface CrawlRules {
  readonly profile: Profile;
  /** Scopes of addresses that are asked. */
  readonly reaches: readonly Reach[];
  /** Hosts asked in a second: unless told otherwise, and at most. */
  readonly rate: number;
  readonly rateMax: number;
  /** A host is not asked again for so long, ms; 0: it may be at once. */
  readonly againMs: number;
  /** Hosts of one address that are asked in a crawl: one address may be claimed to have thousands; 0: no limit. */
  readonly portsOfAddress: number;
}

const DAY_MS = 86_400_000;
/** For this long a host that wants no crawlers is left alone. */
export const OPT_OUT_MS = 30 * DAY_MS;

export const CRAWL_RULES: Readonly<Record<Profile, CrawlRules>> = {
  local: {
    profile: 'local',
    reaches: ['loopback'],
    rate: 50,
    rateMax: 1000,
    againMs: 0, // all hosts are on this machine
    portsOfAddress: 0,
  },
  lan: {
    profile: 'lan',
    reaches: ['loopback', 'private'],
    rate: 5,
    rateMax: 100,
    againMs: DAY_MS,
    portsOfAddress: 8,
  },
  public: {
    profile: 'public',
    reaches: ['public'],
    rate: 5,
    rateMax: 20,
    againMs: DAY_MS,
    portsOfAddress: 4,
  },
};
