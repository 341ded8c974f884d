// Draws a network as SVG: ultrapeers on an inner circle, leaves on an outer one beside theirs; figures may stand beside it.

export interface DrawnNode {
  readonly name: string;
  readonly role: string;
  /** It said so itself; others are drawn hollow. */
  readonly known: boolean;
}

export interface DrawnNetwork {
  readonly title: string;
  readonly nodes: readonly DrawnNode[];
  /** Names of both ends. */
  readonly edges: readonly (readonly [string, string])[];
}

const SIZE = 640;
const INNER = 170;
const OUTER = 290;
/** With more, a picture is a black spot: the rest is left out, and the picture says so. */
const NODES_MAX = 2000;
const EDGES_MAX = 20_000;
const ULTRAPEER = '#0072b2';
const LEAF = '#e69f00';
const OTHER = '#7f7f7f';

interface Placed {
  readonly node: DrawnNode;
  readonly angle: number;
  readonly radius: number;
}

/** `beside`: whole SVG documents, one below the other at the right. */
export function networkSvg({ title, nodes, edges }: DrawnNetwork, beside: readonly string[] = []): string {
  const neighbours = neighboursOf(edges);
  const degree = ({ name }: DrawnNode): number => neighbours.get(name)?.length ?? 0;
  const shown = [...nodes].sort((a, b) => degree(b) - degree(a) || compare(a.name, b.name)).slice(0, NODES_MAX);
  const placed = place(shown, neighbours);
  const lines = edges.slice(0, EDGES_MAX).flatMap(([a, b]) => {
    const [from, to] = [placed.get(a), placed.get(b)];
    return from === undefined || to === undefined ? [] : [line(from, to)];
  });
  const left = nodes.length - shown.length + edges.length - lines.length;
  const note =
    left === 0 ? '' : `; ${nodes.length - shown.length} hosts and ${edges.length - lines.length} links are not drawn`;
  const width = beside.length === 0 ? SIZE : 2 * SIZE;
  const height = Math.max(SIZE + 24, beside.length * 464);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#555">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="16" y="20" font-size="14">${escaped(title + note)}</text>`,
    `<g stroke="#5556" stroke-width="0.6">${lines.join('')}</g>`,
    ...[...placed.values()].map(spot => dot(spot, degree(spot.node))),
    legend('ultrapeer', ULTRAPEER, 0),
    legend('leaf', LEAF, 1),
    legend('not told', OTHER, 2),
    ...beside.map((svg, i) => svg.replace('<svg ', `<svg x="${SIZE}" y="${i * 464}" width="${SIZE}" height="464" `)),
    '</svg>\n',
  ].join('\n');
}

function neighboursOf(edges: DrawnNetwork['edges']): Map<string, string[]> {
  const neighbours = new Map<string, string[]>();
  const note = (one: string, other: string): void => {
    const list = neighbours.get(one);
    if (list === undefined) neighbours.set(one, [other]);
    else list.push(other);
  };
  for (const [a, b] of edges) {
    note(a, b);
    note(b, a);
  }
  return neighbours;
}

/** Ultrapeers evenly, those with common neighbours not far apart; leaves where the first of theirs is, spread out evenly. */
function place(nodes: readonly DrawnNode[], neighbours: ReadonlyMap<string, readonly string[]>): Map<string, Placed> {
  const inner = nodes.filter(({ role }) => role === 'ultrapeer').sort((a, b) => compare(a.name, b.name));
  const placed = new Map<string, Placed>();
  const around = (list: readonly DrawnNode[], radius: number): void => {
    for (const [i, node] of list.entries())
      placed.set(node.name, { node, radius, angle: (2 * Math.PI * i) / list.length });
  };
  around(inner, inner.length === nodes.length ? OUTER : INNER);
  const angleOf = ({ name }: DrawnNode): number => {
    const angles = (neighbours.get(name) ?? []).flatMap(other => placed.get(other)?.angle ?? []);
    return angles[0] ?? 2 * Math.PI;
  };
  const outer = nodes.filter(({ name }) => !placed.has(name)).map(node => ({ node, angle: angleOf(node) }));
  outer.sort((a, b) => a.angle - b.angle || compare(a.node.name, b.node.name));
  around(
    outer.map(({ node }) => node),
    OUTER,
  );
  return placed;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const x = ({ angle, radius }: Placed): string => (SIZE / 2 + radius * Math.sin(angle)).toFixed(1);
const y = ({ angle, radius }: Placed): string => (SIZE / 2 + 12 - radius * Math.cos(angle)).toFixed(1);

const line = (a: Placed, b: Placed): string => `<line x1="${x(a)}" y1="${y(a)}" x2="${x(b)}" y2="${y(b)}"/>`;

function dot(spot: Placed, degree: number): string {
  const { name, role, known } = spot.node;
  const colour = role === 'ultrapeer' ? ULTRAPEER : role === 'leaf' ? LEAF : OTHER;
  const look = known ? `fill="${colour}"` : `fill="#fff" stroke="${colour}"`;
  const size = role === 'ultrapeer' ? 5 : 3.5;
  return `<circle cx="${x(spot)}" cy="${y(spot)}" r="${size}" ${look}><title>${escaped(`${name} ${role}, ${degree} links`)}</title></circle>`;
}

function legend(name: string, colour: string, i: number): string {
  const top = SIZE - 32 + i * 16;
  return `<circle cx="22" cy="${top}" r="4" fill="${colour}"/><text x="32" y="${top + 4}">${name}</text>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
