// A machine that may be an ultrapeer.
import type { Machine } from '../../protocol/overlay/neighbours/machine.ts';

export const MACHINE: Machine = {
  uptimeMs: 3_600_000,
  averageUptimeMs: 3_600_000,
  dailyUptimeSeconds: 3_600,
  bestUpload: 1_000_000,
  freeMemoryBytes: 1e9,
  cpuShare: 0.1,
  freeDescriptors: 1_000,
};
