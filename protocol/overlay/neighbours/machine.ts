// What the shell measures of the process and its machine, for elections, hits and pongs. Read at each use.

export interface Machine {
  readonly uptimeMs: number;
  /** Average milliseconds of a session, this one included. */
  readonly averageUptimeMs: number;
  readonly dailyUptimeSeconds: number;
  /** Bytes a second that went out at best; null when nothing ever has. */
  readonly bestUpload: number | null;
  readonly freeMemoryBytes: number;
  /** Share of one core that this process uses, 0 to 1. */
  readonly cpuShare: number;
  /** File descriptors that we may still open. */
  readonly freeDescriptors: number;
}
