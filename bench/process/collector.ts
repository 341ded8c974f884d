// Loaded into a servent under test: collects its garbage when it is told to, and says what is left.

process.on('message', () => {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  process.send?.(heapUsed + external);
});
process.channel?.unref(); // the servent ends as it would alone
