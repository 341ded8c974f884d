// What a run of a model is given, for tests that look inside one.
import type { Run } from '../../sim/model.ts';
import { SeededRandom } from '../../sim/seeded-random.ts';

export function modelRun(servents: number, seed: number, parameters: Record<string, number> = {}): Run {
  const random = new SeededRandom(seed);
  return { seed, random, servents, seconds: 60, parameters, onProgress: () => undefined };
}
