// API views of passing queries and of their statistics.
import type { QueryStatsView, QueryView } from '../../api/control.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { formatUrn } from '../../protocol/wire/urn.ts';
import type { QueryMonitor, SeenQuery } from '../queries/query-monitor.ts';
import type { QueryStatsReport } from '../queries/query-stats.ts';

export function queryView({ id, at, text, urns, from, ttl, hops, hits }: SeenQuery): QueryView {
  return {
    id: String(id),
    at: new Date(at).toISOString(),
    text,
    urns: urns.map(formatUrn),
    from: formatEndpoint(from),
    ttl,
    hops,
    hits,
  };
}

export function queryStatsView({ series, ...totals }: QueryStatsReport): QueryStatsView {
  return { ...totals, series: series.map(({ at, ...counts }) => ({ at: new Date(at).toISOString(), ...counts })) };
}

/** The latest `limit` queries, or all that are kept, oldest first: a JSON object a line. */
export function* exportedQueries(monitor: QueryMonitor, limit = Number.POSITIVE_INFINITY): Generator<string> {
  for (const query of monitor.latest().slice(0, limit).reverse())
    yield `${JSON.stringify(queryView(monitor.seen(query)))}\n`;
}
