// An overlay alone: it shares no file, and what it reports goes nowhere. For benchmarks and for tests of links.
import type { Identity } from '../../protocol/overlay/identity.ts';
import { Overlay, type OverlayOptions } from '../../protocol/overlay/overlay.ts';
import type { OverlaySink } from '../../protocol/overlay/sink.ts';

export interface BareOverlayOptions extends Pick<OverlayOptions, 'clock' | 'random' | 'limits'> {
  readonly identity?: Partial<Identity>;
  readonly sink?: Partial<OverlaySink>;
}

const nothing = (): void => undefined;

/** An ultrapeer with free slots at 127.0.0.1:6346, unless the options say otherwise. */
export function bareOverlay({ identity, sink, ...options }: BareOverlayOptions, now: number): Overlay {
  return new Overlay(
    {
      ...options,
      library: { files: 0, bytes: 0, match: () => [], words: () => [], shared: () => [] },
      identity: {
        serventGuid: Buffer.alloc(16, 1),
        vendor: 'SRVT',
        ultrapeer: true,
        firewalled: () => false,
        busy: () => false,
        speedKbps: 1000,
        leafSlotsFree: 1,
        ultrapeerSlotsFree: 1,
        dailyUptimeSeconds: 3600,
        listen: () => ({ host: '127.0.0.1', port: 6346 }),
        ...identity,
      },
      sink: {
        onHit: nothing,
        onQueryPassed: nothing,
        onHitPassed: nothing,
        onPush: nothing,
        onHosts: nothing,
        onBye: nothing,
        onVendorMessage: nothing,
        onRouteTableUpdate: nothing,
        onLinkEnded: nothing,
        ...sink,
      },
    },
    now,
  );
}
