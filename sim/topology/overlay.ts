// The overlays that models of unstructured networks run on, by number, so that a run can be told which.
import type { Parameter } from '../model.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { configurationModel } from './configuration-model.ts';
import { type DegreeDistribution, powerLaw, sameDegree, withHubs } from './degree-distribution.ts';
import type { Graph } from './graph.ts';
import { preferentialAttachment } from './preferential-attachment.ts';

export const OVERLAY_PARAMETERS = {
  overlay: {
    value: 0,
    range: [0, 3],
    whole: true,
    unit: '',
    meaning: '0: all servents have `degree` links; 1: power law; 2: hybrid; 3: grown',
  },
  degree: { value: 4, range: [1, 100], whole: true, unit: 'links', meaning: 'links a servent, where all have as many' },
} as const satisfies Record<string, Parameter>;

export function overlayOf(nodes: number, parameters: Readonly<Record<string, number>>, random: SeededRandom): Graph {
  const { overlay = 0, degree = 4 } = parameters;
  if (overlay === 3) return preferentialAttachment(nodes, 2, random);
  const law = powerLaw(1.4, 7);
  const distribution: DegreeDistribution =
    overlay === 1 ? law : overlay === 2 ? withHubs(law, 0.05, 20) : sameDegree(Math.min(degree, nodes - 1));
  return configurationModel(
    Uint32Array.from({ length: nodes }, () => distribution.draw(random)),
    random,
  );
}
