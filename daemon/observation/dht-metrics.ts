// Declares the metrics of the node of the DHT.
import type { Dht } from '../../protocol/dht/dht.ts';
import type { LookupCounters } from '../../protocol/dht/dht-counters.ts';
import { LOOKUP_KINDS } from '../../protocol/dht/lookup-result.ts';
import type { Metric, MetricParts } from './metric.ts';

const of =
  (read: (node: Dht) => number): Metric['read'] =>
  ({ servent: { dht } }: MetricParts) =>
    dht === null ? 0 : read(dht.node);
const counts =
  (read: (node: Dht) => Readonly<Record<string, number>>): Metric['read'] =>
  ({ servent: { dht } }: MetricParts) =>
    dht === null ? [] : Object.entries(read(dht.node));

function perKind(read: (counters: LookupCounters) => number): Metric['read'] {
  return counts(({ counters }) => Object.fromEntries(LOOKUP_KINDS.map(kind => [kind, read(counters.lookups[kind])])));
}

export const dhtMetrics: readonly Metric[] = [
  {
    name: 'gnutella_dht_mode',
    kind: 'gauge',
    help: '1 for the present mode of the node of the DHT: off, passive (asks only) or active.',
    label: 'mode',
    read: ({ servent: { dht } }) => [[dht?.mode ?? 'off', 1]],
  },
  {
    name: 'gnutella_dht_nodes',
    kind: 'gauge',
    help: 'Nodes in the routing table of the DHT by state: `good` have answered, `stale` have not lately, `pending` wait for a place or for proof.',
    label: 'state',
    read: counts(({ parts }) => {
      const found = { good: 0, stale: 0, pending: 0 };
      for (const { good, stale, pending } of parts?.table.buckets() ?? []) {
        found.good += good.length;
        found.stale += stale.length;
        found.pending += pending.length;
      }
      return found;
    }),
  },
  {
    name: 'gnutella_dht_size',
    kind: 'gauge',
    help: 'Nodes of the whole DHT, estimated.',
    read: of(({ parts, networkSize }) => (parts === null ? 0 : networkSize)),
  },
  {
    name: 'gnutella_dht_values',
    kind: 'gauge',
    help: 'Values that are kept for others in the DHT.',
    read: of(({ parts }) => parts?.values.size ?? 0),
  },
  {
    name: 'gnutella_dht_publications',
    kind: 'gauge',
    help: 'Values of our own that are published in the DHT.',
    read: of(({ parts }) => parts?.publisher.size ?? 0),
  },
  {
    name: 'gnutella_dht_lookups_total',
    kind: 'counter',
    help: 'Lookups in the DHT that have ended, by what they were for and how they ended, as in the event `dht.lookup`: `value_found`, `publish_nearest` and so on.',
    label: 'lookup',
    read: counts(({ counters: { lookups } }) =>
      Object.fromEntries(
        LOOKUP_KINDS.flatMap(kind =>
          Object.entries(lookups[kind].ends.toRecord()).map(([end, times]) => [`${kind}_${end}`, times]),
        ),
      ),
    ),
  },
  {
    name: 'gnutella_dht_lookup_hops_total',
    kind: 'counter',
    help: 'Hops of ended lookups in the DHT, added up.',
    label: 'kind',
    read: perKind(({ hops }) => hops),
  },
  {
    name: 'gnutella_dht_lookup_requests_total',
    kind: 'counter',
    help: 'Requests of ended lookups in the DHT.',
    label: 'kind',
    read: perKind(({ requests }) => requests),
  },
  {
    name: 'gnutella_dht_lookup_seconds_total',
    kind: 'counter',
    help: 'Time that ended lookups in the DHT took, added up.',
    label: 'kind',
    read: perKind(({ ms }) => ms / 1_000),
  },
  {
    name: 'gnutella_dht_doubted_contacts_total',
    kind: 'counter',
    help: 'Contacts that lookups in the DHT were told of and left out, by reason; `too_near` and `crowded` are signs of an attack on a key.',
    label: 'reason',
    read: counts(({ counters: { doubts } }) => doubts.toRecord()),
  },
  {
    name: 'gnutella_dht_messages_in_total',
    kind: 'counter',
    help: 'Messages of the DHT received, by kind.',
    label: 'kind',
    read: counts(({ counters: { received } }) => snake(received.toRecord())),
  },
  {
    name: 'gnutella_dht_messages_out_total',
    kind: 'counter',
    help: 'Messages of the DHT sent, by kind.',
    label: 'kind',
    read: counts(({ counters: { sent } }) => snake(sent.toRecord())),
  },
  {
    name: 'gnutella_dht_dropped_total',
    kind: 'counter',
    help: 'Messages of the DHT that had no effect or no answer, by reason.',
    label: 'reason',
    read: counts(({ counters: { dropped } }) => dropped.toRecord()),
  },
  {
    name: 'gnutella_dht_silences_total',
    kind: 'counter',
    help: 'Requests to nodes of the DHT that were not answered.',
    read: of(({ counters: { silences } }) => silences),
  },
  {
    name: 'gnutella_dht_stores_out_total',
    kind: 'counter',
    help: 'Values that other nodes of the DHT were asked to keep, by their answer.',
    label: 'result',
    read: counts(({ counters: { storesOut } }) => storesOut.toRecord()),
  },
  {
    name: 'gnutella_dht_stores_in_total',
    kind: 'counter',
    help: 'Values that this node of the DHT was asked to keep, by its answer.',
    label: 'result',
    read: counts(({ counters: { storesIn } }) => storesIn.toRecord()),
  },
  {
    name: 'gnutella_dht_removals_total',
    kind: 'counter',
    help: 'Values of our own that nodes of the DHT were to remove: `silent` nodes said nothing, `left_out` were more than may wait; both expire.',
    label: 'result',
    read: counts(({ counters: { removals } }) => removals.toRecord()),
  },
  {
    name: 'gnutella_dht_kuid_changes_total',
    kind: 'counter',
    help: 'New KUIDs of this node of the DHT, as another node had the same.',
    read: of(({ counters: { kuidChanges } }) => kuidChanges),
  },
  {
    name: 'gnutella_dht_bytes_in_total',
    kind: 'counter',
    help: 'Bytes of datagrams of the DHT received.',
    read: of(({ counters: { bytesIn } }) => bytesIn),
  },
  {
    name: 'gnutella_dht_bytes_out_total',
    kind: 'counter',
    help: 'Bytes of datagrams of the DHT sent.',
    read: of(({ counters: { bytesOut } }) => bytesOut),
  },
];

/** `findNode` as `find_node`. */
function snake(record: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(record).map(([name, times]) => [
      name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`),
      times,
    ]),
  );
}
