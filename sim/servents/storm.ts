// A hard time for a network of whole servents, all of it drawn from one seed: churn, lost datagrams, slow paths, a partition, and
// ultrapeers that go at once; searches go on, some become downloads, some sources lie, and checkers watch.

import { Checkers } from '../checkers/checkers.ts';
import type { Finding } from '../checkers/findings.ts';
import { SeededRandom } from '../seeded-random.ts';
import { FileContent, KeptContents } from '../transfer/file-content.ts';
import type { VirtualDownload } from '../transfer/virtual-download.ts';
import { CHURN, churn } from './churn.ts';
import { INTERNET } from './conditions.ts';
import { type DownloadCounts, Downloads } from './downloads.ts';
import { fileName, GnutellaNetwork } from './gnutella-network.ts';
import type { Host, Medium } from './medium.ts';

export interface StormOptions {
  readonly seed: number;
  readonly servents: number;
  readonly seconds: number;
  /** Makes one servent, an ultrapeer or a leaf, do something wrong; absent: nobody does. */
  readonly fault?: {
    readonly role: 'ultrapeer' | 'leaf';
    readonly plant: (host: Host, internet: Medium) => void;
  };
  /** Makes each download do something wrong, before it begins. */
  readonly faultyDownload?: (download: VirtualDownload) => void;
  readonly onSecond?: (second: number) => void;
}

export interface Storm {
  readonly traceHash: string;
  readonly searches: number;
  readonly found: number;
  readonly downloads: DownloadCounts;
  /** Descriptors that were looked at. */
  readonly checked: number;
  readonly findings: readonly Finding[];
  /** Findings by rule. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Searches begin when leaves have sent their tables. */
const QUIET_SECONDS = 60;
const SEARCHES_PER_SECOND = 2;
const PARTITION_SECONDS = 15;
/** Of the ultrapeers, at most; at once. */
const LOST_SHARE_MAX = 0.25;
/** Of the most popular quarter of the files every so many-th has a content, and is downloaded by who searches for it. */
const CONTENT_EVERY = 3;
/** Of the hosts: they send wrong bytes. */
const LIARS_SHARE = 0.1;

export function storm({ seed, servents, seconds, fault, faultyDownload, onSecond }: StormOptions): Storm {
  const random = new SeededRandom(seed);
  const conditions = {
    ...INTERNET,
    datagramLoss: 0.1 * random.float(),
    bytesPerSecond: 20_000 + random.below(200_000),
  };
  const contents = contentsOf(seed, servents);
  const network = new GnutellaNetwork({
    ...{ seed: random.next(), servents, conditions },
    contentOf: file => contents.get(fileName(file)) ?? null,
    ultrapeerShare: 0.1,
    leafLinks: 3,
    ultrapeerLinks: 8,
  });
  const { internet, ultrapeers, leaves } = network;
  const checkers = new Checkers(internet);
  internet.watch(checkers);
  // the one that is at fault stays
  const faulty = fault === undefined ? null : (fault.role === 'leaf' ? leaves : ultrapeers)[0];
  if (faulty != null) fault?.plant(faulty, internet);
  const others = network.hosts.filter(host => host !== faulty);
  const sessions = { ...CHURN, sessionMedian: 100 + random.below(400), pauseMedian: 30 };
  churn(internet, others, sessions, random.fork(), host => network.remind(host));
  const during = Math.max(1, seconds - QUIET_SECONDS);
  const partitionAt = QUIET_SECONDS + random.below(during);
  const lossAt = QUIET_SECONDS + random.below(during);
  const sides = random.fork();
  const sideOf = network.hosts.map(() => sides.below(2));
  const liars = new Set<Host>(network.hosts.filter(() => sides.chance(LIARS_SHARE)));
  const downloads = new Downloads(internet, {
    random: random.fork(),
    rules: checkers.downloads,
    contentOf: name => contents.get(name) ?? null,
    lies: host => liars.has(host),
    ...(faultyDownload === undefined ? {} : { onNew: faultyDownload }),
  });
  const asked = [];
  for (let second = 0; second < seconds; second++) {
    if (second === partitionAt) internet.conditions.partition(host => sideOf[host] ?? 0);
    if (second === partitionAt + PARTITION_SECONDS) internet.conditions.heal();
    if (second === lossAt)
      for (const host of random.sample(ultrapeers, Math.round(ultrapeers.length * LOST_SHARE_MAX * random.float())))
        if (host !== faulty) host.kill();
    if (second >= QUIET_SECONDS)
      for (const { from, file } of network.files.searches(SEARCHES_PER_SECOND)) {
        const search = network.search(from, file);
        if (search === null) continue;
        asked.push(search);
        const [host, content] = [network.hosts[from], contents.get(fileName(file))];
        if (host !== undefined && content !== undefined) downloads.want(host, search, content);
      }
    internet.run(1_000);
    downloads.onSecond();
    onSecond?.(second);
  }
  return {
    traceHash: internet.trace.hex,
    searches: asked.length,
    found: asked.filter(({ hits }) => hits > 0).length,
    downloads: downloads.counts,
    checked: checkers.checked,
    findings: checkers.findings.first,
    counts: checkers.findings.counts,
  };
}

/** By name. */
function contentsOf(seed: number, files: number): ReadonlyMap<string, FileContent> {
  const random = new SeededRandom(seed).fork();
  const kept = new KeptContents();
  const contents = new Map<string, FileContent>();
  for (let file = 0; file < files / 4; file += CONTENT_EVERY)
    contents.set(fileName(file), new FileContent(random.next(), kept));
  return contents;
}
