// Writes the topology that a crawl has found as GraphML, which Gephi, igraph, NetworkX and yEd read.
import type { CrawledEdge, CrawledHost } from '../protocol/crawl/crawl-report.ts';

const KEYS = [
  ['state', 'node', 'string'],
  ['role', 'node', 'string'],
  ['program', 'node', 'string'],
  ['uptime', 'node', 'long'],
  ['kind', 'edge', 'string'],
  ['told', 'edge', 'int'],
] as const;

/** Characters that XML 1.0 cannot say, not even escaped; line ends and tabs with them, since no value here has any. */
const IMPOSSIBLE = /[\p{Cc}\p{Cs}\ufffe\uffff]/gu;
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

const escaped = (text: string): string =>
  text.replace(IMPOSSIBLE, '\ufffd').replace(/[&<>"]/g, character => ENTITIES[character] ?? character);

export function* graphml(hosts: readonly CrawledHost[], edges: readonly CrawledEdge[]): Generator<string> {
  yield '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n';
  for (const [name, of, type] of KEYS)
    yield `  <key id="${name}" for="${of}" attr.name="${name}" attr.type="${type}"/>\n`;
  yield '  <graph edgedefault="undirected">\n';
  for (const { address, state, role, userAgent, uptime } of hosts) {
    const data = [datum('state', state), datum('role', role), datum('program', userAgent)];
    if (uptime !== null) data.push(datum('uptime', String(uptime)));
    yield `    <node id="${escaped(address)}">${data.join('')}</node>\n`;
  }
  for (const { host, neighbour, kind, both } of edges) {
    const data = [datum('kind', kind), datum('told', both ? '2' : '1')];
    yield `    <edge source="${escaped(host)}" target="${escaped(neighbour)}">${data.join('')}</edge>\n`;
  }
  yield '  </graph>\n</graphml>\n';
}

function datum(key: (typeof KEYS)[number][0], value: string): string {
  return value === '' ? '' : `<data key="${key}">${escaped(value)}</data>`;
}
