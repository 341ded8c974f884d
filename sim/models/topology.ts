// Topologies: how many links nodes have decides how far apart they are, and what is left when nodes go by chance or on purpose.
import { log } from '../exact-math.ts';
import { atMost, type Measure, near, told } from '../measure.ts';
import type { Model, Outcome, Run, Series } from '../model.ts';
import { deviation, mean } from '../statistics.ts';
import { configurationModel } from '../topology/configuration-model.ts';
import { type DegreeDistribution, powerLaw, withHubs } from '../topology/degree-distribution.ts';
import type { Graph } from '../topology/graph.ts';
import { randomLoss, targetedLoss } from '../topology/loss.ts';
import { largestComponent, pathLengths } from '../topology/paths.ts';
import { largestShare } from '../topology/percolation.ts';
import { preferentialAttachment } from '../topology/preferential-attachment.ts';
import { randomGraph } from '../topology/random-graph.ts';
import { TraceHash } from '../trace-hash.ts';

const LECTURE = 'lecture: topologies, p(d) = c·d^-1.4';
const CALLAWAY = 'Callaway, Newman, Strogatz, Watts 2000';
const ALBERT = 'Albert, Jeong, Barabási 2000, figure 3';
const STARTS = 50;
/** The two distributions in the lecture's words; those that a run draws from may be told others. */
const LAW = powerLaw(1.4, 7);
const HYBRID = withHubs(LAW, 0.05, 20);

/** Of drawn degrees: what the formula says, what the lecture prints, and what comes out. */
function degreeMeasures(name: string, distribution: DegreeDistribution, drawn: ArrayLike<number>): Measure[] {
  const formula = { unit: 'links', source: 'the words of the lecture, by formula' };
  // four standard errors of a mean; a deviation is less certain than that: twice as much
  const error = (4 * distribution.deviation) / Math.sqrt(drawn.length);
  return [
    near(`${name}: mean degree drawn`, distribution.mean, error, mean(drawn), formula),
    near(`${name}: deviation drawn`, distribution.deviation, 2 * error, deviation(drawn), formula),
  ];
}

const without = (graph: Graph, lost: Uint8Array): number =>
  largestComponent(graph, node => lost[node] === 0).length / graph.nodes;

/** Nodes of that degree that are left when the share of those with most links goes. */
function keptByTarget({ shares }: DegreeDistribution, share: number): (degree: number) => number {
  return degree => {
    const above = shares.slice(degree + 1).reduce((sum, part) => sum + part, 0);
    const own = shares[degree] ?? 0;
    return own === 0 ? 1 : 1 - Math.max(0, Math.min(1, (share - above) / own));
  };
}

