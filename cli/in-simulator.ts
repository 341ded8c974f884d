// Loads, on first use, the parts of sim/ that commands run. No other file of cli/ imports more than types from there.
export const inSimulator = {
  models: () => import('../sim/models/all.ts'),
  simulation: () => import('../sim/simulation.ts'),
  figures: async () => {
    const [figure, svg, text] = await Promise.all([
      import('../sim/plot/figure.ts'),
      import('../sim/plot/svg.ts'),
      import('../sim/plot/text.ts'),
    ]);
    return { ...figure, ...svg, ...text };
  },
  topology: async () => {
    const [figures, network, degrees] = await Promise.all([
      inSimulator.figures(),
      import('../sim/plot/network-svg.ts'),
      import('../sim/topology/degree-distribution.ts'),
    ]);
    return { ...figures, ...network, ...degrees };
  },
  replayed: () => import('../sim/workload/replayed.ts'),
  plan: () => import('../sim/sweep/plan.ts'),
  units: () => import('../sim/sweep/units.ts'),
  summary: () => import('../sim/sweep/summary.ts'),
  vote: () => import('../sim/sweep/vote.ts'),
  storm: () => import('../sim/servents/storm.ts'),
};
