// Metrics of how others get to this servent: what the router forwards, and what the proxy did.
import { counter, entries, gauge, type Metric } from './metric.ts';

export const natMetrics: readonly Metric[] = [
  gauge(
    'gnutella_port_mapped',
    '1 while the router forwards the port of the transport to us.',
    ({ network: { mapping } }) =>
      (['tcp', 'udp'] as const).map(one => [one, mapping.mapper.externalPort(one) === null ? 0 : 1] as const),
    'transport',
  ),
  counter(
    'gnutella_port_mapping_total',
    'What came of asking the router to forward ports: `granted`, `renewed`, `refused`, `silent` (no answer), `lost`, `removed`; and answers that were ignored: `garbage`, `foreign` (of another sender, or leading elsewhere), `unasked` (to another request).',
    ({ network: { mapping } }) => entries(mapping.mapper.counts.toRecord()),
    'result',
  ),
  counter(
    'gnutella_proxy_connections_total',
    'Connections through `proxy.socks` by result: `connected`, `refused` by the proxy, `unreachable`: the proxy did not answer.',
    ({ network: { way } }) => {
      const { connected, refused, unreachable } = way.proxy ?? { connected: 0, refused: 0, unreachable: 0 };
      return entries({ connected, refused, unreachable });
    },
    'result',
  ),
];