function run({ random, servents, parameters, onProgress }: Run): Outcome {
  const { exponent = 1.4, most = 7, hubs = 0.05, hubDegree = 20, lossByChance = 0.3 } = parameters;
  const degrees = random.fork();
  const links = random.fork();
  const losses = random.fork();
  const drawn = (distribution: DegreeDistribution): Uint32Array =>
    Uint32Array.from({ length: servents }, () => distribution.draw(degrees));
  const law = powerLaw(exponent, most);
  const hybrid = withHubs(law, hubs, hubDegree);
  const lawDegrees = drawn(law);
  const hybridDegrees = drawn(hybrid);
  const lawGraph = configurationModel(lawDegrees, links);
  const hybridGraph = configurationModel(hybridDegrees, links);
  const random4 = randomGraph(servents, 4, links);
  const attached = preferentialAttachment(servents, 2, links);
  onProgress(0.3);
  const lengths = (graph: Graph): { mean: number; longest: number } =>
    pathLengths(graph, losses.sample(largestComponent(graph), STARTS));
  const randomLengths = lengths(random4);
  const attachedLengths = lengths(attached);
  onProgress(0.6);
  const byChance = (graph: Graph, share: number): number => without(graph, randomLoss(graph, share, losses));
  const byTarget = (graph: Graph, share: number): number => without(graph, targetedLoss(graph, share));
  const ofAll = (source: string): { unit: string; source: string } => ({ unit: 'of all nodes', source });
  const room = 0.01 + 2 / Math.sqrt(servents);
  const measures: Measure[] = [
    near('power law: mean degree', 2.24, 0.005, LAW.mean, { unit: 'links', source: LECTURE }),
    near('power law: standard deviation', 1.67, 0.005, LAW.deviation, { unit: 'links', source: LECTURE }),
    told('power law as printed', 'mean 2.2, "variance" 1.63', { source: `${LECTURE}; 1.63 is near the deviation` }),
    ...degreeMeasures('power law', law, lawDegrees),
    near('hybrid: mean degree', 0.95 * 2.2366 + 0.05 * 20, 0.005, HYBRID.mean, { unit: 'links', source: LECTURE }),
    near('hybrid: standard deviation', Math.sqrt(0.95 * 7.8 + 20 - 3.1248 ** 2), 0.005, HYBRID.deviation, {
      unit: 'links',
      source: LECTURE,
    }),
    told('hybrid as printed', 'mean 2.8, deviation 3.55', {
      source: `${LECTURE}; no share of 0.05 at degree 20 gives that`,
    }),
    ...degreeMeasures('hybrid', hybrid, hybridDegrees),
    near(
      'power law: largest part',
      largestShare(law),
      room,
      largestComponent(lawGraph).length / servents,
      ofAll(CALLAWAY),
    ),
    near(
      'hybrid: largest part',
      largestShare(hybrid),
      room,
      largestComponent(hybridGraph).length / servents,
      ofAll(CALLAWAY),
    ),
    near(
      'hybrid: largest part after loss by chance',
      largestShare(hybrid, () => 1 - lossByChance),
      room,
      byChance(hybridGraph, lossByChance),
      ofAll(CALLAWAY),
    ),
    near(
      'hybrid: largest part after loss of as many hubs',
      largestShare(hybrid, keptByTarget(hybrid, lossByChance)),
      room,
      byTarget(hybridGraph, lossByChance),
      ofAll(CALLAWAY),
    ),
    near('random graph of degree 4: mean path', (log(servents) - 0.5772) / log(4) + 0.5, 0.3, randomLengths.mean, {
      unit: 'links',
      source: 'Fronczak, Fronczak, Hołyst 2004',
    }),
    atMost('preferential attachment: mean path', log(servents) / log(4), attachedLengths.mean, {
      unit: 'links',
      source: 'below ln N / ln k, that of a random graph: Barabási, Albert 1999',
    }),
    told('random graph: longest of the shortest paths', randomLengths.longest, {
      unit: 'links',
      source: `${STARTS} starts`,
    }),
    told('preferential attachment: longest of them', attachedLengths.longest, {
      unit: 'links',
      source: `${STARTS} starts`,
    }),
  ];
  const shares = Array.from({ length: 16 }, (_, i) => i * 0.04);
  const series: Series[] = [];
  const graphs = { hybrid: hybridGraph, 'random graph': random4, 'preferential attachment': attached };
  for (const [name, graph] of Object.entries(graphs)) {
    const axes = ['share of nodes lost', 'largest part, of all nodes'] as const;
    series.push({ name: `${name}, by chance`, axes, x: shares, y: shares.map(share => byChance(graph, share)) });
    series.push({ name: `${name}, most links first`, axes, x: shares, y: shares.map(share => byTarget(graph, share)) });
  }
  measures.push(
    atMost(
      'preferential attachment: largest part after loss of 20 % with most links',
      0.1,
      byTarget(attached, 0.2),
      ofAll(ALBERT),
    ),
    near(
      'preferential attachment: largest part after loss of 20 % by chance',
      0.8,
      0.05,
      byChance(attached, 0.2),
      ofAll(ALBERT),
    ),
  );
  const trace = new TraceHash();
  for (const graph of [lawGraph, hybridGraph, random4, attached])
    for (let node = 0; node < servents; node++) for (const next of graph.neighbours(node)) trace.add(next);
  return { measures, series, traceHash: trace.hex };
}

export const topology: Model = {
  name: 'topology',
  system: 'Random, power-law, hybrid and grown topologies',
  teaches: 'Hubs shorten paths and hold a network together when nodes go by chance; losing the hubs breaks it.',
  servents: 5000,
  seconds: 1,
  bounds: { seconds: null },
  parameters: {
    exponent: { value: 1.4, range: [0, 10], unit: '', meaning: 'of the power law' },
    most: { value: 7, range: [1, 1000], whole: true, unit: 'links', meaning: 'the largest degree of the power law' },
    hubs: { value: 0.05, range: [0, 1], unit: 'of all nodes', meaning: 'share of hubs in the hybrid distribution' },
    hubDegree: { value: 20, range: [1, 1000], whole: true, unit: 'links', meaning: 'degree of the hubs' },
    lossByChance: { value: 0.3, range: [0, 1], unit: 'of all nodes', meaning: 'share that is lost' },
  },
  run,
};
