// Settings of a servent as a test wants them; plain values that a test may change while it runs.
import type { ServentSettings } from '../../protocol/servent-settings.ts';

export type TestSettings = { -readonly [Key in keyof ServentSettings]: ServentSettings[Key] };

export function testSettings(changes: Partial<ServentSettings> = {}): TestSettings {
  return {
    userAgent: 'test/1',
    mode: 'auto',
    maxLeaves: 30,
    maxUltrapeers: 16,
    seek: 3,
    maxPerAddress: 0,
    queriesPerSecond: 0,
    leafQueriesPerSecond: 0,
    deflate: false,
    tls: false,
    outOfBand: true,
    reachable: 'auto',
    uploadSpeed: 0,
    uploads: { slots: 4, slotsPerAddress: 0, queue: 10 },
    ...changes,
  };
}
