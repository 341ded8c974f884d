// Metrics of datagrams, and of the streams that they carry.
import { counter, entries, gauge, type Metric } from './metric.ts';

export const datagramMetrics: readonly Metric[] = [
  counter(
    'gnutella_datagrams_in_total',
    'Datagrams received by outcome; all but `taken` were dropped.',
    ({ servent: { datagrams } }) => entries(datagrams.ends.toRecord()),
    'end',
  ),
  counter(
    'gnutella_datagrams_unspoken_total',
    'Datagrams of protocols that share the port while they are off: `dht` (Kademlia).',
    ({ servent: { datagrams } }) => entries({ dht: datagrams.dht.datagrams }),
    'protocol',
  ),
  gauge(
    'gnutella_rudp_connections',
    'Connections over reliable UDP by state; `closed` ones answer late packets.',
    ({ servent: { rudp } }) => entries(rudp.table.states),
    'state',
  ),
  counter(
    'gnutella_rudp_connections_total',
    'Connections over reliable UDP: `opened` by us, `connected`, of these `extended` (both sides are servents of this kind), and `failed`.',
    ({ servent: { rudp } }) => {
      const { opened, connected, extended, failed } = rudp.table.counters;
      return entries({ opened, connected, extended, failed });
    },
    'result',
  ),
  counter(
    'gnutella_rudp_packets_in_total',
    'Packets of reliable UDP received by outcome; `taken` and `duplicate` were in order.',
    ({ servent: { rudp } }) => entries(rudp.table.ends.toRecord()),
    'end',
  ),
  counter(
    'gnutella_rudp_bytes_total',
    'Bytes of datagrams of reliable UDP on connections, headers and repetitions among them.',
    ({ servent: { rudp } }) => entries({ in: rudp.table.counters.bytesIn, out: rudp.table.counters.bytesOut }),
    'direction',
  ),
  counter('gnutella_datagrams_out_total', 'Datagrams sent.', ({ servent: { datagrams } }) => datagrams.sent),
  counter(
    'gnutella_datagram_bytes_in_total',
    'Bytes of datagrams received.',
    ({ servent: { datagrams } }) => datagrams.bytesIn,
  ),
  counter(
    'gnutella_datagram_bytes_out_total',
    'Bytes of datagrams sent.',
    ({ servent: { datagrams } }) => datagrams.bytesSent,
  ),
];
