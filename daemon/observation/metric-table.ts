// Declares every metric: name, description, and how to read its value. docs/metrics.md is generated from it.

import { DROP_NAMES, type Drop } from '../../protocol/overlay/links/drops.ts';
import { logOutput } from '../log.ts';
import { datagramMetrics } from './datagram-metrics.ts';
import { dhtMetrics } from './dht-metrics.ts';
import { counter, entries, gauge, type Metric } from './metric.ts';
import { natMetrics } from './nat-metrics.ts';
import { reachMetrics } from './reach-metrics.ts';
import { trafficOf } from './traffic.ts';

export const metrics: readonly Metric[] = [
  gauge('gnutella_info', 'Always 1; the label says which version runs.', ({ version }) => [[version, 1]], 'version'),
  gauge('gnutella_mode', '1 for the present role of the servent.', ({ mode }) => [[mode(), 1]], 'mode'),
  gauge(
    'gnutella_start_time_seconds',
    'When the servent started, in seconds since 1970.',
    ({ startedAt }) => startedAt / 1000,
  ),
  gauge(
    'gnutella_links',
    'Open overlay connections by role of the peer.',
    ({
      servent: {
        overlay: { counts },
      },
    }) => [
      ['leaf', counts.leaves],
      ['ultrapeer', counts.ultrapeers],
    ],
    'role',
  ),
  gauge('gnutella_hosts', 'Addresses in the host cache.', ({ servent }) => servent.hosts.size),
  counter(
    'gnutella_connections_in_total',
    'Incoming connections by outcome.',
    ({ network: { listener } }) => entries(listener.counts.toRecord()),
    'result',
  ),
  counter(
    'gnutella_handshakes_in_total',
    'Incoming handshakes by outcome.',
    ({ network: { handshaker } }) => entries(handshaker.countsIn.toRecord()),
    'result',
  ),
  counter(
    'gnutella_handshakes_out_total',
    'Outgoing handshakes by outcome.',
    ({ network: { handshaker } }) => entries(handshaker.countsOut.toRecord()),
    'result',
  ),
  counter(
    'gnutella_link_ends_total',
    'Ended overlay connections by reason.',
    ({ network: { handshaker } }) => entries(handshaker.linkEnds.toRecord()),
    'reason',
  ),
  counter(
    'gnutella_descriptors_in_total',
    'Descriptors received by type.',
    ({
      servent: {
        overlay: { counters: c },
      },
    }) => [
      ['ping', c.pingsIn],
      ['pong', c.pongsIn],
      ['bye', c.byesIn],
      ['query', c.queriesIn],
      ['query_hit', c.hitsIn],
      ['push', c.pushesIn],
      ['route_table_update', c.routeTableUpdatesIn],
      ['vendor_message', c.vendorMessagesIn],
      ['other', c.othersIn],
    ],
    'type',
  ),
  counter(
    'gnutella_descriptors_out_total',
    'Descriptors sent.',
    ({ servent: { overlay } }) => trafficOf(overlay).messagesOut,
  ),
  counter(
    'gnutella_overlay_bytes_in_total',
    'Bytes received on overlay connections, inflated.',
    ({ servent: { overlay } }) => trafficOf(overlay).bytesIn,
  ),
  counter(
    'gnutella_overlay_bytes_out_total',
    'Bytes sent on overlay connections, before they are deflated.',
    ({ servent: { overlay } }) => trafficOf(overlay).bytesOut,
  ),
  counter(
    'gnutella_descriptors_dropped_total',
    "Descriptors not processed or not passed on, by reason; duplicates are the flood's ordinary echo. `query_too_soon`: above `gnutella.queriesPerSecond` or `gnutella.leafQueriesPerSecond`; `query_too_soon_of_address`: above what all leaves at one address may send.",
    ({
      servent: {
        overlay: { drops },
      },
    }) => DROP_NAMES.map((name, reason) => [name, drops.of(reason as Drop)]),
    'reason',
  ),
  counter(
    'gnutella_descriptors_shed_total',
    'Descriptors dropped because a peer reads too slowly.',
    ({ servent: { overlay } }) => trafficOf(overlay).shed,
  ),
  gauge(
    'gnutella_send_queue_bytes',
    'Bytes that wait to be sent on all overlay connections.',
    ({ servent: { overlay } }) => {
      let bytes = 0;
      for (const { queue } of overlay.links.values()) bytes += queue.bytes;
      return bytes;
    },
  ),
  counter('gnutella_queries_passed_total', 'Queries received, without duplicates.', ({ monitor }) => monitor.total),
  counter(
    'gnutella_queries_answered_total',
    'Queries that matched our files.',
    ({ servent: { overlay } }) => overlay.counters.queriesAnswered,
  ),
  counter(
    'gnutella_queries_relayed_total',
    'Copies of queries forwarded.',
    ({ servent: { overlay } }) => overlay.counters.queriesRelayed,
  ),
  counter(
    'gnutella_queries_spared_total',
    "Copies of queries not forwarded, because the peer's QRP table rules out a match.",
    ({ servent: { overlay } }) => overlay.counters.queriesSpared,
  ),
  counter(
    'gnutella_query_hits_relayed_total',
    'Query hits forwarded.',
    ({ servent: { overlay } }) => overlay.counters.hitsRelayed,
  ),
  counter(
    'gnutella_query_hits_sent_total',
    'Query hits of our own.',
    ({ servent: { overlay } }) => overlay.counters.hitsSent,
  ),
  counter(
    'gnutella_pushes_relayed_total',
    'Pushes forwarded.',
    ({ servent: { overlay } }) => overlay.counters.pushesRelayed,
  ),
  ...reachMetrics,
  gauge('gnutella_leaf_tables', 'Leaves that have sent a whole QRP table.', ({ servent: { overlay } }) => {
    return overlay.queryRouting.leafTables;
  }),
  gauge(
    'gnutella_table_bytes',
    'Memory of the tables of the overlay: QRP tables of neighbours without their index, and routes.',
    ({
      servent: {
        overlay: { queryRouting, routeTables },
      },
    }) => [
      ['qrp', queryRouting.tableBytes],
      ['routes', routeTables.bytes],
    ],
    'table',
  ),
  gauge(
    'gnutella_routes',
    'Known return routes: of queries, to servents, and of GUESS queries by UDP.',
    ({
      servent: {
        overlay: { routeTables },
        datagrams,
      },
    }) => [
      ['query', routeTables.queries],
      ['servent', routeTables.servents],
      ['guess', datagrams.guess.routes],
    ],
    'kind',
  ),
  gauge('gnutella_dynamic_queries', 'Running dynamic queries of our own and of leaves.', ({ servent: { overlay } }) => {
    return overlay.queryRouting.dynamicQueries;
  }),
  ...datagramMetrics,
  gauge(
    'gnutella_limit_bytes_per_second',
    'Limits of bandwidth that hold now; 0: no limit.',
    ({ network }) => network.limits.now.map(({ name, bytesPerSecond }) => [name, bytesPerSecond] as const),
    'limit',
  ),
  gauge(
    'gnutella_month_bytes',
    'Bytes of this calendar month by direction.',
    ({ network }) => entries({ in: network.limits.month.in, out: network.limits.month.out }),
    'direction',
  ),
  gauge(
    'gnutella_month_budget_bytes',
    'The monthly budget of both directions together; 0: none.',
    ({ network }) => network.limits.budget.bytes,
  ),
  gauge(
    'gnutella_out_of_band_offers',
    'Our hits offered by UDP and not claimed yet.',
    ({ servent: { datagrams } }) => datagrams.replies.waiting,
  ),
  counter(
    'gnutella_out_of_band_replies_total',
    'Our hits by UDP: `offered`, `claimed`, claims `refused`; and datagrams `dropped` because the queue was full, or received too `late` for a running search.',
    ({ servent: { datagrams } }) => {
      const { replies, deliveries } = datagrams;
      const { offered, claimed, refused } = replies;
      return entries({ offered, claimed, refused, dropped: deliveries.dropped, late: deliveries.late });
    },
    'event',
  ),
  counter(
    'gnutella_vendor_messages_in_total',
    'Vendor messages of neighbours by kind, or `unknown`, or `malformed`.',
    ({ servent: { vendor } }) => [...vendor.counts, ['unknown', vendor.unknown], ['malformed', vendor.malformed]],
    'message',
  ),
  counter(
    'gnutella_connect_backs_total',
    'Proofs of reachability: `asked` by us, `done` for others, or `refused` to them.',
    ({ servent: { vendor } }) => {
      const { asked, done, refused } = vendor.connectBacks;
      return entries({ asked, done, refused });
    },
    'result',
  ),
  gauge('gnutella_library_files', 'Shared files.', ({ library }) => library.files),
  gauge('gnutella_library_bytes', 'Bytes of all shared files.', ({ library }) => library.bytes),
  gauge(
    'gnutella_library_treeless',
    'Shared files whose hash tree is still to be made.',
    ({ library }) => library.hashing.trees,
  ),
  gauge('gnutella_library_hashing', 'Files that wait to be hashed.', ({ library }) => library.hashing.pending),
  gauge('gnutella_searches_running', 'Our own searches under way.', ({ searches }) => searches.running),
  gauge('gnutella_saved_searches', 'Saved searches.', ({ saved }) => saved.size),
  counter('gnutella_saved_search_runs_total', 'Runs of saved searches.', ({ saved }) => saved.counts.runs),
  counter(
    'gnutella_saved_search_finds_total',
    'New contents that saved searches found: `told`, `downloaded`, `known` already, or `failed` to be downloaded.',
    ({ saved: { counts } }) => {
      const { runs: _, ...outcomes } = counts;
      return entries(outcomes);
    },
    'outcome',
  ),
  gauge('gnutella_spam_contents', 'Contents on the list of bad ones.', ({ spam }) => spam.size),
  gauge(
    'gnutella_downloads',
    'Downloads by state.',
    ({ downloads: { load } }) => [
      ['active', load.active],
      ['queued', load.queued],
    ],
    'state',
  ),
  gauge('gnutella_download_bytes_per_second', 'Rate of all downloads.', ({ downloads }) => downloads.load.rate),
  gauge(
    'gnutella_uploads',
    'Uploads by state.',
    ({ fileServer: { load } }) => [
      ['active', load.active],
      ['queued', load.queued],
    ],
    'state',
  ),
  gauge('gnutella_upload_bytes_per_second', 'Rate of all uploads.', ({ fileServer }) => fileServer.load.rate),
  counter(
    'gnutella_upload_bytes_total',
    'Bytes of finished uploads by result: `whole` files, `partial` ones as asked for, `cut` by the peer, `unreadable` here.',
    ({ past }) => entries(past.uploaded),
    'result',
  ),
  counter(
    'gnutella_download_bytes_total',
    'Bytes received by downloads: `received` in all, and `wrong` of these, whose file had the wrong hash.',
    ({ past }) => entries(past.downloaded),
    'result',
  ),
  counter(
    'gnutella_download_dials_put_off_total',
    'Hours of addresses in which downloads put dials off, as the address did not answer and had had its share: it may be the victim of forged hits.',
    ({ downloads }) => downloads.dialsPutOff,
  ),
  counter(
    'gnutella_upload_requests_total',
    'Upload requests by outcome.',
    ({ fileServer }) => entries(fileServer.outcomes.toRecord()),
    'outcome',
  ),
  gauge('gnutella_bans', 'Addresses that are banned from uploads.', ({ bans }) => bans.running),
  counter(
    'gnutella_bans_total',
    'Bans from uploads by reason.',
    ({ network }) => entries(network.conduct.counts.toRecord()),
    'reason',
  ),
  counter(
    'gnutella_upload_offences_total',
    'What addresses did on upload connections that counts towards a ban.',
    ({ network }) => entries(network.conduct.offences.toRecord()),
    'offence',
  ),
  counter(
    'gnutella_banned_connections_total',
    'Connections of banned addresses that were closed without an answer.',
    ({ network }) => network.conduct.turnedAway,
  ),
  counter(
    'gnutella_recording_rows_total',
    'Rows of the recording that are on the disk, by table.',
    ({ recordings }) => entries(recordings.counts.rows),
    'table',
  ),
  counter(
    'gnutella_recording_lost_total',
    'Rows of the recording that were lost: `queue_full` (the disk or the machine is too slow), `disk` (it cannot be written to), `broken` (cut by a crash, damaged, of another version, or their file is gone), `unsent` (removed by `recording.maxBytes` before ClickHouse had them).',
    ({ recordings }) => entries(recordings.counts.lost),
    'reason',
  ),
  counter(
    'gnutella_recording_sent_total',
    'Rows of the recording that ClickHouse has acknowledged.',
    ({ recordings }) => recordings.counts.sent,
  ),
  gauge('gnutella_recording_bytes', 'Bytes of the recording on the disk.', ({ recordings }) => recordings.counts.bytes),
  gauge('gnutella_recording_segments', 'Files of the recording.', ({ recordings }) => recordings.counts.segments),
  gauge('gnutella_recording_failing', '1: rows cannot be written or sent now.', ({ recordings }) =>
    recordings.trouble === null ? 0 : 1,
  ),
  ...natMetrics,
  counter('gnutella_log_lines_lost_total', 'Log lines that could not be written.', ({ log }) => logOutput(log).lost),
  counter('gnutella_events_kept_total', 'Events written to the log.', ({ events }) => events.counters.kept),
  counter('gnutella_events_lost_total', 'Events that could not be written.', ({ events }) => events.counters.lost),
  gauge('gnutella_event_subscribers', 'Open event streams.', ({ streams }) => streams.counters.subscribers),
  counter('gnutella_events_sent_total', 'Events written to all streams.', ({ streams }) => streams.counters.sent),
  counter(
    'gnutella_events_skipped_total',
    'Events left out for streams that were too slow; each stream was told of the gap.',
    ({ streams }) => streams.counters.skipped,
  ),
  counter(
    'gnutella_hook_deliveries_total',
    'Webhooks and commands by result: `done`, `failed` and tried again, `given_up`.',
    ({ hooks }) => entries({ ...hooks.counters }),
    'result',
  ),
  counter('gnutella_api_requests_total', 'Calls of the admin API.', ({ api }) => api.requests),
  counter(
    'gnutella_api_refused_total',
    'Calls of the admin API that were refused, by code.',
    ({ api }) => entries(api.refused),
    'code',
  ),
  ...dhtMetrics,
];
