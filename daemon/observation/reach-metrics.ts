// Metrics of how others are reached: pushes, push proxies, sources of downloads, and hits by UDP for leaves.
import { counter, entries, gauge, type Metric } from './metric.ts';

export const reachMetrics: readonly Metric[] = [
  counter(
    'gnutella_relay_requests_total',
    'Requests to relay between firewalled servents, and how pairs ended: `paired` passed bytes; `other_file`: the one with the file came for another; `bytes`, `time`, `idle` and `expired` reached a bound.',
    ({ servent: { relaying } }) => entries(relaying.desk.outcomes.toRecord()),
    'result',
  ),
  counter(
    'gnutella_relay_calls_total',
    'Calls of our ultrapeers to come to them as relays, by outcome: `came`, or why not; `not_shared`: nothing of the file is shared.',
    ({ servent: { relaying } }) => entries(relaying.calls.toRecord()),
    'result',
  ),
  counter(
    'gnutella_relayed_bytes_total',
    'Bytes passed on between firewalled servents.',
    ({ servent: { relaying } }) => relaying.desk.bytes,
  ),
  gauge(
    'gnutella_relay_pairs',
    'Pairs of firewalled servents between which bytes pass.',
    ({ servent: { relaying } }) => relaying.desk.pairs,
  ),
  counter(
    'gnutella_push_routes_refused_total',
    'Servents of query hits to which no way for pushes was remembered, as their neighbour had named too many new ones.',
    ({ servent: { overlay } }) => overlay.counters.pushRoutesRefused,
  ),
  counter(
    'gnutella_pushes_received_total',
    'Pushes for us by the way that they came: over links, by datagram, or from us as a push proxy over HTTP.',
    ({ servent: { pushes } }) => entries(pushes.came.toRecord()),
    'way',
  ),
  counter(
    'gnutella_pushes_answered_total',
    'Pushes for us by outcome: `served` are connections that were made; `rate`, `crowded`, `forbidden` and `remembered` (not reached within eight minutes before) were not tried.',
    ({ servent: { pushes } }) => entries(pushes.outcomes.toRecord()),
    'result',
  ),
  counter(
    'gnutella_push_proxy_requests_total',
    'Requests over HTTP to pass on a push, by outcome.',
    ({ servent: { relay } }) => entries(relay.outcomes.toRecord()),
    'result',
  ),
  counter(
    'gnutella_givs_received_total',
    'Connections that answer pushes of ours, by outcome; `unasked`: nobody waits for that servent any more.',
    ({ network: { pushes } }) => entries(pushes.givs.toRecord()),
    'result',
  ),
  counter(
    'gnutella_source_tries_total',
    'Tries to reach sources of downloads, by way.',
    ({ servent: { requester } }) => entries(requester.tried.toRecord()),
    'way',
  ),
  counter(
    'gnutella_sources_reached_total',
    'Sources of downloads that were reached, by way; of pushes the latest that may have led to it.',
    ({ servent: { requester } }) => entries(requester.reached.toRecord()),
    'way',
  ),
  counter(
    'gnutella_sources_unreached_total',
    'Sources of downloads that no way led to, by reason.',
    ({ servent: { requester } }) => entries(requester.failed.toRecord()).map(([code, n]) => [code.toLowerCase(), n]),
    'reason',
  ),
  counter(
    'gnutella_source_asks_refused_total',
    'Datagrams and connections that were not sent for a source, as its address or that of its push proxy has had its share.',
    ({ servent: { requester } }) => entries(requester.refused.toRecord()),
    'kind',
  ),
  counter(
    'gnutella_proxied_queries_total',
    'Queries of leaves that do not take hits by UDP themselves, by what became of them: `proxied` went out with our address.',
    ({ servent: { overlay } }) => entries(overlay.oobProxy.outcomes.toRecord()),
    'result',
  ),
  counter(
    'gnutella_proxied_hits_total',
    'Hits that came by UDP and went on to leaves.',
    ({ servent: { overlay } }) => overlay.oobProxy.hitsPassed,
  ),
];
