// Settings of a servent on a virtual network; plain values, which a test may change while it runs.
import type { ServentSettings } from '../../protocol/servent-settings.ts';

export type UsualSettings = { -readonly [Key in keyof ServentSettings]: ServentSettings[Key] };

export function usualSettings(changes: Partial<ServentSettings> = {}): UsualSettings {
  return {
    userAgent: 'virtual/1',
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
    dht: 'off',
    relay: false,
    uploadSpeed: 0,
    uploads: { slots: 4, slotsPerAddress: 0, queue: 10 },
    ...changes,
  };
}
