// A share of the ultrapeers goes at once, and the others have few free slots: do leaves find new ones, and do enough leaves take over?
import { SeededRandom } from '../seeded-random.ts';
import { INTERNET } from './conditions.ts';
import { GnutellaNetwork } from './gnutella-network.ts';
import type { VirtualHost } from './virtual-host.ts';

export interface UltrapeerLossOptions {
  readonly seed: number;
  readonly servents: number;
  /** Share of the ultrapeers that goes. */
  readonly lost: number;
  /** Slots for leaves before, as a multiple of the leaves. */
  readonly leafSlots: number;
  /** Virtual seconds that are looked at afterwards. */
  readonly seconds: number;
}

/** The network at one time after the loss. */
export interface Recovery {
  readonly second: number;
  /** Of the servents that are leaves: those without any ultrapeer, and their mean number of ultrapeers. */
  readonly orphans: number;
  readonly links: number;
  /** Leaves that have become ultrapeers since, and their mean number of links to ultrapeers. */
  readonly promoted: number;
  readonly promotedLinks: number;
  /** Share of the searches of the last seconds that found what somebody who is there has. */
  readonly success: number;
}

const SETTLING_SECONDS = 30;
const STEP_SECONDS = 10;
const SEARCHES_PER_STEP = 10;

export function ultrapeerLoss({ seed, servents, lost, leafSlots, seconds }: UltrapeerLossOptions): Recovery[] {
  const network = new GnutellaNetwork({
    ...{ seed, servents, leafSlots, conditions: INTERNET, elects: true },
    ultrapeerShare: 0.1,
    leafLinks: 3,
    ultrapeerLinks: 10,
  });
  const { internet, ultrapeers } = network;
  const random = new SeededRandom(seed);
  internet.run(1_000 * SETTLING_SECONDS);
  for (const host of random.sample(ultrapeers, Math.round(ultrapeers.length * lost))) host.kill();
  const recovery: Recovery[] = [];
  for (let second = STEP_SECONDS; second <= seconds; second += STEP_SECONDS) {
    const searches = network.files
      .searches(SEARCHES_PER_STEP)
      .flatMap(({ from, file }) => (network.isThere(from, file) ? (network.search(from, file) ?? []) : []));
    internet.run(1_000 * STEP_SECONDS);
    recovery.push(lookAt(network, second, searches.filter(({ hits }) => hits > 0).length / searches.length));
  }
  return recovery;
}

function lookAt({ leaves: born }: GnutellaNetwork, second: number, success: number): Recovery {
  const up = born.filter(host => host.up);
  const leaves = up.filter(({ servent }) => servent.role.role === 'leaf');
  const promoted = up.filter(({ servent }) => servent.role.role === 'ultrapeer');
  return {
    second,
    orphans: leaves.filter(host => linksOf(host) === 0).length,
    links: meanLinks(leaves),
    promoted: promoted.length,
    promotedLinks: meanLinks(promoted),
    success,
  };
}

const linksOf = ({ servent }: VirtualHost): number => servent.overlay.counts.ultrapeers;
const meanLinks = (hosts: readonly VirtualHost[]): number =>
  hosts.reduce((sum, host) => sum + linksOf(host), 0) / Math.max(1, hosts.length);
