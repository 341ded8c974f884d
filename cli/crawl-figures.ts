// Pictures of a crawl: the topology, and its degrees beside those of the lecture's models.
import type { CrawlReport } from '../protocol/crawl/crawl-report.ts';
import { inSimulator } from './in-simulator.ts';

const TITLE = 'degrees';
const AXES = ['links', 'share of hosts'] as const;
/** The lecture: p(d) = c·d^-1.4 up to 7 links, and 5 % of hubs with 20. */
const EXPONENT = 1.4;
const MOST = 7;
const HUBS = { share: 0.05, degree: 20 };

type Degrees = readonly (readonly [degree: number, hosts: number])[];

async function figureOf(degrees: Degrees) {
  const { figuresOf, powerLaw, withHubs } = await inSimulator.topology();
  const all = degrees.reduce((sum, [, hosts]) => sum + hosts, 0);
  const law = powerLaw(EXPONENT, MOST);
  const modelled = (name: string, shares: readonly number[]) => {
    const there = shares.flatMap((share, degree) => (share > 0 ? [[degree, share] as const] : []));
    return { name, axes: AXES, x: there.map(([degree]) => degree), y: there.map(([, share]) => share) };
  };
  return figuresOf(TITLE, [
    {
      ...{ name: 'crawled', axes: AXES },
      ...{ x: degrees.map(([degree]) => degree), y: degrees.map(([, hosts]) => hosts / all) },
    },
    modelled('lecture: power law, exponent 1.4', law.shares),
    modelled('lecture: the same with 5 % of hubs', withHubs(law, HUBS.share, HUBS.degree).shares),
  ]);
}

/** For a terminal. */
export async function crawlFigures(degrees: Degrees, columns: number): Promise<string[]> {
  const { textOf } = await inSimulator.topology();
  return (await figureOf(degrees)).map(figure => textOf(figure, columns));
}

/** An SVG document. */
export async function crawlPicture({ hosts, edges }: CrawlReport, degrees: Degrees): Promise<string> {
  const { networkSvg, svgOf } = await inSimulator.topology();
  const linked = new Set(edges.flatMap(({ host, neighbour }) => [host, neighbour]));
  const nodes = hosts
    .filter(({ address, state }) => state === 'answered' || linked.has(address))
    .map(({ address, role, state }) => ({ name: address, role, known: state === 'answered' }));
  const title = `${nodes.length} hosts, ${edges.length} links`;
  const beside = degrees.length === 0 ? [] : (await figureOf(degrees)).map(svgOf);
  return networkSvg({ title, nodes, edges: edges.map(({ host, neighbour }) => [host, neighbour]) }, beside);
}
