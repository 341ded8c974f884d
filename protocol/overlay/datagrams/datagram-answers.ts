// Answers crawler pings (LIME/5) and HEAD pings (LIME/23) by UDP.
import type { Searchable } from '../../search/shared-file.ts';
import { formatEndpoint, isIpv6 } from '../../wire/endpoint.ts';
import { urnOrNull } from '../../wire/urn.ts';
import { type CrawledNeighbour, CrawlFlag, encodeCrawlerPong, parseCrawlerPing } from '../../wire/vendor/crawler.ts';
import { encodeHeadPong, parseHeadPing } from '../../wire/vendor/head-ping.ts';
import type { VendorMessage } from '../../wire/vendor-message.ts';
import type { Identity } from '../identity.ts';
import type { Link } from '../links/link.ts';

/** Flags whose facts we have. */
const CRAWL_FLAGS = CrawlFlag.ConnectionTime | CrawlFlag.Locale | CrawlFlag.UserAgents | CrawlFlag.NodeUptime;

/** The payload of LIME/6, at most `bytesMax`: as many neighbours as fit. Throws WIRE_TRUNCATED. */
export function answerCrawler(
  message: VendorMessage,
  links: Iterable<Link>,
  startedAt: number,
  userAgent: string,
  bytesMax: number,
  now: number,
): Buffer {
  const ping = parseCrawlerPing(message);
  const flags = ping.flags & CRAWL_FLAGS;
  let ultrapeers: CrawledNeighbour[] = [];
  let leaves: CrawledNeighbour[] = [];
  const said = new Set<string>();
  for (const link of links) {
    const { listen, role } = link;
    if (listen === null || isIpv6(listen.host) || said.has(formatEndpoint(listen))) continue;
    const kind = role === 'leaf' ? leaves : ultrapeers;
    if (kind.length >= (role === 'leaf' ? ping.leaves : ping.ultrapeers)) continue;
    said.add(formatEndpoint(listen));
    kind.push({
      endpoint: listen,
      connectedMinutes: Math.floor((now - link.openedAt) / 60_000),
      locale: link.capabilities.locale?.slice(0, 2) ?? 'en',
      replies: 0,
      userAgent: link.capabilities.userAgent ?? '',
    });
  }
  const uptimeSeconds = Math.floor((now - startedAt) / 1000);
  for (;;) {
    const payload = encodeCrawlerPong({ ultrapeers, leaves, flags, uptimeSeconds, dhtStatus: 0, userAgent });
    if (payload.length <= bytesMax || ultrapeers.length + leaves.length === 0) return payload;
    ultrapeers = ultrapeers.slice(0, Math.floor(ultrapeers.length / 2));
    leaves = leaves.slice(0, Math.floor(leaves.length / 2));
  }
}

/** The payload of LIME/24, or null for a question that is about another servent. Throws WIRE_*, GGEP_*. */
export function answerHead(
  message: VendorMessage,
  library: Searchable,
  identity: Identity,
  now: number,
): Buffer | null {
  const ping = parseHeadPing(message);
  if (ping.target !== null && !ping.target.equals(identity.serventGuid)) return null;
  const urn = urnOrNull(ping.urn);
  const query = { flags: 0, maxHits: 1, text: '', ggep: [], xml: null, malformed: 0 };
  const found = urn !== null && library.match({ ...query, urns: [urn] }, 1).length > 0;
  const [firewalled, busy] = [identity.firewalled(now), identity.busy(now)];
  return encodeHeadPong(ping.version, { found, firewalled, busy, vendor: identity.vendor });
}
